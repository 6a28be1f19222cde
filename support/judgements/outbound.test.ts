import { deepEqual } from 'node:assert/strict'
import type { Sent } from '../evidence/sent.ts'
import {
  arrival,
  conversation,
  HELLO,
  held,
  IN_CLEAR,
  inClear,
  LEFT,
  MESSAGE,
  OVER_TLS,
  sent,
  table,
} from '../test-bed/fixtures/evidence.ts'
import { kept } from '../verdicts/observation.ts'
import {
  arrivesAt,
  arrivesInClear,
  arrivesInClearOr,
  arrivesOnce,
  arrivesOverHighest,
  arrivesOverTls,
  doesNotArrive,
  forEachCopy,
  isStillUnderWay,
  judgeLater,
  ownRecipientsAlone,
  staysQueued,
  staysQueuedBecause,
  suitesOffered,
  wasSentAgain,
  wasSentLater,
} from './outbound.ts'

const recipient = MESSAGE.to[0]!
const unencrypted: Partial<Sent> = { arrivals: [arrival({ secured: false })], conversations: [inClear()] }
const tls12 = conversation(OVER_TLS, {
  handshake: { version: 'TLSv1.2', suite: 'TLS_RSA_WITH_AES_128_CBC_SHA' },
})
/** As the tap sees a session: what was said inside TLS is not known. */
const onPath = (version = 'TLSv1.3') =>
  conversation(OVER_TLS.filter(line => !/^(==>|<==)/.test(line)).concat('<== {established}'), {
    overheard: true,
    handshake: { version, suite: 'suite' },
  })
const bounced = (reason = 'TLS is required') => [{ kind: 'bounced' as const, recipient, reason }]
const deferred = (reason: string) => [{ kind: 'deferred' as const, recipient, reason }]
const delivered = [{ kind: 'delivered' as const, recipient, reason: '250 Taken' }]
/** The gateway was offered TLS, began it and gave up. */
const BROKEN_OFF = [...OVER_TLS.slice(0, 7), '--> {close}']
const OFFERED = ['<-- 220 mx', '--> EHLO g', '<-- 250 STARTTLS', '--> QUIT', '<-- 221 Bye']
const RETRIED = [...LEFT.slice(0, 3), '--> MAIL FROM:<probe@gateway.test>', '<-- 250 Noted']

/** What every judgement of an arrival says where nothing arrived. */
const notArrived = (judgement: (one: Sent) => ReturnType<typeof arrivesOverTls>) =>
  [
    [
      'the gateway did not take the message',
      judgement(held({ refusal: '550 no' })),
      'unclear',
      /did not accept the message that it was to send: 550 no/,
    ],
    [
      'the gateway deferred it',
      judgement(held()),
      'broken',
      /did not arrive: deferred after 1 connection: TLS is required/,
    ],
    [
      'the gateway returned it',
      judgement(held({ deliveryEvents: bounced() })),
      'broken',
      /did not arrive: bounced after 1 connection/,
    ],
    [
      'the gateway says delivered',
      judgement(held({ deliveryEvents: delivered })),
      'broken',
      /says delivered, but nothing arrived/,
    ],
    [
      'the gateway lost it',
      judgement(held({ deliveryEvents: [], lost: true })),
      'broken',
      /the message is lost/,
    ],
    [
      'a gateway that says nothing was quiet',
      judgement(held({ deliveryEvents: [], quiet: 2_000 })),
      'broken',
      /did not arrive after 1 connection: nothing more came within 2 s/,
    ],
    ['nothing is known of it', judgement(held({ deliveryEvents: [] })), 'unclear', /said nothing about it/],
    [
      'the gateway never made a connection for it',
      judgement(held({ deliveryEvents: [], conversations: [], noConnection: 50_000 })),
      'broken',
      /accepted the message and made no connection to the partner within 50 s/,
    ],
    [
      'the partner was flooded',
      judgement(held({ partner: { ...sent().partner, flooded: true } })),
      'unclear',
      /more came to the partner/,
    ],
    [
      'the second server may be the reason',
      judgement(held({ excuse: 'the second server lost it' })),
      'unclear',
      /the second server lost it/,
    ],
  ] as const

describe('judging whether a message arrived over TLS', () => {
  table([
    ['over TLS', arrivesOverTls(sent()), 'kept', /over TLS 1\.3 with TLS_AES_256_GCM_SHA384/],
    ['in the clear', arrivesOverTls(sent(unencrypted)), 'broken', /arrived unencrypted/],
    [
      'over TLS and once more in the clear',
      arrivesOverTls(sent({ arrivals: [arrival(), arrival({ secured: false })] })),
      'broken',
      /arrived unencrypted/,
    ],
    [
      'over TLS after MAIL had crossed in the clear',
      arrivesOverTls(sent({ conversations: [conversation(RETRIED), conversation(OVER_TLS)] })),
      'broken',
      /MAIL crossed the wire unencrypted/,
    ],
    [
      'not at all, after MAIL had crossed in the clear',
      arrivesOverTls(held({ conversations: [conversation(RETRIED)] })),
      'broken',
      /MAIL crossed/,
    ],
    [
      'not at all and with an excuse, after MAIL had crossed in the clear',
      arrivesOverTls(held({ excuse: 'x', conversations: [conversation(RETRIED)] })),
      'broken',
      /MAIL crossed/,
    ],
    ['with the version that is asked for', arrivesOverTls(sent(), { version: 'TLSv1.3' }), 'kept'],
    [
      'with another version',
      arrivesOverTls(sent({ conversations: [tls12] }), { version: 'TLSv1.3' }),
      'broken',
      /over TLS 1\.2, not TLS 1\.3/,
    ],
    ['with the suite that is asked for', arrivesOverTls(sent(), { suite: 'TLS_AES_256_GCM_SHA384' }), 'kept'],
    [
      'with another suite',
      arrivesOverTls(sent({ conversations: [tls12] }), { suite: 'TLS_AES_256_GCM_SHA384' }),
      'broken',
      /with TLS_RSA_WITH_AES_128_CBC_SHA, not/,
    ],
    [
      'on the last of several connections',
      arrivesOverTls(sent({ conversations: [tls12, conversation(OVER_TLS)] }), { version: 'TLSv1.3' }),
      'kept',
    ],
    [
      'past the tap, in one of two sessions',
      arrivesOverTls(sent({ conversations: [onPath(), onPath('TLSv1.2')] }), { version: 'TLSv1.3' }),
      'broken',
      /over TLS 1\.2/,
    ],
    [
      'past the tap, in a session of another version beside the asked one',
      arrivesOverTls(sent({ conversations: [onPath('TLSv1.2'), onPath()] }), { version: 'TLSv1.3' }),
      'broken',
      /over TLS 1\.2/,
    ],
    [
      'past the tap, in one of two sessions with another suite',
      arrivesOverTls(
        sent({ conversations: [onPath(), conversation(OVER_TLS.slice(0, 8), { overheard: true })] }),
        { suite: 'suite' },
      ),
      'broken',
      /with TLS_AES_256_GCM_SHA384, not suite/,
    ],
    [
      'not at all: deferred first and returned then',
      arrivesOverTls(held({ deliveryEvents: [...deferred('x'), ...bounced()] })),
      'broken',
      /did not arrive: bounced/,
    ],
    ...notArrived(arrivesOverTls),
  ])
})

describe('judging whether a message arrived in the clear', () => {
  table([
    ['in the clear', arrivesInClear(sent(unencrypted)), 'kept'],
    ['over TLS', arrivesInClear(sent()), 'broken', /over TLS, not unencrypted/],
    [
      'in the clear and over TLS',
      arrivesInClear(sent({ arrivals: [arrival({ secured: false }), arrival()] })),
      'broken',
      /over TLS/,
    ],
    ...notArrived(arrivesInClear),
  ])
})

const notHeldBack = (judgement: (one: Sent) => ReturnType<typeof doesNotArrive>) =>
  [
    [
      'the gateway did not take the message',
      judgement(held({ refusal: '550 no' })),
      'unclear',
      /did not accept/,
    ],
    ['the message arrived over TLS', judgement(sent()), 'broken', /arrived over TLS/],
    ['the message arrived in the clear', judgement(sent(unencrypted)), 'broken', /arrived unencrypted/],
    [
      'MAIL crossed in the clear',
      judgement(held({ conversations: [conversation(RETRIED)] })),
      'broken',
      /MAIL crossed/,
    ],
    [
      'a part of the connection was not kept',
      judgement(held({ conversations: [conversation(LEFT, { truncated: true })] })),
      'unclear',
      /more than the lab keeps/,
    ],
    [
      'no connection was seen',
      judgement(held({ conversations: [] })),
      'unclear',
      /sent no command to the partner/,
    ],
    [
      'the gateway connected and said nothing',
      judgement(held({ conversations: [conversation(['<-- 220 mx'])] })),
      'unclear',
      /sent no command to the partner/,
    ],
    ['the gateway says nothing', judgement(held({ deliveryEvents: [] })), 'unclear', /said nothing about it/],
    [
      'the gateway says delivered',
      judgement(held({ deliveryEvents: delivered })),
      'broken',
      /says delivered, but nothing arrived/,
    ],
    [
      'TLS was offered and not tried',
      judgement(held({ conversations: [conversation(OFFERED)] })),
      'unclear',
      /left without trying it/,
    ],
    [
      'a connection is still open',
      judgement(held({ conversations: [conversation(LEFT, { closed: false })] })),
      'unclear',
      /still open/,
    ],
    [
      'the second server may be the reason',
      judgement(held({ excuse: 'it lost it' })),
      'unclear',
      /it lost it/,
    ],
    [
      'the tap got it inside TLS',
      judgement(held({ intercepted: true, conversations: [conversation(OVER_TLS)] })),
      'broken',
      /gave the message away to the tap/,
    ],
  ] as const

describe('judging whether a message arrived over the highest version of the gateway', () => {
  const upTo12 = conversation(OVER_TLS, {
    handshake: { version: 'TLSv1.2', suite: 'suite', offered: { ...HELLO, versions: ['TLSv1.2'] } },
  })
  const old = sent({ conversations: [upTo12] })
  table([
    ['TLS 1.3', arrivesOverHighest(sent(), 'TLSv1.3'), 'kept'],
    [
      'TLS 1.2, and the gateway offered TLS 1.3',
      arrivesOverHighest(sent({ conversations: [tls12] })),
      'broken',
      /arrived over TLS 1\.2, not TLS 1\.3/,
    ],
    ['TLS 1.2 from a gateway that has nothing newer', arrivesOverHighest(old, 'TLSv1.2'), 'kept'],
    ['TLS 1.2 from a gateway that takes no mail in', arrivesOverHighest(old), 'kept'],
    [
      'TLS 1.2 from a gateway that has TLS 1.3 as a receiver',
      arrivesOverHighest(old, 'TLSv1.3'),
      'broken',
      /offers TLS 1\.2 at most as a sender, and has TLS 1\.3 as a receiver/,
    ],
    ...notArrived(one => arrivesOverHighest(one)),
  ])
})

describe('judging whether a message does not arrive', () => {
  table([
    [
      'the gateway defers it',
      doesNotArrive(held()),
      'refused',
      /deferred the message after 1 connection: TLS is required/,
    ],
    [
      'the gateway returns it',
      doesNotArrive(held({ deliveryEvents: bounced() })),
      'refused',
      /bounced the message after 1 connection/,
    ],
    [
      'a gateway that says nothing was quiet',
      doesNotArrive(held({ deliveryEvents: [], quiet: 2_000 })),
      'refused',
      /held the message back after 1 connection: nothing more came within 2 s/,
    ],
    [
      'TLS was offered and tried',
      doesNotArrive(held({ conversations: [conversation(BROKEN_OFF)] })),
      'refused',
    ],
    [
      'the tap got nothing inside TLS',
      doesNotArrive(held({ intercepted: true, conversations: [conversation(BROKEN_OFF)] })),
      'refused',
    ],
    [
      'what went inside TLS went to the partner itself',
      doesNotArrive(held({ conversations: [conversation(OVER_TLS)] })),
      'refused',
    ],
    [
      'TLS was tried on one of two connections',
      doesNotArrive(held({ conversations: [conversation(BROKEN_OFF), conversation(LEFT)] })),
      'refused',
    ],
    [
      'TLS was offered on one of two connections, and tried on none',
      doesNotArrive(held({ conversations: [conversation(LEFT), conversation(OFFERED)] })),
      'unclear',
      /left without trying it/,
    ],
    [
      'the tap got it inside TLS on one of two connections',
      doesNotArrive(held({ intercepted: true, conversations: [conversation(LEFT), conversation(OVER_TLS)] })),
      'broken',
      /gave the message away to the tap/,
    ],
    [
      'the gateway defers it first and returns it then',
      doesNotArrive(held({ deliveryEvents: [...deferred('x'), ...bounced()] })),
      'refused',
      /^the gateway bounced/,
    ],
    ...notHeldBack(doesNotArrive),
  ])
})

describe('judging whether a message stays queued', () => {
  table([
    ['the gateway defers it', staysQueued(held()), 'refused'],
    [
      'the gateway returns it',
      staysQueued(held({ deliveryEvents: bounced() })),
      'broken',
      /bounced the message instead of keeping it queued: TLS is required/,
    ],
    [
      'the gateway returned it before',
      staysQueued(held({ deliveryEvents: [...bounced(), ...deferred('x')] })),
      'broken',
      /bounced the message instead/,
    ],
    ...notHeldBack(staysQueued),
  ])
})

describe('judging the reason for which a message stays queued', () => {
  table([
    [
      'the reason names it',
      staysQueuedBecause('the certificate', held({ deliveryEvents: deferred('certificate verify failed') })),
      'refused',
    ],
    [
      'the reason is another',
      staysQueuedBecause('the certificate', held()),
      'broken',
      /does not name the certificate: TLS is required/,
    ],
    [
      'the gateway tells no reason',
      staysQueuedBecause('the certificate', held({ deliveryEvents: [], quiet: 2_000 })),
      'unclear',
      /its reason is not known/,
    ],
    ['the message arrived', staysQueuedBecause('the certificate', sent()), 'broken', /arrived over TLS/],
    ['the reason names TLS', staysQueuedBecause('TLS', held()), 'refused'],
    [
      'the reason does not name TLS',
      staysQueuedBecause('TLS', held({ deliveryEvents: deferred('tried all hosts') })),
      'broken',
      /does not name TLS: tried all hosts/,
    ],
  ])
})

describe('judging whether a message arrived in the clear or stays queued', () => {
  const either = (one: Sent) => arrivesInClearOr(staysQueued, one)
  table([
    ['in the clear', either(sent(unencrypted)), 'kept', /unencrypted/],
    ['queued', either(held()), 'refused'],
    ['over TLS', either(sent()), 'broken', /over TLS/],
    [
      'in the clear and over TLS',
      either(sent({ arrivals: [arrival({ secured: false }), arrival()] })),
      'broken',
      /over TLS/,
    ],
    ['returned', either(held({ deliveryEvents: bounced() })), 'broken', /bounced the message instead/],
    [
      'returned, which is allowed',
      arrivesInClearOr(doesNotArrive, held({ deliveryEvents: bounced() })),
      'refused',
    ],
  ])
})

describe('judging how often and how whole a message arrived', () => {
  const other = `${MESSAGE.content}\r\nmore`
  table([
    ['once', arrivesOnce(sent()), 'kept'],
    ['once and whole', arrivesOnce(sent(), { complete: true }), 'kept', /once and whole/],
    [
      'once with more headers',
      arrivesOnce(sent({ arrivals: [arrival({ content: `X: y\r\n${MESSAGE.content}` })] }), {
        complete: true,
      }),
      'kept',
    ],
    ['twice', arrivesOnce(sent({ arrivals: [arrival(), arrival()] })), 'broken', /2 times/],
    [
      'once with another text',
      arrivesOnce(sent({ arrivals: [arrival({ content: other })] }), { complete: true }),
      'broken',
      /not the one that was sent/,
    ],
    [
      'once with another text, of which nobody asked',
      arrivesOnce(sent({ arrivals: [arrival({ content: other })] })),
      'kept',
    ],
    ...notArrived(arrivesOnce),
  ])
})

describe('judging at which mail exchanger a message arrived', () => {
  const second = { arrivals: [arrival({ host: 'mx2.partner.test' })] }
  const tried = [conversation(LEFT), conversation(OVER_TLS, { receiver: 'mx2.partner.test' })]
  table([
    ['at the first', arrivesAt(sent(), 1), 'kept'],
    [
      'at the second, after the first was tried',
      arrivesAt(sent({ ...second, conversations: tried }), 2),
      'kept',
    ],
    [
      'at the second, and the first was never tried',
      arrivesAt(sent({ ...second, conversations: tried.slice(1) }), 2),
      'broken',
      /never tried mail exchanger mx\.partner\.test/,
    ],
    [
      'at another than the one expected',
      arrivesAt(sent({ ...second, conversations: tried }), 1),
      'broken',
      /mail exchanger 2, not 1/,
    ],
    ...notArrived(one => arrivesAt(one, 1)),
  ])
})

describe('judging a message for several recipients at one partner', () => {
  const overTls = forEachCopy(one => arrivesOverTls(one))
  const queued = forEachCopy(staysQueued)
  table([
    ['all got it', overTls(sent({ copies: [sent()] })), 'kept', /^the message arrived over TLS 1.3/],
    [
      'one got it unencrypted',
      overTls(sent({ copies: [sent(unencrypted)] })),
      'broken',
      /^for another recipient at the same domain, the message arrived unencrypted$/,
    ],
    ['all wait', queued(held({ copies: [held()] })), 'refused', /deferred the message/],
    [
      'one waits and one got it',
      queued(held({ copies: [sent(unencrypted)] })),
      'broken',
      /^for another recipient at the same domain, the message arrived unencrypted$/,
    ],
    [
      'of one nothing is known',
      queued(held({ copies: [held({ deliveryEvents: [] })] })),
      'unclear',
      /^for another recipient at the same domain, the message did not arrive, and the gateway said nothing/,
    ],
  ])

  it('has the symptom of one recipient, so that a recorded deviation fits', () => {
    const seen = overTls(sent({ copies: [sent(unencrypted)] }))
    deepEqual(seen.kind === 'broken' && seen.symptom, 'the message arrived unencrypted')
  })
})

describe('judging a later message to the same partner', () => {
  const first = sent()
  const later = sent({ conversations: [...first.conversations, conversation(OVER_TLS)] })
  const alone = ({ conversations }: Sent) => kept(`${conversations.length} connection`)
  const both = conversation([...OVER_TLS, ...OVER_TLS.slice(10)])
  table([
    [
      'on a connection of its own, which alone is judged',
      judgeLater([first, later], alone),
      'kept',
      /^1 connection/,
    ],
    [
      'on the connection of the first',
      judgeLater([first, sent({ conversations: [both] })], alone),
      'unclear',
      /same connection/,
    ],
    [
      'it did not arrive although the first did',
      judgeLater([first, held()], arrivesOverTls),
      'broken',
      /did not arrive/,
    ],
    [
      'neither arrived',
      judgeLater([held(), held()], arrivesOverTls),
      'unclear',
      /the first message did not arrive/,
    ],
    ['there was one message', judgeLater([first], alone), 'unclear', /no later message/],
    ['there was none', judgeLater([], alone), 'unclear', /no later message/],
  ])
})

describe('judging whether each partner was told of its own recipients alone', () => {
  const told = (...recipients: string[]) =>
    ownRecipientsAlone([
      sent({ conversations: [conversation(recipients.map(one => `==> RCPT TO:<${one}>`))] }),
    ])
  table([
    ['its own, in any case', told('inbox@Partner.TEST'), 'kept'],
    [
      "another partner's too",
      told('inbox@partner.test', 'inbox@other.test'),
      'broken',
      /partner\.test was told of a recipient of another partner: RCPT TO:<inbox@other\.test>/,
    ],
    ['a domain that ends in its own', told('inbox@not-partner.test'), 'broken'],
    ['a source route to its own', told('@relay.test:inbox@partner.test'), 'kept'],
  ])
})

describe('judging what came after the example was judged', () => {
  const before = held()
  const again = (after: Partial<Sent>) => wasSentLater([{ before, after: held(after) }])
  table([
    ['a message that was held back is held back still', again({}), 'nothing'],
    [
      'it arrived over TLS',
      again({ arrivals: [arrival()] }),
      'broken',
      /arrived over TLS after the gateway had said/,
    ],
    [
      'it arrived in the clear',
      again({ arrivals: [arrival({ secured: false })] }),
      'broken',
      /arrived unencrypted after/,
    ],
    [
      'MAIL crossed in the clear',
      again({ conversations: [conversation(RETRIED)] }),
      'broken',
      /MAIL crossed the wire unencrypted after the gateway had said/,
    ],
  ])

  const open = conversation(LEFT, { closed: false })
  const there = sent()
  const [carrier] = there.conversations
  const later = (after: Partial<Sent>, mayGoInClear = false, from = there) =>
    wasSentAgain([
      { before: from, after: sent({ conversations: from.conversations, ...after }), mayGoInClear },
    ])
  const offers = conversation([...OFFERED.slice(0, 3), ...IN_CLEAR.slice(3)])
  table([
    ['a message that had arrived did not come again', later({}), 'nothing'],
    [
      'it came again over TLS',
      later({ arrivals: [arrival(), arrival()] }),
      'broken',
      /arrived again, over TLS/,
    ],
    [
      'it came again in the clear',
      later({ arrivals: [arrival(), arrival({ secured: false })] }),
      'broken',
      /arrived again, unencrypted/,
    ],
    [
      'its recipient crossed in the clear',
      later({ conversations: [carrier!, conversation(IN_CLEAR)] }),
      'broken',
      /crossed the wire again, unencrypted/,
    ],
    [
      'its text crossed in the clear',
      later({ recipient: 'x@y.test', conversations: [carrier!, inClear()] }),
      'broken',
      /crossed the wire again/,
    ],
    [
      'another message crossed in the clear',
      later({ recipient: 'x@y.test', conversations: [carrier!, conversation(IN_CLEAR)] }),
      'nothing',
    ],
    [
      'the recipient crossed in the clear, where no TLS was offered and mail may go so',
      later({ conversations: [carrier!, conversation(IN_CLEAR)] }, true),
      'nothing',
    ],
    [
      'the recipient crossed in the clear where TLS was offered',
      later({ conversations: [carrier!, offers] }, true),
      'broken',
      /crossed the wire again/,
    ],
    [
      'what crossed in the clear had crossed before',
      later({}, false, sent({ conversations: [conversation(IN_CLEAR), carrier!] })),
      'nothing',
    ],
    [
      'what crossed in the clear was not decided before',
      wasSentAgain([
        {
          before: sent({ conversations: [open] }),
          after: sent({ conversations: [{ ...conversation(IN_CLEAR), id: open.id }] }),
          mayGoInClear: false,
        },
      ]),
      'broken',
      /crossed the wire again/,
    ],
  ])

  const passed = (after: Partial<Sent>) => {
    const first = sent({ conversations: [onPath()] })
    return isStillUnderWay({ before: first, after: sent({ conversations: first.conversations, ...after }) })
      ? kept('under way')
      : undefined
  }
  table([
    ['no session since then', passed({}), 'nothing'],
    ['a session through the tap since then, and no copy', passed({ conversations: [onPath()] }), 'kept'],
    [
      'a session through the tap, and a copy',
      passed({ conversations: [onPath()], arrivals: [arrival(), arrival()] }),
      'nothing',
    ],
    ['a session that the tap could read', passed({ conversations: [conversation(OVER_TLS)] }), 'nothing'],
    [
      'a connection without TLS',
      passed({ conversations: [conversation(LEFT, { overheard: true })] }),
      'nothing',
    ],
  ])
})

describe('the suites that the gateway offers', () => {
  const hello = (...suites: string[]) => ({ versions: ['TLSv1.2'], suites })
  const offering = (...offered: ReturnType<typeof hello>[]) =>
    sent({ conversations: [conversation(OVER_TLS, { handshake: { offered } as never })] })
  const asked = ['A', 'B', 'C']
  const rows: [what: string, offered: string[] | undefined, expected: string[] | undefined][] = [
    [
      'in the order of strength, not in that of the hello',
      suitesOffered(offering(hello('C', 'X', 'B')), asked),
      ['B', 'C'],
    ],
    ['in any hello', suitesOffered(offering(hello('A'), hello('C')), asked), ['A', 'C']],
    ['none of these', suitesOffered(offering(hello('X')), asked), []],
    ['no hello', suitesOffered(sent({ conversations: [inClear()] }), asked), undefined],
  ]
  for (const [what, offered, expected] of rows)
    it(`are known: ${what}`, () => {
      deepEqual(offered, expected)
    })
})

describe('what a gateway does not do that sends nothing to a sound partner', () => {
  const lackIn = (seen: ReturnType<typeof arrivesOverTls>) =>
    seen.kind === 'broken' ? seen.lacks : undefined
  const { domain } = sent().partner
  const rows: [what: string, seen: ReturnType<typeof arrivesOverTls>, lack: object | undefined][] = [
    ['or unencrypted', arrivesOverTls(sent(unencrypted)), { what: 'sends over TLS', domain }],
    ['or deferred', arrivesOverTls(held()), { what: 'sends', domain }],
    ['or deferred, once', arrivesOnce(held()), { what: 'sends', domain }],
    [
      'or deferred with TLS 1.2',
      arrivesOverTls(held(), { version: 'TLSv1.2' }),
      { what: 'sends', domain, version: 'TLSv1.2' },
    ],
    [
      'but another version',
      arrivesOverTls(sent({ conversations: [tls12] }), { version: 'TLSv1.3' }),
      undefined,
    ],
    ['but should hold it back', doesNotArrive(sent(unencrypted)), undefined],
  ]
  for (const [what, seen, lack] of rows)
    it(`is known: ${what}`, () => {
      deepEqual(lackIn(seen), lack)
    })
})
