import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { nothingInClear } from '../judgements/wire.ts'
import { Pki } from '../pki/pki.ts'
import { Loopback } from '../test-bed/fixtures/loopback.ts'
import { Delivery } from '../traffic/client-transaction.ts'
import { handOver } from '../traffic/deliver-message.ts'
import { compose } from '../traffic/message.ts'
import { Recorder } from '../wire/recorder.ts'
import { type Endpoint, SmtpClient } from '../wire/smtp/smtp.ts'
import { until } from '../wire/until.ts'
import { FixedLab } from './fixed-lab.ts'

const CAME_AGAIN = 'the gateway came again when another partner had the address'

describe('a lab at the addresses of a gateway file', () => {
  const pki = new Pki()
  let endpoints: Endpoint[]
  let lab: FixedLab
  beforeEach(async () => {
    endpoints = await Promise.all([freeEndpoint(), freeEndpoint()])
    const routes = [
      { to: '*.test', tls: 'opportunistic', partner: [endpoints[0]!] },
      { to: '*.forced.test', tls: 'encryption-only', partner: [endpoints[0]!] },
      { to: '*.other.test', tls: 'encryption-only', partner: [endpoints[1]!] },
      { to: '*.either.test', tls: 'opportunistic', partner: endpoints },
    ] as const
    lab = new FixedLab(pki, routes, 'a@gateway.test')
    await lab.start()
  })
  afterEach(() => lab.stop())

  const partner = async (domain: string) => (await lab.partners([{ domain }]))[0]!
  const deliver = (domain: string, endpoint = endpoints[0]!) =>
    new Delivery(compose({ from: 'a@gateway.test', to: [`b@${domain}`] }), {
      endpoint,
      hostname: `mx.${domain}`,
      behaviour: { tls: 'uses' },
      manner: {},
      tls: { servername: `mx.${domain}` },
    }).run()

  it('has room for one mail exchanger at a time, and for none without an address', async () => {
    assert.deepEqual([lab.room, new FixedLab(pki, []).room], [1, 0])
    await assert.rejects(
      lab.partners([{ domain: 'a.test' }, { domain: 'b.test' }]),
      /2 mail exchangers asked for, with room for 1/,
    )
  })

  it('has partners side by side if their routes share no address', async () => {
    const [one, other] = await Promise.all([partner('a.test'), partner('a.other.test')])
    await Promise.all([deliver('a.test'), deliver('a.other.test', endpoints[1]!)])
    for (const { domain, messages, conversations } of [one, other]) {
      assert.deepEqual(
        messages.map(({ to }) => to),
        [[`b@${domain}`]],
      )
      assert.equal(conversations.length, 1)
    }
    assert.equal(lab.strays, 0)
  })

  it('has a partner at all addresses of its route', async () => {
    const either = await partner('a.either.test')
    for (const endpoint of endpoints) assert.ok((await deliver('a.either.test', endpoint)).accepted)
    assert.equal(either.conversations.length, 2)
    const names = either.conversations.map(({ handshake }) => handshake?.serverCertificate?.names)
    assert.deepEqual(names, [
      ['a.either.test', 'mx.a.either.test'],
      ['a.either.test', 'mx.a.either.test'],
    ])
  })

  it('changes how a partner behaves, at all addresses of its route', async () => {
    const either = await partner('a.either.test')
    await lab.change(either, [{ transaction: { refuses: { at: 'MAIL', reply: '451 4.7.5 not now' } } }])
    for (const endpoint of endpoints)
      assert.equal((await deliver('a.either.test', endpoint)).reply?.code, 451)
    assert.equal(either.conversations.length, 2)
  })

  describe('for the author of messages', () => {
    const NOTICE = 'Action: failed\r\n'
    const returned = (to: string, endpoint = endpoints[0]!) =>
      handOver(compose({ from: '', to: [to], body: { headers: [], text: NOTICE, token: 'x' } }), {
        endpoint,
        hostname: 'mx.gateway.test',
        behaviour: { tls: 'does not use' },
        pki,
      })

    it('takes what comes back at an address that nobody else has', async () => {
      const { author } = lab
      assert.match(author!.domain, /\.test$/)
      assert.ok((await returned(`author@${author!.domain}`)).accepted)
      assert.deepEqual(
        author!.messages.map(({ from, to }) => ({ from, to })),
        [{ from: '', to: [`author@${author!.domain}`] }],
      )
      assert.equal((await deliver('nobody.test')).accepted, false)
    })

    it('takes it at the address of a partner too, who has nothing to do with it', async () => {
      const { author } = lab
      const one = await partner('a.test')
      assert.ok((await returned(`author@${author!.domain}`)).accepted)
      await until(() => one.conversations.length === 0, [one], 5_000)
      assert.deepEqual([author!.messages.length, one.messages.length, one.conversations.length], [1, 0, 0])
      assert.ok((await deliver('a.test')).accepted)
    })

    it('has no author where every connector requires TLS', async () => {
      const other = new FixedLab(pki, [
        { to: '*.test', tls: 'encryption-only', partner: [await freeEndpoint()] },
      ])
      await other.start()
      assert.equal(other.author, undefined)
      await other.stop()
    })
  })

  it('makes a partner wait for an address that another one has, and no other partner', async () => {
    const order: string[] = []
    const take = async (domain: string) => {
      const made = await partner(domain)
      order.push(domain)
      return made
    }
    const first = await take('a.test')
    const either = take('a.either.test')
    const [late, elsewhere] = [take('b.test'), take('a.other.test')]
    // Free, but not for who came after somebody who waits for it.
    await deliver('nobody.test')
    assert.deepEqual(order, ['a.test'])
    lab.release(first)
    lab.release(await either)
    await Promise.all([late, elsewhere])
    assert.deepEqual(order.slice(0, 2), ['a.test', 'a.either.test'])
    assert.deepEqual(order.slice(2).sort(), ['a.other.test', 'b.test'])
  })

  it('gives an address first to partners that are ahead, and among these in the order of waiting', async () => {
    const wanted = [
      { domain: 'behind.test' },
      { domain: 'ahead.test', ahead: true },
      { domain: 'also-ahead.test', ahead: true },
      { domain: 'last.test', ahead: false },
    ]
    // Their certificates are made here, so that they begin to wait in this order.
    for (const options of wanted) for (const one of await lab.partners([options])) lab.release(one)
    const [first] = await lab.partners([{ domain: 'first.test' }])
    const order: string[] = []
    const waiting = wanted.map(async options => {
      const [partner] = await lab.partners([options])
      order.push(partner!.domain)
      lab.release(partner!)
    })
    await lab.partners([{ domain: 'a.other.test' }])
    lab.release(first!)
    await Promise.all(waiting)
    assert.deepEqual(order, ['ahead.test', 'also-ahead.test', 'behind.test', 'last.test'])
  })

  it('counts mail for an earlier partner as a stray, and not against the present one', async () => {
    const former = await partner('former.test')
    lab.release(former)
    const now = await partner('now.test')
    const { stage, reply } = await deliver('former.test')
    assert.equal(stage, 'RCPT')
    assert.ok(reply!.code >= 400, reply?.text)
    assert.deepEqual([now.conversations, now.messages, former.messages, lab.strays], [[], [], [], 1])
    assert.ok((await deliver('now.test')).accepted)
    assert.equal(now.conversations.length, 1)
  })

  it('keeps mail for an earlier partner as evidence about that partner', async () => {
    const former = await partner('former.test')
    lab.release(former)
    const now = await partner('now.test')
    const message = compose({ from: 'a@gateway.test', to: ['b@former.test'] })
    const options = { endpoint: endpoints[0]!, hostname: 'mx.former.test', manner: {} }
    await new Delivery(message, { ...options, behaviour: { tls: 'does not use' } }).run()
    const late = nothingInClear(former.conversations, message.token)
    assert.deepEqual([late.kind, late.detail], ['broken', 'MAIL crossed the wire unencrypted'])
    assert.equal(now.conversations.length, 0)
  })

  it('turns as many connections away as the example says', async () => {
    const hosts = [{ greeting: 'turns away (421)', times: 1 }] as const
    const [one] = await lab.partners([{ domain: 'a.test', hosts }])
    assert.equal((await deliver('a.test')).reply?.code, 421)
    assert.ok((await deliver('a.test')).accepted)
    assert.equal(one!.conversations.length, 2)
  })

  it('finds by the server name in the ClientHello for whom a retry without a recipient was', async () => {
    const former = await partner('former.test')
    lab.release(former)
    const now = await partner('now.test')
    const { conversations } = await handOver(compose({ from: 'a@gateway.test', to: [] }), {
      ...{ endpoint: endpoints[0]!, hostname: 'mx.former.test', pki },
      behaviour: { tls: 'uses' },
    })
    assert.equal(conversations.length, 1)
    await until(() => lab.strays === 1, [former], 5_000)
    // The certificate of the other partner may be why the gateway went.
    assert.deepEqual([now.conversations.length, former.conversations.length, lab.strays], [0, 0, 1])
    assert.equal(former.misrouted, CAME_AGAIN)
  })

  it('hands the address of a partner on while mail for that partner is still watched', async () => {
    const quiet = await partner('quiet.forced.test')
    const waiting = partner('now.test')
    lab.handOn(quiet)
    const now = await waiting
    const over = { endpoint: endpoints[0]!, pki, hostname: 'mx.quiet.forced.test' }
    const message = compose({ from: 'a@gateway.test', to: ['b@quiet.forced.test'] })
    await handOver(message, { ...over, behaviour: { tls: 'uses' } })
    assert.deepEqual([quiet.conversations.length, quiet.misrouted], [0, CAME_AGAIN])
    await handOver(message, { ...over, behaviour: { tls: 'does not use' } })
    const { kind, detail } = nothingInClear(quiet.conversations, message.token)
    assert.deepEqual([kind, detail], ['broken', 'MAIL crossed the wire unencrypted'])
    assert.deepEqual([now.conversations.length, now.messages.length], [0, 0])
    lab.release(quiet)
    assert.ok((await deliver('now.test')).accepted)
  })

  /** A gateway that speaks in clear and keeps its connection; gives the code of each answer. */
  const connection = async () => {
    const client = await SmtpClient.connect(
      endpoints[0]!,
      new Recorder({ gatewayIs: 'sender', sender: 'gateway', receiver: 'partner' }),
    )
    await client.reply()
    const say = async (line: string) => (await client.command(line)).code
    const send = async (domain: string) => {
      const codes = [await say('MAIL FROM:<a@gateway.test>'), await say(`RCPT TO:<b@${domain}>`)]
      if (codes[1] !== 250) return codes.at(-1)
      await say('DATA')
      return (await client.content('Subject: x\r\n\r\nx\r\n')).code
    }
    await say('EHLO mx.gateway.test')
    return { say, send, close: () => client.close() }
  }

  it('records unencrypted mail that must use TLS, on a connection that the gateway kept from an earlier partner', async () => {
    const former = await partner('former.test')
    const kept = await connection()
    assert.equal(await kept.send('former.test'), 250)
    lab.release(former)
    const now = await partner('now.forced.test')
    assert.equal(await kept.send('now.forced.test'), 421)
    assert.deepEqual([former.messages.length, former.conversations.length], [1, 1])
    const { kind, detail } = nothingInClear(now.conversations, 'token-1')
    assert.deepEqual([now.messages.length, kind, detail], [0, 'broken', 'MAIL crossed the wire unencrypted'])
  })

  it('records it also while both partners have addresses', async () => {
    const [one, other] = await Promise.all([partner('a.test'), partner('b.other.test')])
    const kept = await connection()
    assert.equal(await kept.send('a.test'), 250)
    assert.equal(await kept.send('b.other.test'), 421)
    assert.equal(nothingInClear(other.conversations, 'token-1').kind, 'broken')
    assert.equal(one.conversations.length, 1)
  })

  it('does not record it if TLS is opportunistic', async () => {
    const former = await partner('former.test')
    const kept = await connection()
    await kept.send('former.test')
    lab.release(former)
    const now = await partner('now.test')
    assert.equal(await kept.send('now.test'), 421)
    assert.equal(now.conversations.length, 0)
  })

  it('knows the gateway by what it says, whatever its name in EHLO is', async () => {
    const former = await partner('former.test')
    await deliver('former.test')
    lab.release(former)
    const now = await partner('now.forced.test')
    for (const last of ['MAIL FROM:<a@gateway.test>', 'VRFY b@former.test', 'VRFY b@now.forced.test']) {
      const talk = await connection()
      await talk.say('HELO fallback')
      await talk.say(last)
      talk.close()
    }
    await until(
      () => now.conversations.length === 2 && former.conversations.length === 2,
      [now, former],
      5_000,
    )
    assert.deepEqual([now.conversations.length, former.conversations.length, lab.strays], [2, 2, 1])
  })

  it('says that mail came to another address than the file names for it', async () => {
    const [, other] = await Promise.all([partner('a.test'), partner('b.other.test')])
    await deliver('b.other.test', endpoints[0])
    assert.match(
      other.misrouted ?? '',
      /^the gateway delivered at port \d+ of 127\.0\.0\.1, which is another/,
    )
    lab.release(other)
    const again = await partner('c.other.test')
    assert.equal(again.misrouted, undefined)
  })

  for (const [order, before] of Object.entries({ after: false, before: true }))
    it(`counts a connection ${order} the message without commands, or with another EHLO, as a stray`, async () => {
      const only = await partner('a.test')
      if (!before) await deliver('a.test')
      for (const talk of ['', 'EHLO monitor.example\r\nQUIT\r\n']) {
        const socket = connect(endpoints[0]!.port, endpoints[0]!.host)
        socket.once('data', () => socket.end(talk))
        await once(socket.resume(), 'close')
      }
      if (before) await deliver('a.test')
      await until(() => lab.strays === 2, [only], 5_000)
      assert.deepEqual([only.conversations.length, lab.strays], [1, 2])
    })

  it('refuses connections at an address that no partner has', async () => {
    const only = await partner('a.other.test')
    lab.release(only)
    const { stage, reply } = await deliver('a.other.test', endpoints[1]!)
    assert.deepEqual([stage, reply?.code, lab.strays], ['greeting', 421, 1])
  })

  it('says why it cannot listen', async () => {
    const taken = await Loopback.start(() => {})
    const other = new FixedLab(pki, [{ to: '*.test', tls: 'opportunistic', partner: [taken.endpoint] }])
    await assert.rejects(other.start(), { name: 'CannotListen', message: /EADDRINUSE/ })
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
