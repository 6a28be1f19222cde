import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Loopback } from '../test-bed/fixtures/loopback.ts'
import { Link } from './link.ts'

describe('a tapped TCP connection', () => {
  let server: Loopback
  afterEach(() => server.close())

  const linked = (to: Loopback) => {
    const seen = { sent: [] as Buffer[], received: [] as Buffer[] }
    const link = new Link(connect(to.endpoint), {
      sent: chunk => seen.sent.push(Buffer.from(chunk)),
      received: chunk => seen.received.push(Buffer.from(chunk)),
    })
    return { link, seen }
  }
  const noise = Buffer.from(Array.from({ length: 300_000 }, (_, n) => (n * 7919) & 0xff))

  it('shows exactly the bytes of both directions', async () => {
    server = await Loopback.start(socket => socket.pipe(socket))
    const { link, seen } = linked(server)
    const back: Buffer[] = []
    link.on('data', chunk => back.push(chunk))
    for (let at = 0; at < noise.length; at += 40_000) link.write(noise.subarray(at, at + 40_000))
    link.end()
    await once(link, 'end')
    assert.ok(Buffer.concat(seen.sent).equals(noise))
    assert.ok(Buffer.concat(seen.received).equals(noise))
    assert.ok(Buffer.concat(back).equals(noise))
  })

  it('holds a peer back while nobody reads', async () => {
    server = await Loopback.start(socket => {
      const more = () => {
        while (socket.write(noise));
      }
      socket.on('drain', more)
      more()
    })
    const { link, seen } = linked(server)
    await once(link.socket, 'pause')
    const held = Buffer.concat(seen.received).length
    assert.ok(held < 1_000_000, `${held} bytes were taken in`)
    assert.equal(link.socket.isPaused(), true)
    link.resume()
    await once(link.socket, 'resume')
    link.destroy()
  })

  it('cuts the next write alone', async () => {
    server = await Loopback.start(socket => socket.resume())
    const { link, seen } = linked(server)
    link.cutNext(bytes => [bytes.subarray(0, 1), bytes.subarray(1)])
    for (const word of ['one', 'two']) await new Promise(resolve => link.write(word, resolve))
    assert.deepEqual(seen.sent.map(String), ['o', 'ne', 'two'])
    link.destroy()
  })

  for (const way of ['ended', 'destroyed'] as const)
    it(`gives its socket to another link, once ${way}`, async () => {
      server = await Loopback.start(socket => socket.pipe(socket))
      const { link, seen } = linked(server)
      link.keepsSocket = true
      link.write('one')
      assert.equal(String((await once(link, 'data'))[0]), 'one')
      if (way === 'ended') await new Promise<void>(resolve => link.end(resolve))
      else {
        link.destroy()
        link.socket.write('in between')
        await new Promise(resolve => setTimeout(resolve, 20))
      }
      const next = link.successor()
      if (way === 'destroyed') assert.equal(String((await once(next, 'data'))[0]), 'in between')
      next.write('two')
      assert.equal(String((await once(next, 'data'))[0]), 'two')
      assert.deepEqual(seen.sent.map(String), ['one', 'two'])
      next.destroy()
      assert.equal(link.socket.destroyed, true)
    })

  it('gives another link that is over where the socket is closed', async () => {
    server = await Loopback.start(socket => socket.once('data', () => socket.resetAndDestroy()))
    const { link } = linked(server)
    link.keepsSocket = true
    link.on('error', () => {})
    link.write('one')
    await new Promise(resolve => link.socket.once('close', resolve))
    assert.equal(link.successor().destroyed, true)
  })

  it('reports nothing as sent that can no longer leave', async () => {
    server = await Loopback.start(socket => socket.end('bye'))
    const { link, seen } = linked(server)
    await once(link, 'close')
    link.on('error', () => {})
    link.write('too late')
    assert.deepEqual(seen.sent, [])
    assert.equal(Buffer.concat(seen.received).toString(), 'bye')
  })

  it('can end with a reset, which the peer notices', async () => {
    const heard = Promise.withResolvers<NodeJS.ErrnoException>()
    server = await Loopback.start(socket => {
      socket.on('error', heard.resolve)
      socket.on('end', () => heard.reject(new Error('an orderly end')))
      socket.write('hello')
      socket.resume()
    })
    const { link } = linked(server)
    await once(link, 'data')
    link.reset()
    assert.equal((await heard.promise).code, 'ECONNRESET')
  })

  it('hands a reset by the peer on as an error', async () => {
    server = await Loopback.start(socket => socket.once('data', () => socket.resetAndDestroy()))
    const { link } = linked(server)
    link.write('hello')
    const [error] = await once(link, 'error')
    assert.equal(error.code, 'ECONNRESET')
    assert.equal(link.destroyed, true)
  })
})
