import { deepEqual, equal } from 'node:assert/strict'
import type { Handover } from '../evidence/handover.ts'
import { changedHeader, type Mail } from '../evidence/mail.ts'
import {
  conversation,
  handover,
  IN_CLEAR,
  MESSAGE,
  OVER_TLS,
  refusedAt,
  reply,
  table,
} from '../test-bed/fixtures/evidence.ts'
import { broken, kept, type Observation } from '../verdicts/observation.ts'
import {
  acceptedWithoutMailbox,
  accepts,
  asksForCertificate,
  doesNotReach,
  reaches,
  refusedWithoutMailbox,
  refuses,
  refusesHandshake,
  refusesWithoutTls,
  replyIs,
} from './inbound.ts'

const overTls = conversation(OVER_TLS, { gatewayIs: 'receiver' })
const unencrypted = conversation(IN_CLEAR, { gatewayIs: 'receiver' })
const tls12 = conversation(OVER_TLS, {
  handshake: { version: 'TLSv1.2', suite: 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384' },
})
const BEGUN = OVER_TLS.slice(0, 7)
const alerted = conversation([...BEGUN, '<-- {alert}', '<-- {close}'])
const noAlert = conversation([...BEGUN, '<-- {close}'])
const inClear = (about: Partial<Handover> = {}) =>
  handover({ conversations: [unencrypted], reply: reply('250 2.0.0 Taken'), ...about })
const ended = (
  stage: Handover['stage'],
  kind: NonNullable<Handover['breakdown']>['kind'],
  conversations = [overTls],
) => ({
  ...refusedAt(stage, { kind, detail: 'it ended' }),
  conversations,
})
/** Accepted past the tap, in one of these sessions, as the mailbox shows. */
const pastTap = (...versions: string[]): Handover => {
  const { reply: _, ...rest } = handover({
    foundInMailbox: true,
    conversations: versions.map(version => ({ ...overTls, overheard: true, handshake: { version } })),
  })
  return rest
}

describe('what a gateway does not do that refuses a sound client', () => {
  const lackIn = (seen: ReturnType<typeof accepts>) => (seen.kind === 'broken' ? seen.lacks : undefined)
  const domain = handover().message.from.split('@')[1]!
  const refusal = refusedAt('RCPT', '550 5.7.1 no')
  const rows: [what: string, seen: ReturnType<typeof accepts>, lack: string | undefined, version?: string][] =
    [
      ['at the handshake', accepts(ended('handshake', 'handshake failure', [noAlert])), 'starts TLS'],
      ['at STARTTLS', accepts(ended('STARTTLS', 'unexpected answer', [unencrypted])), 'starts TLS'],
      [
        'with TLS 1.2 alone',
        accepts(ended('handshake', 'handshake failure', [noAlert]), { version: 'TLSv1.2' }),
        'starts TLS',
        'TLSv1.2',
      ],
      ['inside TLS', accepts({ ...refusal, conversations: [overTls] }), 'takes mail over TLS'],
      ['in the clear', accepts({ ...refusal, conversations: [unencrypted] }), 'takes mail unencrypted'],
      [
        'and so nothing is in the mailbox',
        reaches({ ...refusal, conversations: [overTls] }, []),
        'takes mail over TLS',
      ],
      ['to take it and to lose it', reaches(handover(), [], { overtaken: true }), 'keeps mail'],
      [
        'to use another version',
        accepts(handover({ conversations: [tls12] }), { version: 'TLSv1.3' }),
        undefined,
      ],
    ]
  for (const [what, seen, lack, version] of rows)
    it(`is known: ${what}`, () => {
      deepEqual(lackIn(seen), lack && { what: lack, domain, ...(version ? { version } : {}) })
    })
})

describe('judging whether the gateway accepts a message', () => {
  table([
    [
      'over TLS',
      accepts(handover()),
      'kept',
      /^the gateway accepted the message over TLS 1\.3: 250 2\.0\.0 Taken$/,
    ],
    ['in the clear', accepts(inClear()), 'kept', /accepted the message unencrypted/],
    [
      'in the clear where it was to be over TLS',
      accepts(inClear(), { tls: true }),
      'broken',
      /accepted the unencrypted message: 250/,
    ],
    ['over TLS as it was to be', accepts(handover(), { tls: true }), 'kept'],
    ['over the version that is asked for', accepts(handover(), { version: 'TLSv1.3' }), 'kept'],
    [
      'over another version',
      accepts(handover({ conversations: [tls12] }), { version: 'TLSv1.3' }),
      'broken',
      /accepted the message over TLS 1\.2, not TLS 1\.3/,
    ],
    [
      'in the clear where a version was asked for',
      accepts(inClear(), { version: 'TLSv1.3' }),
      'broken',
      /over no TLS/,
    ],
    [
      'after a fall-back, on the last connection',
      accepts(handover({ conversations: [noAlert, unencrypted] })),
      'kept',
      /unencrypted/,
    ],
    [
      'past the tap, as the mailbox shows',
      accepts(pastTap('TLSv1.3')),
      'kept',
      /over TLS 1\.3: the message is in the mailbox/,
    ],
    [
      'past the tap, in one of several sessions',
      accepts(pastTap('TLSv1.2', 'TLSv1.3'), { version: 'TLSv1.3' }),
      'broken',
      /over TLS 1\.2/,
    ],
    ['refused', accepts(refusedAt('RCPT', '550 5.7.1 no')), 'broken', /refused the message at RCPT: 550/],
    [
      'refused for now',
      accepts(refusedAt('RCPT', '450 4.2.0 Greylisted')),
      'unclear',
      /^the gateway refused for now at RCPT, also when the client came again: 450 4\.2\.0 Greylisted$/,
    ],
    ['too busy', accepts(refusedAt('greeting', '421 4.7.0 Too many connections')), 'unclear', /421/],
    ['TLS is not available for now', accepts(refusedAt('STARTTLS', '454 4.7.0 TLS later', false)), 'unclear'],
    ['refused because TLS is missing', accepts(refusedAt('MAIL', '450 4.7.10 Use TLS')), 'broken'],
    [
      'refused because its domain is made up',
      accepts(refusedAt('MAIL', '450 4.1.8 Sender address rejected: Domain not found')),
      'unclear',
      /domains in DNS alone, and the domains of the suite are made up: at MAIL came 450/,
    ],
    [
      'refused for good because its domain is made up',
      accepts(refusedAt('MAIL', '550 5.1.8 Domain of sender address does not exist')),
      'unclear',
    ],
    ['closed before the greeting', accepts(ended('greeting', 'connection closed', [])), 'unclear'],
    ['the session broke', accepts(ended('MAIL', 'connection closed')), 'broken', /ended at MAIL: it ended/],
    ['the gateway did not answer', accepts(ended('MAIL', 'no answer')), 'unclear', /ended at MAIL: it ended/],
    ['there was no connection', accepts(ended('connection', 'no connection', [])), 'unclear'],
  ])
})

describe('a refusal of a message', () => {
  const byReply = (text: string) => {
    const seen = accepts(refusedAt('MAIL', text))
    return seen.kind === 'broken' && seen.byReply
  }
  for (const [text, expected] of [
    ['550 5.7.1 not you', true],
    ['530 5.7.0 no', undefined],
    ['550 5.7.1 encryption required', undefined],
    ['550 5.7.1 use SSL', undefined],
  ] as const)
    it(`by ${text} ${expected ? 'may be' : 'is not'} for how the message came`, () => {
      equal(byReply(text), expected)
    })
})

describe('judging whether the gateway refuses a message', () => {
  table([
    ['with a reply', refuses(refusedAt('RCPT', '550 5.7.1 no'), true), 'refused', /refused at RCPT: 550/],
    ['with a reply to EHLO inside TLS', refuses(refusedAt('EHLO', '550 no'), true), 'refused'],
    [
      'with a reply to EHLO before TLS',
      refuses(refusedAt('EHLO', '550 no', false), true),
      'unclear',
      /already/,
    ],
    ['at the greeting', refuses(refusedAt('greeting', '554 no'), true), 'unclear', /already/],
    ['at STARTTLS', refuses(refusedAt('STARTTLS', '454 no'), true), 'unclear', /already/],
    [
      'with a reply that is none',
      refuses(refusedAt('DATA', '250 well'), true),
      'unclear',
      /neither accepted nor refused/,
    ],
    [
      'and so is the mail of everybody else',
      refuses(refusedAt('RCPT', '550 no'), false),
      'unclear',
      /mail of others too/,
    ],
    ['it was accepted', refuses(handover(), true), 'broken', /accepted the message: 250/],
    [
      'it was accepted past the tap',
      refuses(pastTap('TLSv1.3'), true),
      'broken',
      /accepted the message: the message is in the mailbox/,
    ],
    [
      'in the handshake, with an alert',
      refuses(ended('handshake', 'handshake failure', [alerted]), true),
      'refused',
      /refused at handshake: fatal alert: protocol_version/,
    ],
    [
      'in the handshake, without an alert',
      refuses(ended('handshake', 'connection closed', [noAlert]), true),
      'refused',
      /refused at handshake: it ended/,
    ],
    ['right after the handshake', refuses(ended('EHLO', 'connection closed'), true), 'refused'],
    [
      'at EHLO before TLS',
      refuses(ended('EHLO', 'connection closed', [noAlert]), true),
      'unclear',
      /ended at EHLO without a reply/,
    ],
    ['at MAIL, without a reply', refuses(ended('MAIL', 'connection closed'), true), 'refused'],
    ['at RCPT, without a reply', refuses(ended('RCPT', 'connection closed'), true), 'refused'],
    [
      'at DATA, without a reply',
      refuses(ended('DATA', 'connection closed'), true),
      'unclear',
      /without a reply/,
    ],
    [
      'in the handshake, and the gateway is gone',
      refuses(ended('handshake', 'connection closed'), false),
      'unclear',
      /accepts no mail of others/,
    ],
    [
      'with something that is no SMTP',
      refuses(ended('MAIL', 'unexpected answer'), true),
      'unclear',
      /at MAIL: it ended/,
    ],
    ['the gateway did not answer', refuses(ended('handshake', 'no answer'), true), 'unclear'],
    ['there was no connection', refuses(ended('connection', 'no connection', []), true), 'unclear'],
    ['nothing is known', refuses(refusedAt('MAIL', undefined), true), 'unclear', /the lab saw nothing/],
  ])
})

describe('judging whether the gateway refuses a message for want of TLS', () => {
  const refusal = (text: string, stage: Handover['stage'] = 'MAIL') =>
    refusesWithoutTls(refusedAt(stage, text, false))
  table([
    [
      'with 530',
      refusal('530 first things first'),
      'refused',
      /refused the unencrypted message at MAIL: 530/,
    ],
    ['with an enhanced status', refusal('550 5.7.10 no', 'RCPT'), 'refused'],
    ['in words', refusal('550 Encryption is needed', 'DATA'), 'refused'],
    ['after the message', refusal('554 TLS is needed', 'content'), 'refused'],
    ['for a reason that is not told', refusal('550 5.7.1 no'), 'unclear', /another reason than TLS/],
    [
      'with another code that ends in 530',
      refusal('550 5.5.1 mailbox 2530 is full'),
      'unclear',
      /another reason/,
    ],
    ['before the message begins', refusal('530 TLS', 'EHLO'), 'unclear', /already/],
    ['with a reply that is none', refusal('250 TLS is fine'), 'unclear', /neither accepted nor refused/],
    ['it was accepted', refusesWithoutTls(inClear()), 'broken', /accepted the unencrypted message/],
    ['the session broke', refusesWithoutTls(ended('MAIL', 'connection closed')), 'unclear', /ended at MAIL/],
    ['nothing is known', refusesWithoutTls(refusedAt('MAIL', undefined)), 'unclear', /no reply/],
  ])
})

describe('judging whether the gateway refuses a handshake', () => {
  const failed = (conversations = [alerted]) => ended('handshake', 'handshake failure', conversations)
  table([
    [
      'with an alert',
      refusesHandshake(failed(), true),
      'refused',
      /refused the handshake: fatal alert: protocol_version/,
    ],
    ['without an alert', refusesHandshake(failed([noAlert]), true), 'refused', /without an alert: it ended/],
    [
      'an alert of the client counts for nothing',
      refusesHandshake(failed([conversation([...BEGUN, '--> {alert}'])]), true),
      'refused',
      /without an alert/,
    ],
    ['it succeeded', refusesHandshake(handover(), true), 'broken', /succeeded with TLS 1\.3/],
    [
      'STARTTLS was refused',
      refusesHandshake({ ...refusedAt('STARTTLS', '454 no'), conversations: [noAlert] }, true),
      'unclear',
      /refused STARTTLS/,
    ],
    [
      'no handshake was begun',
      refusesHandshake(ended('EHLO', 'connection closed', [unencrypted]), true),
      'unclear',
      /ended at EHLO/,
    ],
    [
      'nothing broke at the handshake',
      refusesHandshake({ ...refusedAt('handshake', undefined), conversations: [noAlert] }, true),
      'unclear',
      /no handshake/,
    ],
    [
      'the gateway did not answer',
      refusesHandshake(ended('handshake', 'no answer', [noAlert]), true),
      'unclear',
    ],
    ['the gateway is gone', refusesHandshake(failed(), false), 'unclear', /accepts no mail of others/],
    ['there was no connection', refusesHandshake(ended('connection', 'no connection', []), true), 'unclear'],
  ])
})

describe('judging whether the gateway asks for a certificate', () => {
  const asked = { ...overTls, handshake: { clientCertificateRequested: true } }
  table([
    ['it asked', asksForCertificate(handover({ conversations: [asked] })), 'kept', /asked for a certificate/],
    [
      'it asked on a connection after one without TLS',
      asksForCertificate(handover({ conversations: [unencrypted, asked] })),
      'kept',
      /asked for/,
    ],
    [
      'it asked when the session began that is resumed',
      asksForCertificate(handover({ earlier: [asked] })),
      'kept',
      /asked for/,
    ],
    ['it did not ask', asksForCertificate(handover()), 'broken', /never asked/],
    ['there was no TLS', asksForCertificate(inClear()), 'kept', /there was no TLS/],
  ])
})

const mail = (content = MESSAGE.content): Mail => ({ content, from: MESSAGE.from, to: MESSAGE.to })

describe('judging whether a message reaches the mailbox', () => {
  const unchanged = (content: string) => reaches(handover(), [mail(content)], { unchanged: true })
  table([
    ['it is there', reaches(handover(), [mail()]), 'kept', /got the message$/],
    ['it is there unchanged', unchanged(MESSAGE.content), 'kept', /unchanged/],
    ['it is there with more headers', unchanged(`Received: from x by y\r\n${MESSAGE.content}`), 'kept'],
    [
      'it is there with another text',
      unchanged(`${MESSAGE.content}more`),
      'broken',
      /not the one that was sent/,
    ],
    [
      'it is there with another subject',
      unchanged(MESSAGE.content.replace('token-1', 'x')),
      'broken',
      /another subject/,
    ],
    ['it is there changed, of which nobody asked', reaches(handover(), [mail('x')]), 'kept'],
    ['it is there twice', reaches(handover(), [mail(), mail()]), 'broken', /more than once: 2 times/],
    ['it is there for each of two recipients', reaches(handover({ copies: 2 }), [mail(), mail()]), 'kept'],
    [
      'it is there once more than it has recipients',
      reaches(handover({ copies: 2 }), [mail(), mail(), mail()]),
      'broken',
      /3 times/,
    ],
    [
      'it is there in another transfer encoding',
      unchanged(
        MESSAGE.content.replace(/\r\n\r\n.*/s, text =>
          [
            '',
            'Content-Transfer-Encoding: base64',
            '',
            Buffer.from(text.slice(4)).toString('base64'),
            '',
          ].join('\r\n'),
        ),
      ),
      'kept',
      /unchanged/,
    ],
    ['accepted and not there in time', reaches(handover(), []), 'unclear', /in time/],
    ['accepted, and a later one is there', reaches(handover(), [], { overtaken: true }), 'broken', /lost it/],
    ['refused', reaches(refusedAt('RCPT', '550 no'), []), 'broken', /refused the message at RCPT: 550 no/],
    ['the gateway did not answer', reaches(ended('MAIL', 'no answer'), []), 'unclear', /ended at MAIL/],
    [
      'accepted, where no mailbox can be looked into',
      acceptedWithoutMailbox(handover()),
      'kept',
      /accepted the message with 250/,
    ],
    [
      'refused, where no mailbox can be looked into',
      acceptedWithoutMailbox(refusedAt('RCPT', '550 no')),
      'broken',
      /refused the message/,
    ],
  ])
})

describe('judging whether a message does not reach the mailbox', () => {
  table([
    ['a later one is there and this one is not', doesNotReach([], true), 'refused'],
    ['neither is there', doesNotReach([], false), 'unclear', /not even a later message/],
    ['it is there', doesNotReach([mail()], true), 'broken', /reached the mailbox/],
    [
      'refused, where no mailbox can be looked into',
      refusedWithoutMailbox(refusedAt('RCPT', '550 no')),
      'refused',
    ],
    [
      'accepted, where no mailbox can be looked into',
      refusedWithoutMailbox(handover()),
      'broken',
      /accepted the message with 250/,
    ],
    [
      'never sent, where no mailbox can be looked into',
      refusedWithoutMailbox(ended('handshake', 'connection closed')),
      'refused',
      /ended at handshake, before the client sent the message/,
    ],
    [
      'perhaps never sent, where no mailbox can be looked into',
      refusedWithoutMailbox(ended('EHLO', 'no answer')),
      'unclear',
      /nobody can tell/,
    ],
    [
      'cut off, where no mailbox can be looked into',
      refusedWithoutMailbox(ended('content', 'connection closed')),
      'unclear',
      /nobody can tell/,
    ],
  ])
})

describe('judging which header was changed', () => {
  const changed = (content: string): Observation => {
    const name = changedHeader(MESSAGE.content, content)
    return name === undefined ? kept('none') : broken(name)
  }
  table([
    ['none', changed(MESSAGE.content), 'kept'],
    ['one folded in another way', changed(MESSAGE.content.replace('Subject: ', 'Subject:\r\n\t')), 'kept'],
    ['the subject', changed('Message-ID: <token-1@probe.test>\r\n\r\n'), 'broken', /^subject$/],
    ['the message id', changed('Subject: token-1\r\nMessage-ID: <x@y>\r\n\r\n'), 'broken', /^message-id$/],
  ])
})

describe('judging a reply', () => {
  table([
    ['the right refusal', replyIs(reply('530 5.7.0 TLS first'), 530), 'refused'],
    ['the right success', replyIs(reply('250 2.0.0 well'), 250), 'kept', /the reply is 250/],
    ['another code', replyIs(reply('500 no'), 530), 'broken', /the reply is 500 no/],
    ['the right enhanced status', replyIs(reply('530 5.7.0 TLS first'), 530, '5.7.0'), 'refused'],
    [
      'another enhanced status',
      replyIs(reply('530 5.7.1 no'), 530, '5.7.0'),
      'broken',
      /has status 5\.7\.1, not 5\.7\.0/,
    ],
    ['no enhanced status', replyIs(reply('530 no'), 530, '5.7.0'), 'broken', /has status none/],
  ])
})
