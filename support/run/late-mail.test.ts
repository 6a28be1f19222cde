import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import type { Message } from '../evidence/mail.ts'
import type { Arrival, Sent } from '../evidence/sent.ts'
import { Partner } from '../lab/partner/partner.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import type { WatchedMessage } from '../traffic/sending.ts'
import { broken, type Observation, refused } from '../verdicts/observation.ts'
import type { Deviation } from '../verdicts/verdict.ts'
import type { Conversation } from '../wire/conversation.ts'
import type { RuleExample } from './example.ts'
import { Aftermath, type LateMail, StandingMessages } from './late-mail.ts'
import { VerdictRecord } from './verdict-record.ts'

const EXAMPLE: RuleExample = {
  rule: {
    requirement: 'EXO-FRC-01',
    role: 'sender',
    name: 'a Rule',
    uri: 'features/a.feature',
    line: 4,
    description: '',
    examples: [],
  },
  title: 'no TLS',
  control: false,
}
const HELD = refused('deferred after 1 connection')
const LATE = broken('the message arrived unencrypted after the gateway had said that it is held back')

describe('the messages of an example', () => {
  const connection = (id: string, clear: string, more: Partial<Conversation> = {}) =>
    ({
      id,
      closed: true,
      events: [],
      clear: { fromSender: clear, fromReceiver: '' },
      ...more,
    }) as unknown as Conversation
  const inClear = (id: string) => connection(id, 'RCPT TO:<inbox@d1.forced.test>\r\nsecret token\r\n')
  const message = { token: 'token' } as Message
  const arrival = (secured: boolean) => ({ secured }) as Arrival
  const sent = (more: Partial<Sent>) =>
    ({
      message,
      recipient: 'inbox@d1.forced.test',
      arrivals: [],
      conversations: [],
      ...more,
    }) as unknown as Sent

  type Level = MailFlow['outbound'][number]['tls']
  /** Stands as `before`, and is `after` when it is looked at again. */
  function late(level: Level, before: Partial<Sent>, after: Partial<Sent>, external = false) {
    let seen = before
    const watched = {
      partner: { domain: 'd1.forced.test' },
      copies: [],
      seen: () => sent(seen),
    } as unknown as WatchedMessage
    const standing = new StandingMessages()
    standing.note([watched], { outbound: [{ to: '*.forced.test', tls: level }] } as MailFlow, { external })
    seen = after
    return standing.late({ between: 'one to other: ', evidence: () => [] })
  }

  const over = [arrival(true)]
  const rows: [
    what: string,
    level: Level,
    before: Partial<Sent>,
    after: Partial<Sent>,
    seen: RegExp | undefined,
  ][] = [
    ['held back and still so', 'encryption-only', {}, {}, undefined],
    [
      'held back and arrived',
      'encryption-only',
      {},
      { arrivals: over },
      /arrived over TLS after the gateway had said/,
    ],
    [
      'held back and in clear',
      'encryption-only',
      {},
      { conversations: [inClear('1')] },
      /after the gateway had said/,
    ],
    ['arrived and nothing since', 'opportunistic', { arrivals: over }, { arrivals: over }, undefined],
    [
      'arrived and again',
      'opportunistic',
      { arrivals: over },
      { arrivals: [...over, ...over] },
      /arrived again, over TLS/,
    ],
    [
      'arrived and crossed in clear',
      'opportunistic',
      { arrivals: over },
      { arrivals: over, conversations: [inClear('1')] },
      /crossed the wire again, unencrypted/,
    ],
    [
      'arrived after what crossed before',
      'opportunistic',
      { arrivals: over, conversations: [inClear('1')] },
      { arrivals: over, conversations: [inClear('1')] },
      undefined,
    ],
  ]
  for (const [what, level, before, after, seen] of rows)
    it(`are judged again: ${what}`, () => {
      const observed = late(level, before, after)!.observed()
      if (!seen) return assert.equal(observed, undefined)
      assert.ok(observed?.kind === 'broken')
      assert.match(observed.detail, seen)
      assert.ok(observed.detail.startsWith('one to other: '))
      assert.equal(`one to other: ${observed.symptom}`, observed.detail)
    })

  it('are not watched where they need not stay as they are', () => {
    assert.equal(late('opportunistic', {}, {}), undefined)
    assert.equal(late('encryption-only', { arrivals: [arrival(false)] }, {}), undefined)
    assert.equal(late('opportunistic', { arrivals: [...over, ...over] }, {}), undefined)
  })

  it('may cross in clear at an address where another partner has come since', () => {
    const after = { arrivals: over, conversations: [inClear('1')] }
    assert.equal(late('opportunistic', { arrivals: over }, after, true)!.observed(), undefined)
    assert.equal(late('encryption-only', { arrivals: over }, after, true)!.observed()?.kind, 'broken')
  })
})

describe('after an example', () => {
  /** A message that was held back, beside a control that held. */
  function heldBack(
    observed: () => Observation | undefined,
    more: Partial<LateMail> = {},
    deviations: Deviation[] = [],
  ) {
    const record = new VerdictRecord(loadCatalogue(), deviations)
    const aftermath = new Aftermath(record, 0)
    const add = (example: RuleExample) =>
      record.add('key', {
        ...{ example, scenario: 'features/a.feature:6', judged: record.judge(example, HELD), durationMs: 1 },
        seen: { conversations: [], notes: [], steps: [] },
      })
    add({ ...EXAMPLE, control: true })
    const verdict = add(EXAMPLE)
    aftermath.watch(EXAMPLE, verdict, { partners: [], observed, ...more })
    return { record, aftermath, verdict }
  }

  it('a message breaks the requirement that was held back and has gone out since', async () => {
    const { aftermath, verdict, record } = heldBack(() => LATE)
    assert.equal(verdict.verdict, 'conformant')
    await aftermath.settle()
    assert.deepEqual([verdict.verdict, verdict.detail], ['non-conformant', LATE.detail])
    assert.equal(record.verdicts.length, 2)
  })

  it('the same deviates where it is recorded', async () => {
    const recorded = {
      requirement: 'EXO-FRC-01',
      symptom: 'arrived unencrypted',
      why: 'it does',
      since: '2026-11-21',
    }
    const { aftermath, verdict } = heldBack(() => LATE, {}, [recorded])
    await aftermath.settle()
    assert.equal(verdict.verdict, 'deviates')
  })

  it('the verdict stays where nothing came', async () => {
    const { aftermath, verdict } = heldBack(() => undefined)
    await aftermath.settle()
    assert.deepEqual([verdict.verdict, verdict.detail], ['conformant', HELD.detail])
  })

  it('a message is looked at once', async () => {
    let asked = 0
    const { aftermath } = heldBack(() => {
      asked++
      return undefined
    })
    await aftermath.settle()
    await aftermath.settle()
    assert.equal(asked, 1)
  })

  it('a message that came only after the end of the examples is found where somebody looks again', async () => {
    let came = false
    const { aftermath, verdict } = heldBack(() => (came ? LATE : undefined))
    await aftermath.settle()
    came = true
    assert.equal(verdict.verdict, 'conformant')
    await aftermath.lookAgain()
    assert.equal(verdict.verdict, 'non-conformant')
  })

  it('a connection that is under way is awaited', async () => {
    const partner = new Partner('d1.forced.test', [])
    const conversation = { closed: false } as unknown as Partner['conversations'][number]
    partner.conversations.push(conversation)
    const { aftermath, verdict } = heldBack(() => (conversation.closed ? LATE : undefined), {
      partners: [partner],
    })
    const settled = aftermath.settle()
    await new Promise(resolve => setTimeout(resolve, 20))
    assert.equal(verdict.verdict, 'conformant')
    Object.assign(conversation, { closed: true })
    partner.changed()
    await settled
    assert.equal(verdict.verdict, 'non-conformant')
  })

  it('what other examples wait for is given back once it is known what became of the message', async () => {
    let given = ''
    const { aftermath, verdict } = heldBack(() => LATE, {
      giveBack: async () => {
        given = verdict.verdict
      },
    })
    await aftermath.settle()
    assert.deepEqual([verdict.verdict, given], ['non-conformant', 'non-conformant'])
  })

  it('the lab has failed where that cannot be given back', async () => {
    const giveBack = () => Promise.reject(new Error('it cannot be stopped'))
    const { aftermath, verdict } = heldBack(() => undefined, { giveBack })
    await aftermath.settle()
    assert.deepEqual([verdict.verdict, verdict.detail], ['lab-error', 'it cannot be stopped'])
  })

  it('nothing is awaited where no message is watched', async () => {
    const aftermath = new Aftermath(new VerdictRecord(loadCatalogue(), []), 5_000)
    const began = performance.now()
    await aftermath.settle()
    assert.ok(performance.now() - began < 4_000)
  })

  it('a refusal proves nothing any more where the control fails late', async () => {
    const { aftermath, verdict, record } = heldBack(() => undefined)
    const [control] = record.verdicts
    aftermath.watch({ ...EXAMPLE, control: true }, control!, { partners: [], observed: () => LATE })
    await aftermath.settle()
    assert.deepEqual([control!.verdict, verdict.verdict], ['non-conformant', 'inconclusive'])
  })
})
