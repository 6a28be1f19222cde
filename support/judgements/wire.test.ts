import {
  conversation,
  HELLO,
  IN_CLEAR,
  inClear,
  LEFT,
  MESSAGE,
  OVER_TLS,
  table,
} from '../test-bed/fixtures/evidence.ts'
import type { Handshake } from '../wire/conversation.ts'
import { Recorder } from '../wire/recorder.ts'
import {
  greetedAgain,
  hadForwardSecrecy,
  handshakeFirst,
  leftWithQuit,
  noDelayBeforeMail,
  noLowerOffer,
  noMail,
  noMailBeforeTls,
  noOldSession,
  nothingButHandshake,
  nothingInClear,
  offersNoOldVersion,
  onlyGreetingInClear,
  singleConnection,
  startedOnce,
  waitedForReply,
} from './wire.ts'

const { token } = MESSAGE
const overTls = conversation(OVER_TLS)
const unencrypted = conversation(IN_CLEAR)
const toAnother = conversation(OVER_TLS.map(line => line.replace(/(?<=RCPT TO:<)/, 'another-')))
const left = conversation(LEFT)
/** Up to the go-ahead to STARTTLS. */
const BEGUN = OVER_TLS.slice(0, 6)
const goAheadThen = (...lines: string[]) => conversation([...BEGUN, ...lines])
const inside = (...lines: string[]) => conversation([...OVER_TLS.slice(0, 8), ...lines])
const handshake = (about: Handshake) => conversation(OVER_TLS, { handshake: about })
const offering = (...versions: string[]) => handshake({ offered: { ...HELLO, versions } })

describe('judging what crossed in the clear', () => {
  table([
    [
      'nothing of the message',
      nothingInClear([left, overTls], token),
      'refused',
      /no part of the message crossed unencrypted on 2 connections/,
    ],
    ['the message', nothingInClear([overTls, inClear()], token), 'broken', /the message crossed/],
    [
      'the return path',
      nothingInClear([conversation(['--> MAIL FROM:<>'])], token),
      'broken',
      /^MAIL crossed/,
    ],
    ['a recipient', nothingInClear([conversation(['--> VRFY inbox'])], token), 'broken', /^VRFY crossed/],
    ['nothing was seen', nothingInClear([], token), 'unclear', /no connection/],
    [
      'what was not kept',
      nothingInClear([overTls, { ...left, truncated: true }], token),
      'unclear',
      /more than the lab keeps/,
    ],
    [
      'the message, beside what was not kept',
      nothingInClear([{ ...left, truncated: true }, inClear()], token),
      'broken',
    ],
  ])

  for (const early of ['MAIL FROM:<a@b.test>', 'VRFY a@b.test'])
    for (const end of ['\r\n', '\n']) {
      const recorder = new Recorder({ gatewayIs: 'sender', sender: 'gateway', receiver: 'partner' })
      recorder.received(Buffer.from(`STARTTLS${end}NOOP${end}${early}\r\n`))
      const what = `${early.slice(0, 4)} behind STARTTLS and ${JSON.stringify(end)}`
      const says = /^(MAIL|VRFY) crossed the wire unencrypted, behind STARTTLS/
      table([
        [what, nothingInClear([recorder.conversation], token), 'broken', says],
        [
          `${what}, beside a session`,
          onlyGreetingInClear([overTls, recorder.conversation], token),
          'broken',
          says,
        ],
      ])
    }

  const greeting = (...lines: string[]) => onlyGreetingInClear([overTls, conversation(lines)], token)
  table([
    [
      'greeting and STARTTLS alone',
      onlyGreetingInClear([left, overTls], token),
      'kept',
      /everything else crossed inside TLS/,
    ],
    ['an unknown command before TLS', greeting('--> XCLIENT x'), 'broken', /XCLIENT crossed/],
    ['NOOP before TLS', greeting('--> NOOP'), 'kept'],
    ['the message', onlyGreetingInClear([overTls, inClear()], token), 'broken', /the message crossed/],
    [
      'bytes after the handshake',
      onlyGreetingInClear([inside('--> {bytes}')], token),
      'broken',
      /after the handshake, bytes crossed/,
    ],
    [
      'bytes before the handshake',
      onlyGreetingInClear([conversation([...BEGUN, '<-- {bytes}', ...OVER_TLS.slice(6)])], token),
      'kept',
    ],
    ['there was no TLS', onlyGreetingInClear([left], token), 'unclear', /no TLS session/],
  ])
})

describe('judging when MAIL was sent', () => {
  const mail = overTls.events.findIndex(event => event.kind === 'command' && event.verb === 'MAIL')
  const from = overTls.events[mail - 1]!.at
  const later = overTls.events.map((event, at) => (at < mail ? event : { ...event, at: from + 12_000 }))
  const waited = { ...overTls, events: later }
  table([
    ['inside TLS alone', noMailBeforeTls([left, overTls]), 'kept'],
    ['before TLS', noMailBeforeTls([overTls, unencrypted]), 'broken', /before TLS/],
    ['never', noMail([left]), 'refused', /no MAIL on 1 connection/],
    ['inside TLS, where it was not to be sent', noMail([left, overTls]), 'broken', /inside TLS/],
    ['in the clear, where it was not to be sent', noMail([unencrypted]), 'broken', /unencrypted/],
    ['no connection was seen', noMail([]), 'unclear'],
    ['without delay', noDelayBeforeMail([overTls]), 'kept'],
    ['after a long wait', noDelayBeforeMail([waited]), 'broken', /waited 12 s before MAIL/],
    ['never, so that there was no delay', noDelayBeforeMail([left]), 'unclear'],
  ])
})

describe('judging whether the gateway ends its sessions with QUIT', () => {
  const GONE = LEFT.filter(line => !/QUIT|221/.test(line))
  table([
    ['it says QUIT', leftWithQuit([conversation(LEFT)]), 'kept'],
    ['it closes', leftWithQuit([conversation([...GONE, '--> {close}'])]), 'broken', /without QUIT/],
    ['it resets the connection', leftWithQuit([conversation([...GONE, '--> {error}'])]), 'broken'],
    ['the partner closes', leftWithQuit([conversation([...GONE, '<-- {close}'])]), 'kept'],
    [
      'it closes after a command inside TLS',
      leftWithQuit([conversation([...OVER_TLS.filter(line => !/QUIT|221/.test(line)), '==> {close}'])]),
      'broken',
    ],
    [
      'it ends TLS after the handshake, before any command',
      leftWithQuit([
        conversation([...OVER_TLS.filter(line => !/^(==>|<==) [^{]/.test(line)), '==> {close}']),
      ]),
      'kept',
    ],
    ['it is still there', leftWithQuit([conversation(LEFT, { closed: false })]), 'unclear'],
    ['no connection was seen', leftWithQuit([]), 'unclear'],
  ])
})

describe('judging what followed the go-ahead to STARTTLS', () => {
  table([
    [
      'the handshake and nothing else',
      nothingButHandshake([left, goAheadThen('--> {hello}', '--> {close}')]),
      'refused',
      /sent a handshake and nothing else, on 1 connection/,
    ],
    [
      'nothing at all',
      nothingButHandshake([goAheadThen('--> {close}')]),
      'refused',
      /sent nothing after the go-ahead/,
    ],
    [
      'a command in the clear',
      nothingButHandshake([goAheadThen('--> {hello}', '--> MAIL FROM:<>')]),
      'broken',
      /the gateway sent MAIL FROM:<> unencrypted/,
    ],
    ['a message in the clear', nothingButHandshake([goAheadThen('--> {content}')]), 'broken'],
    ['other bytes in the clear', nothingButHandshake([goAheadThen('--> {bytes}')]), 'broken'],
    ['bytes of the partner', nothingButHandshake([goAheadThen('<-- {bytes}', '--> {close}')]), 'refused'],
    ['commands inside TLS', nothingButHandshake([overTls]), 'refused'],
    [
      'a command, on another connection that was not begun',
      nothingButHandshake([unencrypted, goAheadThen('--> {hello}')]),
      'refused',
    ],
    ['TLS was not begun', nothingButHandshake([left]), 'unclear', /did not start TLS/],
    [
      'STARTTLS was refused',
      nothingButHandshake([conversation([...OVER_TLS.slice(0, 5), '<-- 454 no'])]),
      'unclear',
    ],
    ['STARTTLS was not answered', nothingButHandshake([conversation(OVER_TLS.slice(0, 5))]), 'unclear'],
    ['a ClientHello first', handshakeFirst([overTls]), 'kept'],
    [
      'a command first',
      handshakeFirst([overTls, goAheadThen('--> EHLO x', '--> {hello}')]),
      'broken',
      /sent after the go-ahead was EHLO x/,
    ],
    ['nothing', handshakeFirst([goAheadThen('<-- {close}')]), 'unclear', /sent nothing after the go-ahead/],
    ['TLS was not begun, so nothing was first', handshakeFirst([left]), 'unclear', /did not start TLS/],
  ])
})

describe('judging whether the gateway begins anew inside TLS', () => {
  const used = (...lines: string[]) => greetedAgain([inside('==> EHLO g', ...lines)], ['AUTH', 'SIZE'])
  table([
    [
      'it greets, and uses nothing that was offered in the clear alone',
      greetedAgain([left, overTls], ['AUTH']),
      'kept',
    ],
    ['it greets with HELO', greetedAgain([inside('==> HELO g')], []), 'kept'],
    [
      'it does not greet',
      greetedAgain([inside('==> MAIL FROM:<>')], []),
      'broken',
      /first command of the gateway inside TLS was MAIL, not EHLO/,
    ],
    ['it says nothing', greetedAgain([inside()], []), 'broken', /was none, not EHLO/],
    [
      'it uses a command that was offered in the clear',
      used('==> auth PLAIN x'),
      'broken',
      /offered before TLS only: auth PLAIN x/,
    ],
    [
      'it uses a parameter that was offered in the clear',
      used('==> MAIL FROM:<> size=7'),
      'broken',
      /MAIL FROM:<> size=7/,
    ],
    ['an address has the keyword in it', used('==> MAIL FROM:<author@size.test>'), 'kept'],
    ['there was no TLS', greetedAgain([unencrypted], []), 'unclear', /no TLS session/],
    ['STARTTLS once', startedOnce([left, overTls]), 'kept'],
    ['STARTTLS once on each of two connections', startedOnce([overTls, overTls]), 'kept'],
    ['STARTTLS again inside TLS', startedOnce([inside('==> STARTTLS')]), 'broken', /again inside TLS/],
  ])
})

describe('judging whether the gateway waits for the answer inside TLS', () => {
  const waited = (one: Parameters<typeof waitedForReply>[0][number], alive = true) =>
    waitedForReply([left, one], { smuggled: 'answer', alive })
  const ANSWER = '<== 250 mx'
  table([
    ['it does', waited(overTls), 'refused', /waited for the reply inside TLS/],
    [
      'it goes on before the answer',
      waited(inside('==> EHLO g', '==> MAIL FROM:<>', ANSWER)),
      'broken',
      /went on before the reply inside TLS: MAIL/,
    ],
    [
      'a line of the answer that is not the last is no answer',
      waited(inside('==> EHLO g', '<== 250-mx', '==> MAIL FROM:<>')),
      'broken',
      /went on/,
    ],
    ['it does not greet', waited(inside('==> MAIL FROM:<>')), 'broken', /did not greet/],
    [
      'it logs in with what was smuggled',
      waited(inside('==> EHLO g', ANSWER, '==> AUTH PLAIN x')),
      'broken',
      /used the smuggled answer: AUTH/,
    ],
    [
      'it takes one answer for another',
      waited(inside('==> EHLO g', ANSWER, '==> MAIL FROM:<>', '==> DATA', '==> QUIT')),
      'broken',
      /one reply for another/,
    ],
    ['it ends the session after the handshake', waited(inside()), 'refused', /or ended the session/],
    ['the session ends before the answer', waited(inside('==> EHLO g')), 'unclear', /ended before the reply/],
    [
      'it breaks the handshake off',
      waited(goAheadThen('--> {hello}', '--> {close}')),
      'refused',
      /broke off the handshake/,
    ],
    [
      'it ends the session at once',
      waited(goAheadThen('--> {close}')),
      'refused',
      /ended the session at what was smuggled$/,
    ],
    [
      'it ends the session at once, and is gone',
      waited(goAheadThen('--> {close}'), false),
      'unclear',
      /does not greet any more/,
    ],
    ['the partner ends the session at once', waited(goAheadThen('<-- {close}')), 'unclear', /no handshake/],
    ['there was no connection', waitedForReply([], { smuggled: 'answer', alive: true }), 'unclear'],
  ])
})

describe('judging which versions the gateway offers and uses', () => {
  const failed = conversation(OVER_TLS, { handshake: { error: 'no', version: 'TLSv1.1' } })
  table([
    ['TLS 1.2 and 1.3', offersNoOldVersion([left, overTls]), 'kept', /TLS 1\.3 and TLS 1\.2 only/],
    [
      'TLS 1.1 too',
      offersNoOldVersion([overTls, offering('TLSv1.2', 'TLSv1.1')]),
      'broken',
      /offered TLS 1\.1/,
    ],
    ['TLS 1.0 too', offersNoOldVersion([offering('TLSv1.2', 'TLSv1')]), 'broken', /offered TLS 1\.0/],
    ['SSL 3 too', offersNoOldVersion([offering('TLSv1.2', 'SSLv3')]), 'broken', /offered SSL 3/],
    [
      'TLS 1.2 without a list, from which a server could choose less',
      offersNoOldVersion([
        handshake({ offered: { ...HELLO, versions: ['TLSv1.2', 'TLSv1.1', 'TLSv1'], extensions: [10, 13] } }),
      ]),
      'kept',
      /TLS 1\.2 only/,
    ],
    ['no ClientHello', offersNoOldVersion([left]), 'unclear'],
    ['no session with an old version', noOldSession([overTls]), 'refused'],
    [
      'a session with an old version',
      noOldSession([overTls, handshake({ version: 'TLSv1.1' })]),
      'broken',
      /used TLS 1\.1/,
    ],
    ['a handshake with an old version that failed', noOldSession([failed]), 'refused'],
    ['no handshake', noOldSession([left]), 'unclear', /no handshake/],
    [
      'no later handshake offers less',
      noLowerOffer([overTls, overTls]),
      'kept',
      /all 2 handshakes of the gateway offered up to TLS 1\.3/,
    ],
    ['one handshake', noLowerOffer([overTls]), 'kept', /one handshake of the gateway/],
    [
      'a later handshake offers less',
      noLowerOffer([offering('TLSv1.2', 'TLSv1.3'), offering('TLSv1.2')]),
      'broken',
      /later handshake of the gateway offered TLS 1\.2 at most, after TLS 1\.3/,
    ],
    ['a later handshake offers more', noLowerOffer([offering('TLSv1.2'), overTls]), 'kept'],
    ['no offer', noLowerOffer([left]), 'unclear'],
  ])
})

describe('judging forward secrecy', () => {
  const suite = 'TLS_RSA_WITH_AES_128_GCM_SHA256'
  const session = (about: Handshake) =>
    hadForwardSecrecy([left, conversation(OVER_TLS, { handshake: about })])
  const { handshake: _, ...plain } = overTls
  const without = { ...plain, handshake: { suite } }
  table([
    ['by a group', session({ group: 'X25519' }), 'kept', /forward secrecy by X25519/],
    ['by a suite whose group was not seen', session({ suite: 'TLS_DHE_RSA' }), 'kept', /by TLS_DHE_RSA/],
    [
      'none',
      hadForwardSecrecy([overTls, without]),
      'broken',
      /the session used TLS_RSA_WITH_AES_128_GCM_SHA256, without/,
    ],
    [
      'a resumed session',
      hadForwardSecrecy([{ ...plain, handshake: { suite, resumed: true } }]),
      'unclear',
      /resumed/,
    ],
    ['no session', hadForwardSecrecy([left]), 'unclear', /no TLS session/],
  ])
})

describe('judging how many connections it took', () => {
  table([
    ['one', singleConnection([left]), 'kept'],
    ['two', singleConnection([left, overTls]), 'broken', /used 2 connections/],
    ['none', singleConnection([]), 'unclear'],
    [
      'one for each of two recipients',
      singleConnection([overTls, toAnother]),
      'kept',
      /a single connection for each recipient/,
    ],
    [
      'one for each of two recipients, and one more',
      singleConnection([overTls, toAnother, left]),
      'broken',
      /used 3 connections/,
    ],
  ])
})
