import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { Pki } from '../pki/pki.ts'
import { nothingInClear } from '../verdicts/judgements/wire.ts'
import { Loopback } from '../wire/loopback.ts'
import type { Endpoint } from '../wire/smtp.ts'
import { until } from '../wire/until.ts'
import { FixedLab } from './fixed-lab.ts'
import { compose } from './message.ts'
import { handOver } from './sender.ts'

describe('a lab with few addresses', () => {
  const pki = new Pki()
  let endpoints: Endpoint[]
  let lab: FixedLab
  beforeEach(async () => {
    endpoints = await Promise.all([freeEndpoint(), freeEndpoint()])
    lab = new FixedLab(pki, endpoints)
    await lab.start()
  })
  afterEach(() => lab.stop())

  const asked = (domain: string, hosts = 1) => ({ domain, hosts: Array.from({ length: hosts }, () => ({})) })
  const deliver = (domain: string, endpoint = endpoints[0]!) =>
    handOver(compose({ from: 'a@gateway.test', to: [`b@${domain}`] }), {
      endpoint,
      hostname: `mx.${domain}`,
      behaviour: { tls: 'uses' },
      pki,
    })

  it('has room for as many mail exchangers as there are addresses', async () => {
    assert.equal(lab.room, 2)
    await assert.rejects(
      lab.partners([asked('a.test', 2), asked('b.test')]),
      /3 mail exchangers .* room for 2/,
    )
  })

  it('gives each mail exchanger an address of its own, in the order of the file', async () => {
    const [partner] = await lab.partners([asked('a.test', 2)])
    for (const [index, endpoint] of endpoints.entries()) {
      const { accepted, conversations } = await deliver('a.test', endpoint)
      assert.ok(accepted)
      const host = partner!.hosts[index]!
      assert.equal(partner!.messages[index]!.host, host.hostname)
      assert.ok(conversations[0]!.handshake?.serverCertificate?.names.includes(host.hostname))
    }
  })

  it('makes who needs an address wait until one is given back', async () => {
    const order: string[] = []
    const take = async (domain: string, hosts?: number) => {
      const made = await lab.partners([asked(domain, hosts)])
      order.push(domain)
      return made[0]!
    }
    const [first, second] = [await take('a.test'), await take('b.test')]
    const both = take('both.test', 2)
    const late = take('late.test')
    lab.release(first)
    // Free, but not for who came after somebody who still waits.
    await deliver('nobody.test')
    assert.deepEqual(order, ['a.test', 'b.test'])
    lab.release(second)
    lab.release(await both)
    await late
    assert.deepEqual(order, ['a.test', 'b.test', 'both.test', 'late.test'])
  })

  it('takes all or nothing', async () => {
    await lab.partners([asked('a.test')])
    const two = lab.partners([asked('b.test'), asked('c.test')])
    const one = await Promise.race([two, deliver('a.test').then(() => 'still waiting')])
    assert.equal(one, 'still waiting')
    assert.equal(lab.strays, 0)
  })

  it('counts mail for an earlier partner as a stray, and lays it at nobody’s door', async () => {
    const [former] = await lab.partners([asked('former.test')])
    lab.release(former!)
    const [now] = await lab.partners([asked('now.test')])
    const { stage, reply } = await deliver('former.test')
    assert.equal(stage, 'RCPT')
    assert.ok(reply!.code >= 400, reply?.text)
    assert.deepEqual([now!.conversations, now!.messages, former!.messages, lab.strays], [[], [], [], 1])
    assert.ok((await deliver('now.test')).accepted)
    assert.equal(now!.conversations.length, 1)
  })

  it('takes mail for an earlier partner as evidence about that one', async () => {
    const [former] = await lab.partners([asked('former.test')])
    lab.release(former!)
    const [now] = await lab.partners([asked('now.test')])
    const message = compose({ from: 'a@gateway.test', to: ['b@former.test'] })
    const options = { endpoint: endpoints[0]!, hostname: 'mx.former.test', pki }
    await handOver(message, { ...options, behaviour: { tls: 'does not use' } })
    const late = nothingInClear(former!.conversations, message.token)
    assert.deepEqual([late.kind, late.detail], ['broken', 'MAIL crossed the wire in clear'])
    assert.equal(now!.conversations.length, 0)
  })

  it('knows a retry that never named its recipient by the server name it asked for', async () => {
    const [former] = await lab.partners([asked('former.test')])
    lab.release(former!)
    const [now] = await lab.partners([asked('now.test')])
    const { conversations } = await handOver(compose({ from: 'a@gateway.test', to: [] }), {
      ...{ endpoint: endpoints[0]!, hostname: 'mx.former.test', pki },
      behaviour: { tls: 'uses' },
    })
    assert.equal(conversations.length, 1)
    await until(() => former!.conversations.length === 1, [former!], 5_000)
    assert.deepEqual([now!.conversations.length, former!.conversations.length, lab.strays], [0, 1, 1])
  })

  it('counts what says nothing, and what greets with another name than the gateway, for nobody', async () => {
    const [partner] = await lab.partners([asked('a.test')])
    await deliver('a.test')
    for (const talk of ['', 'EHLO monitor.example\r\nQUIT\r\n']) {
      const socket = connect(endpoints[0]!.port, endpoints[0]!.host)
      socket.once('data', () => socket.end(talk))
      await once(socket.resume(), 'close')
    }
    await until(() => lab.strays === 2, [partner!], 5_000)
    assert.deepEqual([partner!.conversations.length, lab.strays], [1, 2])
  })

  it('turns connections away where nobody has the address', async () => {
    const [partner] = await lab.partners([asked('a.test')])
    lab.release(partner!)
    const { stage, reply } = await deliver('a.test')
    assert.deepEqual([stage, reply?.code, lab.strays], ['greeting', 421, 1])
  })

  it('says why it cannot listen', async () => {
    const taken = await Loopback.start(() => {})
    const other = new FixedLab(pki, [taken.endpoint])
    await assert.rejects(other.start(), { code: 'EADDRINUSE' })
    await other.stop()
    await taken.close()
  })
})

async function freeEndpoint(): Promise<Endpoint> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return { host: '127.0.0.1', port }
}
