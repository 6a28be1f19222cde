import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { nothingInClear } from '../../judgements/wire.ts'
import { Pki } from '../../pki/pki.ts'
import { Link } from '../../wire/link.ts'
import { TlsCarrier } from '../../wire/tls/tls-carrier.ts'
import { until } from '../../wire/until.ts'
import { LoopbackLab } from '../loopback-lab.ts'
import type { Behaviour } from './behaviour.ts'
import type { Partner } from './partner.ts'

/** A TLS record of a handshake that says nothing. */
const HELLO = Buffer.concat([Buffer.from('1603010040', 'hex'), Buffer.alloc(64)])

/** A client that goes on in the clear on the connection on which TLS has failed or ended. */
class CarelessClient {
  readonly #link: Link
  #heard = ''
  #wake = () => {}

  constructor(link: Link) {
    this.#link = link
    link.on('data', this.#hears)
  }

  static async of({ hosts: [host] }: Partner, port: number): Promise<CarelessClient> {
    const socket = connectTcp({ host: host!.address, port })
    await once(socket, 'connect')
    const client = new CarelessClient(new Link(socket, { received: () => {}, sent: () => {} }))
    await client.reply()
    return client
  }

  #hears = (bytes: Buffer): void => {
    this.#heard += bytes.toString('latin1')
    this.#wake()
  }

  /** The code of the next reply. */
  async reply(): Promise<string> {
    let end = /^\d{3} .*\r\n/m.exec(this.#heard)
    while (!end) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
      end = /^\d{3} .*\r\n/m.exec(this.#heard)
    }
    this.#heard = this.#heard.slice(end.index + end[0].length)
    return end[0].slice(0, 3)
  }

  async say(...lines: string[]): Promise<string[]> {
    const codes: string[] = []
    for (const line of lines) {
      this.#link.write(`${line}\r\n`)
      codes.push(await this.reply())
    }
    return codes
  }

  /** What comes of the handshake: the session, or nothing when the partner has broken it. */
  async startTls(options: ConnectionOptions = {}): Promise<TLSSocket | undefined> {
    this.#link.off('data', this.#hears)
    const unencrypted = Promise.withResolvers<undefined>()
    const carrier = new TlsCarrier(this.#link, {
      onUnencrypted: bytes => {
        this.#hears(bytes)
        unencrypted.resolve(undefined)
      },
    })
    const socket = connectTls({ socket: carrier, rejectUnauthorized: false, ...options })
    socket.on('error', () => unencrypted.resolve(undefined))
    socket.once('close', () => unencrypted.resolve(undefined))
    const ready = once(socket, 'secureConnect').then(() => socket)
    ready.catch(() => {})
    return Promise.race([ready, unencrypted.promise])
  }

  close(): void {
    this.#link.destroy()
  }
}

describe('a partner that stays', () => {
  const lab = new LoopbackLab(new Pki())
  before(() => lab.start())
  after(() => lab.stop())

  const MAIL = ['MAIL FROM:<a@probe.test>', 'RCPT TO:<b@d1.test>', 'DATA']

  async function visited(behaviour: Behaviour, visit: (client: CarelessClient) => Promise<void>) {
    const partner = await lab.partner({ domain: 'd1.test', hosts: [behaviour] })
    const client = await CarelessClient.of(partner, lab.port)
    assert.deepEqual(await client.say('EHLO probe', 'STARTTLS'), ['250', '220'])
    await visit(client)
    // It is the message that was given away, whatever became of it.
    assert.deepEqual(await client.say(...MAIL), ['250', '250', '354'])
    assert.deepEqual(await client.say('token-1\r\n.', 'STARTTLS', 'QUIT'), ['250', '454', '221'])
    client.close()
    const [conversation] = partner.conversations
    assert.ok(await until(() => conversation!.closed, [partner], 5_000))
    const unencrypted = conversation!.events.filter(({ secured, kind }) => kind === 'command' && !secured)
    assert.deepEqual(
      unencrypted.map(({ text }) => text),
      ['EHLO probe', 'STARTTLS', ...MAIL, 'STARTTLS', 'QUIT'],
    )
    assert.ok(conversation!.clear.fromSender.includes('token-1'))
    assert.deepEqual(
      partner.messages.map(({ content, secured }) => [content, secured]),
      [['token-1\r\n', false]],
    )
    assert.equal(conversation!.labError, undefined)
    assert.equal(nothingInClear(partner.conversations, 'token-1').kind, 'broken')
    return conversation!
  }

  for (const handshake of ['closes', 'talks garbage', 'alerts', 'answers in clear'] as const)
    it(`takes unencrypted mail after a handshake in which it ${handshake}`, async () => {
      const conversation = await visited({ handshake, stays: true }, async client => {
        assert.equal(await client.startTls(), undefined)
        if (handshake === 'answers in clear') assert.equal(await client.reply(), '421')
      })
      assert.ok(conversation.handshake?.offered)
      assert.ok(conversation.events.some(({ text }) => text.startsWith('stays ')))
    })

  it('takes unencrypted mail from a client that does not wait for its answer to the ClientHello', async () => {
    const conversation = await visited({ handshake: 'goes silent', stays: true }, async client => {
      void client.startTls()
    })
    assert.ok(conversation.events.some(({ text }) => text === 'says nothing to the ClientHello'))
  })

  it('takes unencrypted mail after a handshake that the client has failed', async () => {
    const conversation = await visited({ tls: { maxVersion: 'TLSv1.2' }, stays: true }, async client => {
      assert.equal(await client.startTls({ minVersion: 'TLSv1.3' }), undefined)
    })
    assert.ok(conversation.handshake?.error)
  })

  it('takes unencrypted mail after a handshake in which a client certificate was missing', async () => {
    const conversation = await visited(
      { tls: { clientCertificate: 'requires', maxVersion: 'TLSv1.2' }, stays: true },
      async client => assert.equal(await client.startTls(), undefined),
    )
    assert.ok(conversation.handshake?.error)
  })

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
    it(`takes unencrypted mail after ${maxVersion} has ended with close_notify`, async () => {
      const conversation = await visited({ tls: { presents: ['expired'] }, stays: true }, async client => {
        const socket = await client.startTls({ maxVersion })
        assert.ok(socket)
        socket.write('EHLO probe\r\n')
        await once(socket, 'data')
        socket.end()
        await once(socket, 'close')
      })
      const inside = conversation.events.filter(({ secured, kind }) => kind === 'command' && secured)
      assert.deepEqual(
        inside.map(({ text }) => text),
        ['EHLO probe'],
      )
    })

  it('outlives a client that resets the connection after a broken handshake', async () => {
    const partner = await lab.partner({ domain: 'd1.test', hosts: [{ handshake: 'alerts', stays: true }] })
    const socket = connectTcp({ host: partner.hosts[0]!.address, port: lab.port })
    for (const line of ['EHLO probe\r\n', 'STARTTLS\r\n', HELLO]) {
      await once(socket, 'data')
      socket.write(line)
    }
    await once(socket, 'data')
    socket.resetAndDestroy()
    assert.ok(await until(() => partner.conversations[0]!.closed, [partner], 5_000))
  })

  it('takes unencrypted mail in the middle of a session', async () => {
    await visited({ stays: true }, async client => {
      assert.ok(await client.startTls())
    })
  })

  it('is an ordinary partner as long as TLS lasts', async () => {
    const partner = await lab.partner({ domain: 'd1.test', hosts: [{ stays: true }] })
    const client = await CarelessClient.of(partner, lab.port)
    await client.say('EHLO probe', 'STARTTLS')
    const socket = await client.startTls()
    const codes: string[] = []
    for (const line of ['EHLO probe', ...MAIL, 'one\r\n.', 'QUIT']) {
      socket!.write(`${line}\r\n`)
      codes.push(String((await once(socket!, 'data'))[0]).slice(0, 3))
    }
    assert.deepEqual(codes, ['250', '250', '250', '354', '250', '221'])
    await once(socket!, 'close')
    const [conversation] = partner.conversations
    assert.ok(await until(() => conversation!.closed, [partner], 5_000))
    assert.equal(partner.messages[0]?.secured, true)
    assert.equal(nothingInClear(partner.conversations, 'one').kind, 'kept')
  })
})
