import assert from 'node:assert/strict'
import { Pki } from '../../pki/pki.ts'
import { Recorder } from '../../wire/recorder.ts'
import { SmtpClient, WireError } from '../../wire/smtp/smtp.ts'
import { until } from '../../wire/until.ts'
import { LoopbackLab } from '../loopback-lab.ts'
import type {
  Behaviour,
  GreetingFault,
  HandshakeFault,
  StarttlsFault,
  TransactionFault,
} from './behaviour.ts'
import type { Partner } from './partner.ts'

interface Visit {
  client: SmtpClient
  partner: Partner
  /** For what does not come when the partner misbehaves, in ms. */
  wait: number
}
interface Case {
  behaviour: Behaviour
  probe: (visit: Visit) => Promise<unknown>
  shows: unknown
}

describe('a partner that misbehaves', () => {
  const lab = new LoopbackLab(new Pki())
  before(() => lab.start())
  after(() => lab.stop())

  async function visited(behaviour: Behaviour, probe: Case['probe'], wait: number) {
    const partner = await lab.partner({ domain: lab.freshDomain('*.test'), hosts: [behaviour] })
    const client = await call(partner)
    try {
      return await probe({ client, partner, wait })
    } finally {
      client.close()
    }
  }
  const call = ({ hosts: [host] }: Partner) =>
    SmtpClient.connect(
      { host: host!.address, port: lab.port },
      new Recorder({ gatewayIs: 'receiver', sender: 'probe', receiver: host!.hostname }),
    )

  function examples(cases: Record<string, Case>) {
    for (const [what, { behaviour, probe, shows }] of Object.entries(cases))
      it(`${what}, and does not when it behaves well`, async () => {
        assert.deepEqual(await visited(behaviour, probe, 300), shows)
        assert.notDeepEqual(await visited({}, probe, 5_000), shows)
      })
  }

  /** The code of a reply, or the way in which none came. */
  const outcome = (promise: Promise<unknown>) =>
    promise.then(
      reply => (reply as { code: number } | undefined)?.code ?? 'well',
      error => (error instanceof WireError ? error.breakdown : String(error)),
    )
  const codes = async ({ client }: Visit, ...lines: string[]) => {
    const all: unknown[] = []
    for (const line of lines) all.push(await outcome(client.command(line)))
    return all
  }
  const greeted = async ({ client, wait }: Visit, ...lines: string[]) => {
    const all = [await outcome(client.reply(wait))]
    for (const line of lines) {
      const reply = Promise.try(() => client.write(`${line}\r\n`)).then(() => client.reply(wait))
      all.push(await outcome(reply))
    }
    return all
  }
  const keywords = async ({ client }: Visit) => (await client.command('EHLO probe')).lines.slice(1)

  describe('in its greeting', () => {
    const cases: { [K in GreetingFault]: Case } = {
      'refuses (554)': {
        behaviour: { greeting: 'refuses (554)' },
        probe: visit => greeted(visit, 'EHLO probe', 'MAIL FROM:<>', 'QUIT'),
        shows: [554, 503, 503, 221],
      },
      'turns away (421)': {
        behaviour: { greeting: 'turns away (421)' },
        probe: visit => greeted(visit, 'EHLO probe'),
        shows: [421, 'connection closed'],
      },
      closes: { behaviour: { greeting: 'closes' }, probe: greeted, shows: ['connection closed'] },
      'goes silent': {
        behaviour: { greeting: 'goes silent' },
        probe: visit => greeted(visit, 'EHLO probe'),
        shows: ['no answer', 'no answer'],
      },
      'talks garbage': {
        behaviour: { greeting: 'talks garbage' },
        probe: greeted,
        shows: ['unexpected answer'],
      },
    }
    examples(cases)
  })

  describe('around STARTTLS', () => {
    const starttls = (fault: StarttlsFault) => ({ starttls: fault })
    const asked = async (visit: Visit) => {
      await visit.client.reply()
      const list = await keywords(visit)
      return [list.filter(word => /STARTTLS|^X/.test(word)), ...(await codes(visit, 'STARTTLS'))]
    }
    const refuses = (code: 421 | 454 | 500 | 502 | 554): Case => ({
      behaviour: starttls({ refuses: code }),
      probe: asked,
      shows: [['STARTTLS'], code],
    })
    const offered = (word: string) => async (visit: Visit) => {
      await visit.client.reply()
      const before = (await keywords(visit)).includes(word)
      await codes(visit, 'STARTTLS')
      await visit.client.startTls({})
      return [before, (await keywords(visit)).includes(word)]
    }
    const cases: { [K in keyof Required<StarttlsFault>]: Case } = {
      hides: { behaviour: starttls({ hides: true }), probe: asked, shows: [[], 500] },
      refuses: refuses(454),
      garbles: { behaviour: starttls({ garbles: true }), probe: asked, shows: [['XXXXXXXA'], 500] },
      demands: {
        behaviour: starttls({ demands: true }),
        probe: async visit => {
          const LINES = ['EHLO probe', 'MAIL FROM:<>', 'RCPT TO:<b@d1.test>', 'STARTTLS']
          const unencrypted = await greeted(visit, ...LINES)
          await visit.client.startTls({})
          return [unencrypted.slice(1), await codes(visit, 'EHLO probe', 'MAIL FROM:<>')]
        },
        shows: [
          [250, 530, 530, 220],
          [250, 250],
        ],
      },
      closes: {
        behaviour: starttls({ closes: true }),
        probe: asked,
        shows: [['STARTTLS'], 'connection closed'],
      },
      injects: {
        behaviour: starttls({ injects: '250-mx.evil.test\r\n250 AUTH PLAIN\r\n' }),
        probe: async visit => {
          await greeted(visit, 'EHLO probe', 'STARTTLS')
          // Read together with the 220: in the same segment.
          const injected = visit.client.unread.map(({ text }) => text)
          await visit.client.startTls({})
          return [injected, ...(await codes(visit, 'EHLO probe'))]
        },
        shows: [['250 mx.evil.test / AUTH PLAIN'], 250],
      },
      withholdsEhloReply: {
        behaviour: starttls({ withholdsEhloReply: 30 }),
        probe: async visit => {
          await greeted(visit, 'EHLO probe', 'STARTTLS')
          await visit.client.startTls({})
          visit.client.write('EHLO probe\r\nNOOP\r\n')
          return [(await visit.client.reply()).lines.length, (await visit.client.reply()).lines.length]
        },
        shows: [1, 5],
      },
      clearExtensions: {
        behaviour: starttls({ clearExtensions: ['AUTH PLAIN'] }),
        probe: offered('AUTH PLAIN'),
        shows: [true, false],
      },
      tlsExtensions: {
        behaviour: starttls({ tlsExtensions: ['AUTH PLAIN'] }),
        probe: offered('AUTH PLAIN'),
        shows: [false, true],
      },
    }
    examples({
      ...cases,
      'refuses (421)': {
        behaviour: starttls({ refuses: 421 }),
        probe: async visit => greeted(visit, 'EHLO probe', 'STARTTLS', 'EHLO probe'),
        shows: [220, 250, 421, 'connection closed'],
      },
      'refuses (500)': refuses(500),
      'refuses (502)': refuses(502),
      'refuses (554)': refuses(554),
    })
  })

  describe('in the handshake', () => {
    /** How the handshake ended; what came in clear after the 220; whether the partner had seen the ClientHello. */
    const begun = async (visit: Visit) => {
      const { client, partner, wait } = visit
      await greeted(visit, 'EHLO probe', 'STARTTLS')
      const end = await outcome(client.startTls({}, wait))
      const { clear, events, handshake } = client.recorder.conversation
      const record = partner.conversations[0]!
      await until(
        () => record.handshake?.offered !== undefined,
        [partner],
        end === 'well' || end === 'no answer' ? 5_000 : 0,
      )
      const alert = events.find(({ kind, from }) => kind === 'alert' && from === 'receiver')?.text
      return [
        end,
        clear.fromReceiver.split('Go ahead\\r\\n')[1] ||
          alert ||
          /ECONNRESET/.exec(handshake?.error ?? '')?.[0],
        record.handshake?.offered !== undefined,
      ]
    }
    it('answers byte by byte, and sees whether the gateway goes on', async () => {
      const seen = async (behaviour: Behaviour) => {
        let partner: Partner | undefined
        await visited(
          behaviour,
          async visit => {
            partner = visit.partner
            await visit.client.reply()
            await visit.client.command('STARTTLS')
            await outcome(visit.client.startTls({}, 5_000))
          },
          5_000,
        )
        await until(() => partner!.conversations[0]?.closed === true, [partner!], 5_000)
        const [{ events } = { events: [] }] = partner!.conversations
        return events.flatMap(({ kind, from, text }) =>
          from === 'sender' && (kind === 'alert' || kind === 'key-exchange') ? [text] : [],
        )
      }
      assert.deepEqual(await seen({ crafts: {} }), ['ClientKeyExchange'])
      assert.deepEqual(await seen({ crafts: { marked: true } }), ['fatal alert: illegal_parameter'])
      assert.deepEqual(await seen({}), [])
    })

    const fault = (handshake: HandshakeFault, ...shows: unknown[]): Case => ({
      behaviour: { handshake },
      probe: begun,
      shows,
    })
    const cases: { [K in HandshakeFault]: Case } = {
      closes: {
        behaviour: { handshake: 'closes' },
        probe: async visit => {
          const [end] = await begun(visit)
          const { events } = visit.partner.conversations[0]!
          const close = events.findIndex(({ kind }) => kind === 'close')
          const hello = events.findIndex(({ kind }) => kind === 'hello')
          return [end, close >= 0 && (hello < 0 || close < hello)]
        },
        shows: ['handshake failure', true],
      },
      resets: fault('resets', 'handshake failure', 'ECONNRESET', true),
      'talks garbage': fault(
        'talks garbage',
        'handshake failure',
        'this is no TLS record at all\\r\\n',
        true,
      ),
      alerts: fault('alerts', 'handshake failure', 'fatal alert: handshake_failure', true),
      'goes silent': fault('goes silent', 'no answer', undefined, true),
      'answers in clear': fault(
        'answers in clear',
        'handshake failure',
        '421 4.7.0 TLS is not for today\\r\\n',
        true,
      ),
    }
    examples(cases)
  })

  describe('in the transaction', () => {
    const LINES = ['EHLO probe', 'MAIL FROM:<a@probe.test>', 'RCPT TO:<b@d1.test>', 'DATA']
    const sent = async (visit: Visit) => {
      await greeted(visit, 'EHLO probe', 'STARTTLS')
      await visit.client.startTls({})
      const replies = await codes(visit, ...LINES)
      if (replies.at(-1) !== 354) return [replies, visit.partner.messages.length]
      replies.push(await outcome(visit.client.content('one\r\ntwo\r\nthree')))
      // What was refused is over too: RFC 5321 s4.1.1.4.
      replies.push(...(await codes(visit, 'DATA')))
      return [replies, visit.partner.messages.length]
    }
    const refuses = (at: 'MAIL' | 'RCPT' | 'DATA' | 'content', replies: unknown[]): Case => ({
      behaviour: { transaction: { refuses: { at, reply: '451 4.7.5 not now' } } },
      probe: sent,
      shows: [replies, 0],
    })
    const cases: { [K in keyof Required<TransactionFault>]: Case } = {
      refuses: refuses('MAIL', [250, 451, 503, 503]),
      cutsAfter: {
        behaviour: { transaction: { cutsAfter: 8 } },
        probe: async visit => {
          const result = await sent(visit)
          const { text } = visit.client.recorder.conversation.events.at(-1)!
          const cuts = visit.partner.conversations[0]!.events.filter(event =>
            /cut after/.test(event.text),
          ).length
          // Without close_notify: an error of the connection, not the end of a TLS session.
          return [...result, /ECONNRESET|gone/.test(text), cuts]
        },
        shows: [[250, 250, 250, 354, 'connection closed', 'connection closed'], 0, true, 1],
      },
    }
    examples({
      ...cases,
      'refuses a recipient': refuses('RCPT', [250, 250, 451, 503]),
      'refuses DATA': refuses('DATA', [250, 250, 250, 451]),
      'refuses the content': refuses('content', [250, 250, 250, 354, 451, 503]),
    })
  })

  for (const starttls of [{ refuses: 454 }, { refuses: 500 }, { garbles: true }, { hides: true }] as const)
    it(`takes unencrypted mail on the same connection when it ${JSON.stringify(starttls)}`, () =>
      visited(
        { starttls },
        async visit => {
          const LINES = ['EHLO probe', 'STARTTLS', 'MAIL FROM:<>', 'RCPT TO:<b@d1.test>', 'DATA', 'one\r\n.']
          assert.deepEqual((await greeted(visit, ...LINES)).slice(3), [250, 250, 354, 250])
          assert.equal(visit.partner.messages[0]?.secured, false)
        },
        5_000,
      ))

  describe('at EHLO', () => {
    examples({
      'knows no EHLO': {
        behaviour: { knowsNoEhlo: true },
        probe: visit => greeted(visit, 'EHLO probe', 'STARTTLS', 'HELO probe', 'MAIL FROM:<>'),
        shows: [220, 502, 502, 250, 250],
      },
    })
  })

  describe('by its silence', () => {
    const LINES = ['EHLO probe', 'MAIL FROM:<>', 'RCPT TO:<b@d1.test>', 'DATA', 'one\r\n.', 'QUIT']
    /** `codes`: of the answers that come, from the one to EHLO on. */
    const silentAt = (at: NonNullable<Behaviour['silentAt']>, ...codes: number[]): Case => ({
      behaviour: { silentAt: at },
      probe: async visit => {
        const [, ...replies] = await greeted(visit, 'EHLO probe', 'STARTTLS')
        if (replies.at(-1) === 220) await visit.client.startTls({})
        for (const line of LINES) {
          visit.client.write(`${line}\r\n`)
          replies.push(await outcome(visit.client.reply(visit.wait)))
        }
        return [...replies, visit.partner.messages.length]
      },
      shows: [...codes, ...Array(2 + LINES.length - codes.length).fill('no answer'), 0],
    })
    const cases: Record<NonNullable<Behaviour['silentAt']>, Case> = {
      EHLO: silentAt('EHLO'),
      STARTTLS: silentAt('STARTTLS', 250),
      'EHLO inside TLS': silentAt('EHLO inside TLS', 250, 220),
      MAIL: silentAt('MAIL', 250, 220, 250),
      RCPT: silentAt('RCPT', 250, 220, 250, 250),
      DATA: silentAt('DATA', 250, 220, 250, 250, 250),
      message: silentAt('message', 250, 220, 250, 250, 250, 354),
    }
    examples(cases)
  })

  it('misbehaves on as many connections as it was told', async () => {
    const partner = await lab.partner({
      domain: lab.freshDomain('*.test'),
      hosts: [{ greeting: 'refuses (554)', times: 2 }],
    })
    const greetings: number[] = []
    for (let n = 0; n < 3; n++) {
      const client = await call(partner)
      greetings.push((await client.reply()).code)
      client.close()
    }
    assert.deepEqual(greetings, [554, 554, 220])
  })
})
