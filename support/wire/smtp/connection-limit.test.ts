import assert from 'node:assert/strict'
import { SmtpListener } from '../../test-bed/fixtures/smtp-listener.ts'
import { Recorder } from '../recorder.ts'
import { Room } from './connection-limit.ts'
import { SmtpClient } from './smtp.ts'

describe('the room at a server', () => {
  const isOver = async (promise: Promise<unknown>) =>
    Promise.race([promise.then(() => true), new Promise(resolve => setImmediate(() => resolve(false)))])

  it('has no limit until the server refuses a connection, and then as many as it has taken', async () => {
    const room = new Room()
    for (let n = 0; n < 3; n++) assert.ok(await isOver(room.enter()))
    room.refuse()
    const next = room.enter()
    assert.equal(await isOver(next), false)
    room.leave()
    assert.equal(await isOver(next), true)
  })

  it('has room for one connection, whatever the server says', async () => {
    const room = new Room()
    await room.enter()
    room.refuse()
    assert.ok(await isOver(room.enter()))
  })

  it('lets the first in that has waited, and nobody overtakes', async () => {
    const room = new Room()
    for (let n = 0; n < 2; n++) await room.enter()
    room.refuse()
    const [first, second] = [room.enter(), room.enter()]
    room.leave()
    assert.deepEqual([await isOver(first), await isOver(second)], [true, false])
    room.leave()
    assert.ok(await isOver(second))
  })

  it('does not make anybody wait for ever', async () => {
    const room = new Room()
    for (let n = 0; n < 2; n++) await room.enter()
    room.refuse()
    await room.enter(1)
  })

  it('is left by each connection when it ends', async () => {
    const most = 2
    const listener = await SmtpListener.start({
      greeting: heard =>
        heard.filter(({ closed }) => !closed).length > most ? '421 4.7.0 Too many' : '220 listener ESMTP',
    })
    const calling = async () => {
      const recorder = new Recorder({ gatewayIs: 'receiver', sender: 'client', receiver: 'listener' })
      const client = await SmtpClient.connect(listener.endpoint, recorder)
      const { code } = await client.reply()
      await client.quit()
      return code
    }
    try {
      const crowd = () => Promise.all(Array.from({ length: 6 }, calling))
      assert.ok((await crowd()).includes(421), 'the limit was met')
      // The server may see an end later than the next beginning: then there is one connection less.
      await crowd()
      assert.deepEqual([...new Set(await crowd())], [220])
    } finally {
      await listener.close()
    }
  })
})
