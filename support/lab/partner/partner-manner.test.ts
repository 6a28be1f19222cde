import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { connect, isIPv6 } from 'node:net'
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import { loadDimensions } from '../../circumstances/dimensions.ts'
import { nothingInClear } from '../../judgements/wire.ts'
import { standardFlow } from '../../mailflow/standard-flow.ts'
import { Pki } from '../../pki/pki.ts'
import { ReferenceGateway, reference } from '../../reference/gateway.ts'
import { compose } from '../../traffic/message.ts'
import { send } from '../../traffic/sending.ts'
import { Submission } from '../../traffic/submit-message.ts'
import { Recorder } from '../../wire/recorder.ts'
import { type ClientTls, SmtpClient } from '../../wire/smtp/smtp.ts'
import { until } from '../../wire/until.ts'
import { LoopbackLab } from '../loopback-lab.ts'
import type { Behaviour } from './behaviour.ts'
import type { Partner } from './partner.ts'
import { PARTNER_MANNERS, type PartnerManner } from './partner-manner.ts'

interface Visit {
  client: SmtpClient
  partner: Partner
}
interface Case {
  sees: (visit: Visit) => Promise<unknown>
  shows: unknown
}
/** A case for each value of each dimension. */
type Cases = { [K in keyof Required<PartnerManner>]: Record<`${NonNullable<PartnerManner[K]>}`, Case> }

describe('the manner of a partner', () => {
  const lab = new LoopbackLab(new Pki())
  const ends: (() => void)[] = []
  before(() => lab.start())
  after(() => lab.stop())
  afterEach(() => ends.splice(0).forEach(end => void end()))

  async function visited<T>(behaviour: Behaviour, sees: (visit: Visit) => Promise<T>): Promise<T> {
    const [partner] = await lab.partners([{ domain: 'd1.test', hosts: [behaviour] }])
    const { address, hostname } = partner!.hosts[0]!
    const recorder = new Recorder({ gatewayIs: 'receiver', sender: 'probe', receiver: hostname })
    const client = await SmtpClient.connect({ host: address, port: lab.port }, recorder)
    try {
      return await sees({ client, partner: partner! })
    } finally {
      client.close()
      lab.release(partner!)
    }
  }

  const greeting = async ({ client }: Visit) => (await client.reply()).lines
  const ehlo = async (visit: Visit) => {
    await greeting(visit)
    return (await visit.client.command('EHLO probe')).lines
  }
  const keywords = async (visit: Visit) => (await ehlo(visit)).slice(1)
  const said = async (visit: Visit, ...lines: string[]) => {
    await greeting(visit)
    const texts: string[] = []
    for (const line of lines) texts.push((await visit.client.command(line)).text)
    return texts
  }
  const secured = async (visit: Visit, tls: ClientTls = {}) => {
    await said(visit, 'EHLO probe', 'STARTTLS')
    await visit.client.startTls(tls)
    return visit.client.recorder.conversation.handshake!
  }
  /** Sizes of what the partner writes from its ServerHello on, in bytes, and of the encrypted records in it. */
  const flight = async (visit: Visit) => {
    await said(visit, 'EHLO probe', 'STARTTLS')
    const writes: number[] = []
    const records: number[] = []
    let bytes: Buffer = Buffer.alloc(0)
    const { recorder } = visit.client
    const { received } = recorder
    recorder.received = chunk => {
      writes.push(chunk.length)
      bytes = Buffer.concat([bytes, chunk])
      while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt16BE(3)) {
        if (bytes[0] === 23) records.push(bytes.readUInt16BE(3))
        bytes = bytes.subarray(5 + bytes.readUInt16BE(3))
      }
      received.call(recorder, chunk)
    }
    await visit.client.startTls({})
    return { writes, records }
  }
  const replies = (visit: Visit) => said(visit, 'NOOP', 'MAIL FROM:<a@probe.test>')
  const took = async (wait: Promise<unknown>) => {
    const began = performance.now()
    await wait
    return performance.now() - began
  }
  const lineAt = (place: number): Case => ({
    sees: async visit => (await keywords(visit)).indexOf('STARTTLS'),
    shows: place,
  })
  const replying = (...shows: string[]): Case => ({ sees: replies, shows })
  const without = (deliveryEvents: string): Case => ({
    sees: async visit => (await keywords(visit)).some(line => line.startsWith(deliveryEvents)),
    shows: false,
  })
  const offering = (...words: string[]): Case => ({
    sees: async visit => (await keywords(visit)).filter(line => /^(CHUNKING|DSN|SMTPUTF8)$/.test(line)),
    shows: words,
  })
  const size = (line: string): Case => ({
    sees: async visit => (await keywords(visit)).find(deliveryEvents => deliveryEvents.startsWith('SIZE')),
    shows: line,
  })
  const agreed = (version: string, group: string): Case => ({
    sees: async visit => {
      const handshake = await secured(visit, { maxVersion: version as 'TLSv1.2' })
      return [handshake.version, handshake.group]
    },
    shows: [version, group],
  })
  /** A TLS session of Node's own client. */
  const session = async ({ hosts: [host] }: Partner, options: ConnectionOptions = {}): Promise<TLSSocket> => {
    const socket = connect({ host: host!.address, port: lab.port })
    await once(socket, 'data')
    socket.write('STARTTLS\r\n')
    await once(socket, 'data')
    const ca = await lab.pki.root()
    const secure = tlsConnect({
      socket,
      ca,
      servername: 'mx.d1.test',
      checkServerIdentity: () => undefined,
      ...options,
    })
    ends.push(() => secure.destroy())
    await once(secure, 'secureConnect')
    return secure
  }
  /** Of a new session: what resumes it, and the length of the ticket in bytes. */
  const ticketIn = async (partner: Partner, options: ConnectionOptions = {}) => {
    const secure = await session(partner, options)
    const [saved] = secure.getProtocol() === 'TLSv1.3' ? await once(secure, 'session') : [secure.getSession()]
    return { saved, length: secure.getTLSTicket()?.length ?? 0 }
  }
  const keyOf = (...shows: unknown[]): Case => ({
    sees: async ({ partner }) => {
      const { publicKey } = (await session(partner)).getPeerX509Certificate()!
      const { asymmetricKeyType, asymmetricKeyDetails } = publicKey
      const [conversation] = partner.conversations.slice(-1)
      const recorded = () => conversation?.handshake?.serverCertificate
      assert.ok(await until(() => recorded() !== undefined, [partner], 5_000))
      return [
        asymmetricKeyType,
        asymmetricKeyDetails?.modulusLength ?? asymmetricKeyDetails?.namedCurve,
        recorded()?.chainLength,
      ]
    },
    shows: [...shows, 2],
  })
  const chainOf = (length: number): Case => ({
    sees: async visit => {
      const { serverCertificate } = await secured(visit)
      const { handshake } = visit.partner.conversations[0]!
      return [serverCertificate?.chainLength, handshake?.serverCertificate?.chainLength]
    },
    shows: [length, length],
  })
  const LONG = (text: string) => `${text}, and this is a long reply`.padEnd(510, '.').slice(0, 300)

  /** Addresses of the mail exchangers in their order, and whether somebody listens there. */
  const exchangers = async () => {
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${lab.dnsPort}`])
    const found = await resolver.resolveMx('d1.test')
    const names = found.sort((one, other) => one.priority - other.priority).map(({ exchange }) => exchange)
    return Promise.all(
      names.map(async name => {
        const [address] = await resolver.resolve4(name).catch(() => resolver.resolve6(name))
        const socket = connect({ host: address, port: lab.port })
        const open = await once(socket, 'connect').then(
          () => 'open',
          error => error.code,
        )
        socket.destroy()
        return `${isIPv6(address!) ? address : name}: ${open}`
      }),
    )
  }

  const cases: Cases = {
    place: {
      'at its second mail exchanger': {
        sees: exchangers,
        shows: ['mx0.d1.test: ECONNREFUSED', 'mx.d1.test: open'],
      },
      'at an IPv6 address': { sees: exchangers, shows: ['::1: open'] },
    },
    greeting: {
      'in three lines': { sees: async visit => (await greeting(visit)).length, shows: 3 },
      'in lower case': { sees: greeting, shows: ['mx.d1.test esmtp ready'] },
      'without ESMTP': { sees: greeting, shows: ['mx.d1.test ready'] },
      'after 150 ms': { sees: async visit => (await took(greeting(visit))) > 120, shows: true },
    },
    starttlsPlace: { first: lineAt(0), 'in the middle': lineAt(2) },
    keywordCase: {
      'all in lower case': {
        sees: keywords,
        shows: ['pipelining', '8bitmime', 'enhancedstatuscodes', 'size 2097152', 'starttls'],
      },
      'STARTTLS in lower case': { sees: async visit => (await keywords(visit)).at(-1), shows: 'starttls' },
      'STARTTLS in mixed case': { sees: async visit => (await keywords(visit)).at(-1), shows: 'StartTLS' },
    },
    ehloLines: {
      'keywords that nobody knows': {
        sees: keywords,
        shows: [
          'X-STARTTLS-LATER',
          'PIPELINING',
          '8BITMIME',
          'ENHANCEDSTATUSCODES',
          'SIZE 2097152',
          '3FUTURE A=1 B=TWO',
          'STARTTLSX',
          'X-SIZE 1',
          'STARTTLS',
        ],
      },
      '100 lines': { sees: async visit => (await ehlo(visit)).length, shows: 100 },
      'text behind the host name': {
        sees: async visit => (await ehlo(visit))[0],
        shows: 'mx.d1.test greets its visitor',
      },
    },
    withholds: {
      PIPELINING: without('PIPELINING'),
      '8BITMIME': without('8BITMIME'),
      SIZE: without('SIZE'),
      ENHANCEDSTATUSCODES: without('ENHANCEDSTATUSCODES'),
    },
    offers: {
      CHUNKING: offering('CHUNKING'),
      DSN: offering('DSN'),
      SMTPUTF8: offering('SMTPUTF8'),
      'CHUNKING, DSN and SMTPUTF8': offering('CHUNKING', 'DSN', 'SMTPUTF8'),
    },
    size: { 0: size('SIZE 0'), 10737418240: size('SIZE 10737418240'), 'without a number': size('SIZE') },
    replies: {
      'without enhanced status codes': replying('250 Still here', '503 Greet first'),
      'in lower case': replying('250 2.0.0 still here', '503 5.5.1 greet first'),
      'in several lines': replying(
        '250 2.0.0 This reply / 2.0.0 has three lines: / 2.0.0 Still here',
        '503 5.5.1 This reply / 5.5.1 has three lines: / 5.5.1 Greet first',
      ),
      'of 512 octets': replying(LONG('250 2.0.0 Still here'), LONG('503 5.5.1 Greet first')),
    },
    recipientReply: {
      251: {
        sees: async visit =>
          (await said(visit, 'EHLO probe', 'MAIL FROM:<>', 'RCPT TO:<b@d1.test>')).at(-1)!.slice(0, 3),
        shows: '251',
      },
    },
    speed: {
      'reply to EHLO after 150 ms': { sees: async visit => (await took(ehlo(visit))) > 120, shows: true },
      'go-ahead after 150 ms': {
        sees: async visit => (await took(said(visit, 'EHLO probe', 'STARTTLS'))) > 120,
        shows: true,
      },
      'reply to the content after 150 ms': {
        sees: async visit => {
          await said(visit, 'EHLO probe', 'MAIL FROM:<>', 'RCPT TO:<b@d1.test>', 'DATA')
          return (await took(visit.client.command('.'))) > 120
        },
        shows: true,
      },
      'replies in single bytes': {
        sees: async ({ client, partner }) => {
          const sizes: number[] = []
          const [conversation] = partner.conversations
          assert.ok(conversation)
          const { received } = client.recorder
          client.recorder.received = chunk => {
            sizes.push(chunk.length)
            received.call(client.recorder, chunk)
          }
          await replies({ client, partner })
          return Math.max(...sizes) < 10
        },
        shows: true,
      },
    },
    close: {
      'left to the gateway for 2 s': {
        sees: async visit => {
          await said(visit, 'QUIT')
          return await visit.client.reply(500).then(
            () => 'a reply',
            error => error.breakdown,
          )
        },
        shows: 'no answer',
      },
    },
    tlsWrites: {
      'records of 512 bytes': {
        sees: async visit => Math.max(...(await flight(visit)).records),
        shows: 512 + 1 + 16,
      },
      'pieces of 100 bytes': {
        // Some writes may come together.
        sees: async visit => Math.max(...(await flight(visit)).writes) < 1_000,
        shows: true,
      },
    },
    tlsVersion: {
      'TLS 1.2 at most': { sees: async visit => (await secured(visit)).version, shows: 'TLSv1.2' },
    },
    group: {
      X25519: agreed('TLSv1.3', 'X25519'),
      'P-256': agreed('TLSv1.3', 'P-256'),
      'P-384': agreed('TLSv1.2', 'P-384'),
    },
    clientCertificate: {
      'asked for': { sees: async visit => (await secured(visit)).clientCertificateRequested, shows: true },
      'asked for without names of authorities': {
        sees: async visit => (await secured(visit)).clientCertificateRequested,
        shows: true,
      },
    },
    certificateKey: {
      'RSA 3072': keyOf('rsa', 3072),
      'RSA 4096': keyOf('rsa', 4096),
      'ECDSA P-256': keyOf('ec', 'prime256v1'),
      'ECDSA P-384': keyOf('ec', 'secp384r1'),
      Ed25519: keyOf('ed25519', undefined),
    },
    certificateChoice: {
      'by server name': {
        sees: async ({ partner }) => {
          const named = await session(partner)
          const unnamed = await session(partner, { servername: undefined })
          return [named, unnamed].map(one => one.getPeerX509Certificate()?.subject)
        },
        shows: ['CN=d1.test', 'CN=other-d1.test'],
      },
    },
    certificateChain: {
      'with its root': chainOf(3),
      'with its root as an expired authority signed it': chainOf(4),
      'with a certificate of another chain': chainOf(3),
    },
    tickets: {
      'short ones': {
        sees: async ({ partner }) => [
          (await ticketIn(partner, { maxVersion: 'TLSv1.2' })).length,
          (await ticketIn(partner)).length,
        ],
        shows: [0, 32],
      },
      'taken again': {
        sees: async ({ partner }) => {
          const seen: boolean[] = []
          for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
            const { saved } = await ticketIn(partner, { maxVersion })
            seen.push((await session(partner, { maxVersion, session: saved })).isSessionReused())
          }
          return seen
        },
        shows: [true, true],
      },
    },
  }

  for (const [dimension, values] of Object.entries(cases))
    for (const [value, { sees, shows }] of Object.entries(values)) {
      const manner = { [dimension]: /^\d+$/.test(value) ? Number(value) : value } as PartnerManner
      it(`has ${dimension} ${value} on the wire`, async () => {
        assert.deepEqual(await visited({ manner }, sees), shows)
        // A busy machine may once be as slow as a slow partner.
        let plain: unknown = shows
        for (let n = 0; n < 5 && isDeepStrictEqual(plain, shows); n++) plain = await visited({}, sees)
        assert.notDeepEqual(plain, shows)
      })
    }

  it('is known where the circumstances of the package set it', () => {
    const known: Record<string, readonly unknown[]> = PARTNER_MANNERS
    const set = loadDimensions().flatMap(({ values }) =>
      values.flatMap(({ sets }) => Object.entries(sets.partner ?? {})),
    )
    assert.ok(set.length > 0)
    for (const [key, value] of set) assert.ok(known[key]?.includes(value), `${key}: ${value}`)
  })

  it('is the same on every connection, whatever faults the behaviour limits', async () => {
    const manner = { starttlsPlace: 'first' } as const
    for (const limited of [
      { times: 1 },
      { spares: 1 },
      { times: 1, always: { starttls: { hides: true } } },
    ]) {
      const hosts = [{ greeting: 'refuses (554)', ...limited, manner } as const]
      const partner = await lab.partner({ domain: 'd1.test', hosts })
      const [host] = partner.hosts
      const met = [host!.next(), host!.next()].map(({ behaviour }) => behaviour)
      assert.deepEqual(
        met.map(({ manner }) => manner),
        [manner, manner],
      )
      assert.equal(met.filter(({ greeting }) => greeting).length, 1)
    }
  })

  describe('with CHUNKING', () => {
    const manner = { offers: 'CHUNKING' } as const
    const ENVELOPE = ['EHLO probe', 'MAIL FROM:<a@probe.test>', 'RCPT TO:<b@d1.test>']
    const chunks = async ({ client }: Visit, ...texts: string[]) => {
      const codes: number[] = []
      for (const [i, text] of texts.entries()) {
        const line = `BDAT ${text.length}${i === texts.length - 1 ? ' LAST' : ''}`
        client.write(`${line}\r\n${text}`, line)
        codes.push((await client.reply()).code)
      }
      return codes
    }
    const received = ({ partner }: Visit) => partner.messages.map(({ content, to }) => [content, to])
    const events = ({ partner }: Visit, kind: string) =>
      partner.conversations[0]!.events.filter(event => event.kind === kind)

    for (const inTls of [false, true])
      it(`takes a message in several chunks as it is, ${inTls ? 'inside TLS' : 'unencrypted'}`, () =>
        visited({ manner }, async visit => {
          if (inTls) await secured(visit)
          else await greeting(visit)
          for (const line of ENVELOPE) await visit.client.command(line)
          assert.deepEqual(
            await chunks(visit, 'Subject: one\r\n', '.\r\n..two\r', '', '\nthree'),
            [250, 250, 250, 250],
          )
          assert.deepEqual(received(visit), [['Subject: one\r\n.\r\n..two\r\nthree', ['b@d1.test']]])
          const commands = events(visit, 'command').filter(({ text }) => text.startsWith('BDAT'))
          assert.deepEqual(
            commands.map(({ text, secured }) => [text, secured]),
            ['BDAT 14', 'BDAT 9', 'BDAT 0', 'BDAT 6 LAST'].map(text => [text, inTls]),
          )
          assert.deepEqual(
            events(visit, 'content').map(({ text, secured }) => [text, secured]),
            [['message of 29 bytes', inTls]],
          )
          const { clear } = visit.partner.conversations[0]!
          assert.equal(clear.fromSender.includes('Subject: one'), !inTls)
          assert.equal(clear.fromSender.includes('BDAT'), !inTls)
          const judged = nothingInClear(visit.partner.conversations, 'no token')
          assert.equal(judged.kind, inTls ? 'kept' : 'broken')
          const chunk = { ...visit.partner.conversations[0]!, clear: { fromSender: '', fromReceiver: '' } }
          chunk.events = chunk.events.filter(({ text }) => !/^(MAIL|RCPT)/.test(text))
          assert.equal(nothingInClear([chunk], 'no token').kind, inTls ? 'kept' : 'broken')
        }))

    it('takes what is pipelined, in whatever pieces it comes', () =>
      visited({ manner }, async visit => {
        await greeting(visit)
        const all = `${ENVELOPE.join('\r\n')}\r\nBDAT 5\r\none\r\nBDAT 5 LAST\r\ntwo\r\nNOOP\r\n`
        for (const byte of all) visit.client.write(byte)
        const codes: number[] = []
        for (let i = 0; i < 6; i++) codes.push((await visit.client.reply()).code)
        assert.deepEqual(codes, [250, 250, 250, 250, 250, 250])
        assert.deepEqual(received(visit), [['one\r\ntwo\r\n', ['b@d1.test']]])
      }))

    const refuses = (at: 'DATA' | 'content') => ({ transaction: { refuses: { at, reply: '451 4.7.5 no' } } })
    for (const [what, behaviour, envelope, codes] of [
      ['without a recipient', {}, ENVELOPE.slice(0, 2), [503, 503]],
      ['where it refuses DATA', refuses('DATA'), ENVELOPE, [451, 503]],
      ['where it refuses the message', refuses('content'), ENVELOPE, [250, 451]],
    ] as const)
      it(`drops chunks ${what}`, () =>
        visited({ ...behaviour, manner }, async visit => {
          await greeting(visit)
          for (const line of envelope) await visit.client.command(line)
          assert.deepEqual(await chunks(visit, 'NOOP\r\n', 'QUIT\r\n'), codes)
          assert.deepEqual(received(visit), [])
          assert.equal((await visit.client.command('NOOP')).code, 250)
        }))

    it('has BDAT and DATA in one message refused, and wants a number', () =>
      visited({ manner }, async visit => {
        await greeting(visit)
        for (const line of ENVELOPE) await visit.client.command(line)
        visit.client.write('BDAT 2\r\nab')
        assert.equal((await visit.client.reply()).code, 250)
        assert.equal((await visit.client.command('DATA')).code, 503)
        assert.equal((await visit.client.command('BDAT many LAST')).code, 501)
      }))

    it('cuts the connection in the middle of a chunk when told to', () =>
      visited({ transaction: { cutsAfter: 20 }, manner }, async visit => {
        await greeting(visit)
        for (const line of ENVELOPE) await visit.client.command(line)
        await assert.rejects(chunks(visit, 'x'.repeat(15), 'y'.repeat(15)))
        assert.deepEqual(received(visit), [])
      }))
  })

  describe('and the reference gateway', () => {
    let gateway: ReferenceGateway
    let submission: Submission
    before(async () => {
      const network = { resolver: `127.0.0.1:${lab.dnsPort}`, partnerPort: lab.port }
      gateway = await ReferenceGateway.start(await standardFlow(reference(), { pki: lab.pki, network }))
      submission = new Submission(gateway.submission, gateway.flow.hostname)
    })
    after(async () => {
      submission.close()
      await gateway.stop()
    })

    for (const [dimension, values] of Object.entries(cases))
      for (const value of Object.keys(values)) {
        const manner = { [dimension]: /^\d+$/.test(value) ? Number(value) : value } as PartnerManner
        it(`deliver one message over TLS with ${dimension} ${value}`, async () => {
          const domain = lab.freshDomain('*.verified.test')
          const [partner] = await lab.partners([{ domain, hosts: [{ manner }] }])
          ends.push(() => lab.release(partner!))
          const message = compose({ from: 'probe@gateway.test', to: [`inbox@${domain}`] })
          const [sent] = await send({ gateway, submission, message, partners: [partner!] })
          assert.deepEqual(
            sent!.arrivals.map(({ secured }) => secured),
            [true],
            JSON.stringify(sent!.deliveryEvents),
          )
          assert.deepEqual(
            sent!.conversations.map(({ closed, labError }) => [closed, labError]),
            [[true, undefined]],
          )
        })
      }
  })
})
