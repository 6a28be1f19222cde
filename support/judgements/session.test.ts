import type { Login, Session, Smuggled } from '../evidence/session.ts'
import { CERTIFICATE, conversation, OVER_TLS, reply, session, table } from '../test-bed/fixtures/evidence.ts'
import {
  answersInOrder,
  bareStarttls,
  chainLeadsToRoot,
  forgetsGreeting,
  handshakeSucceeds,
  nothingTookEffect,
  notOfferedOrRefused,
  passwordsRefusedAlike,
  refusesUsersTls,
  replyOfKind,
  replyWith,
  rightPasswordAlone,
  starttlsNotOffered,
  takesMessage,
} from './session.ts'

const EHLO = 'EHLO: 250-mx.gateway.test|250-PIPELINING|250 STARTTLS'
const NO_TLS = 'EHLO: 250-mx.gateway.test|250 PIPELINING'
const IN_TLS = `=${NO_TLS}`
const GO = 'STARTTLS: 220 Go ahead'
const closed = { breakdown: { kind: 'connection closed', detail: 'it closed' } } as const
const silent = { breakdown: { kind: 'no answer', detail: 'no reply' } } as const
const malformed = { breakdown: { kind: 'unexpected answer', detail: 'not an SMTP reply' } } as const

describe('judging whether the gateway forgets a greeting', () => {
  const inside = (text: string) => session([EHLO, GO, `=MAIL: ${text}`], { secured: true })
  const stranger = (text: string) => session([`MAIL: ${text}`])
  table([
    ['it demands another', forgetsGreeting([stranger('503 first'), inside('503 EHLO first')]), 'refused'],
    [
      'it demands another with a code of its own',
      forgetsGreeting([stranger('502 HELO?'), inside('502 HELO?')]),
      'refused',
    ],
    ['it demands none of anybody', forgetsGreeting([stranger('250 well'), inside('250 well')]), 'kept'],
    [
      'it remembers',
      forgetsGreeting([stranger('503 EHLO first'), inside('250 well')]),
      'broken',
      /answered MAIL with 250 well, and to a client that never greeted it said 503 EHLO first/,
    ],
    ['it takes no unencrypted mail', forgetsGreeting([stranger('530 TLS'), inside('250 well')]), 'unclear'],
    ['another refusal', forgetsGreeting([stranger('503 first'), inside('550 no')]), 'unclear'],
    ['there was no TLS', forgetsGreeting([stranger('503 first'), session([EHLO])]), 'unclear'],
  ])
})

describe('judging the reply to a command', () => {
  const said = (text: string, about: Partial<Session> = {}) => session([EHLO, `MAIL: ${text}`], about)
  table([
    ['the right refusal', replyWith(said('530 5.7.0 TLS'), 'MAIL', 530, '5.7.0'), 'refused'],
    [
      'a refusal for now of STARTTLS',
      replyWith(session([EHLO, 'STARTTLS: 454 no']), 'STARTTLS', 503),
      'unclear',
    ],
    [
      'the same inside TLS, where it can never be accepted',
      replyWith(session([EHLO, '=STARTTLS: 454 no']), 'STARTTLS', 503),
      'broken',
    ],
    ['another code', replyWith(said('250 well'), 'MAIL', 530), 'broken', /the reply is 250 well/],
    [
      'the right one, of a session that ended then',
      replyWith(said('530 no', closed), 'MAIL', 530),
      'refused',
    ],
    [
      'the command was never answered',
      replyWith(session([EHLO], closed), 'MAIL', 530),
      'unclear',
      /did not get that far: connection closed: it closed/,
    ],
    [
      'the command was never said',
      replyWith(session(['EHLO: 500 no']), 'MAIL', 530),
      'unclear',
      /did not get that far: 500 no/,
    ],
    ['nothing was said', replyWith(session([]), 'MAIL', 530), 'unclear', /no reply/],
    ['a success that is wanted', replyOfKind(said('250 well'), 'MAIL', '2'), 'kept'],
    ['a refusal that is wanted', replyOfKind(said('550 no'), 'MAIL', '4', '5'), 'refused'],
    ['a success in place of a refusal', replyOfKind(said('250 well'), 'MAIL', '4', '5'), 'broken'],
    ['a refusal in place of a success', replyOfKind(said('550 no'), 'MAIL', '2'), 'broken'],
    [
      'a refusal for now in place of a success',
      replyOfKind(said('450 later'), 'MAIL', '2'),
      'unclear',
      /refused for now at MAIL, also when the client came again: 450 later/,
    ],
    [
      'a refusal for now in place of another one',
      replyWith(said('421 4.7.0 Too many connections'), 'MAIL', 530),
      'unclear',
      /421 4\.7\.0/,
    ],
    [
      'a refusal that follows from an earlier one for now',
      replyOfKind(session([EHLO, 'MAIL: 450 later', 'RCPT: 503 no MAIL']), 'RCPT', '2'),
      'unclear',
      /for now at MAIL/,
    ],
    [
      'a close in answer to QUIT',
      replyOfKind(session([EHLO], closed), 'QUIT', '2'),
      'kept',
      /closed in answer/,
    ],
    [
      'STARTTLS is refused while a message is under way',
      replyOfKind(session([EHLO], { refusedMidway: reply('503 no') }), 'RCPT', '5'),
      'refused',
      /once a message has begun: 503/,
    ],
  ])
})

describe('judging what the gateway offers', () => {
  const offers = (line: string) => session([`EHLO: 250-mx.gateway.test|250 ${line}`])
  table([
    ['STARTTLS stands alone in its line', bareStarttls(session([EHLO])), 'kept'],
    ['STARTTLS in another case', bareStarttls(offers('starttls')), 'kept'],
    [
      'STARTTLS with a parameter',
      bareStarttls(offers('STARTTLS now')),
      'broken',
      /with a parameter: STARTTLS NOW/,
    ],
    ['STARTTLS is not there', bareStarttls(offers('STARTTLSX')), 'broken', /does not offer STARTTLS/],
    ['EHLO is refused', bareStarttls(session(['EHLO: 500 no'])), 'unclear'],
    ['EHLO is not answered', bareStarttls(session([], silent)), 'unclear', /no answer: no reply/],
    ['STARTTLS is not offered inside TLS', starttlsNotOffered(session([EHLO, GO, IN_TLS])), 'refused'],
    [
      'STARTTLS is offered inside TLS',
      starttlsNotOffered(session([EHLO, GO, `=${EHLO}`])),
      'broken',
      /again inside TLS/,
    ],
    [
      'STARTTLS is offered where it should not',
      starttlsNotOffered(session([EHLO])),
      'broken',
      /all the same/,
    ],
    [
      'EHLO inside TLS is not answered',
      starttlsNotOffered(session([EHLO, GO], { secured: true, ...closed })),
      'unclear',
    ],
    [
      'without TLS: not offered',
      notOfferedOrRefused(session([NO_TLS])),
      'refused',
      /does not offer STARTTLS/,
    ],
    [
      'without TLS: refused with 454',
      notOfferedOrRefused(session([EHLO, 'STARTTLS: 454 no'])),
      'refused',
      /refuses STARTTLS: 454/,
    ],
    [
      'without TLS: offered and answered',
      notOfferedOrRefused(session([EHLO, GO])),
      'broken',
      /answers it with 220/,
    ],
    [
      'without TLS: offered and not answered',
      notOfferedOrRefused(session([EHLO], closed)),
      'broken',
      /ends at it: connection closed: it closed/,
    ],
    ['without TLS: EHLO is refused', notOfferedOrRefused(session(['EHLO: 500 no'])), 'unclear'],
  ])
})

describe('judging a handshake of the gateway', () => {
  const chained = session([IN_TLS], {
    conversation: conversation(OVER_TLS, {
      handshake: { serverCertificate: { ...CERTIFICATE, chainLength: 2 } },
    }),
  })
  table([
    ['its chain leads to a root', chainLeadsToRoot(chained), 'kept', /a chain of 2 certificates/],
    [
      'its chain does not',
      chainLeadsToRoot({ ...chained, chainError: 'UNABLE_TO_VERIFY' }),
      'broken',
      /no trusted root: UNABLE_TO_VERIFY/,
    ],
    ['there was no TLS', chainLeadsToRoot(session([EHLO, 'STARTTLS: 454 no'])), 'unclear', /was not begun/],
    ['TLS broke', chainLeadsToRoot(session([EHLO, GO], closed)), 'unclear', /no TLS: connection closed/],
    ['it succeeded', handshakeSucceeds(session([EHLO, GO], { secured: true })), 'kept'],
    [
      'it failed',
      handshakeSucceeds(session([EHLO, GO], { breakdown: { kind: 'handshake failure', detail: 'x' } })),
      'broken',
      /did not succeed: handshake failure: x/,
    ],
    [
      'STARTTLS was answered with something else',
      handshakeSucceeds(session([EHLO, 'STARTTLS: 250 what'], malformed)),
      'broken',
      /did not succeed: not an SMTP reply/,
    ],
    [
      'EHLO was refused',
      handshakeSucceeds(session(['EHLO: 500 no'])),
      'broken',
      /no handshake began: 500 no/,
    ],
    ['the gateway did not answer', handshakeSucceeds(session([EHLO, GO], silent)), 'unclear', /no answer/],
    ['there was no greeting', handshakeSucceeds(session([], closed)), 'unclear', /did not get that far/],
  ])
})

describe('judging what a session takes after its special part', () => {
  table([
    ['a whole message', takesMessage(session(['.: 250 taken'])), 'kept'],
    ['a refused message', takesMessage(session(['MAIL: 530 no'])), 'broken', /refused the message: 530/],
    [
      'the session ended',
      takesMessage(session(['MAIL: 250 well'], closed)),
      'broken',
      /ended: connection closed/,
    ],
    ['the gateway did not answer', takesMessage(session(['MAIL: 250 well'], silent)), 'unclear', /no answer/],
    [
      'each command inside TLS got its answer',
      answersInOrder(session([GO, IN_TLS, '=QUIT: 221 bye'])),
      'kept',
    ],
    [
      'EHLO got another answer',
      answersInOrder(session([GO, '=EHLO: 220 hm', '=QUIT: 221 bye'])),
      'broken',
      /answered 220 hm and 221 bye/,
    ],
    ['QUIT got no answer but the close', answersInOrder(session([GO, IN_TLS], closed)), 'kept', /closed/],
    ['QUIT got another answer', answersInOrder(session([GO, IN_TLS, '=QUIT: 250 well'])), 'broken'],
    [
      'the session ended inside TLS',
      answersInOrder(session([GO], closed)),
      'broken',
      /inside TLS: connection closed/,
    ],
    [
      'the gateway did not answer inside TLS',
      answersInOrder(session([GO], silent)),
      'unclear',
      /inside TLS: no answer/,
    ],
  ])
})

describe('judging whether something smuggled took effect', () => {
  const smuggled = (exchanges: readonly string[], about: Partial<Session> = {}, what: Smuggled = 'a NOOP') =>
    session([EHLO, ...exchanges], { smuggled: what, ...about })
  const secured = { secured: true }
  const forged = (answer: string) => smuggled([GO, `=RCPT: ${answer}`, '=QUIT: 221 bye'], {}, 'EHLO and MAIL')
  table([
    [
      'inside TLS each command got its answer',
      nothingTookEffect(smuggled([GO, IN_TLS, '=QUIT: 221 bye']), true),
      'refused',
      /got one reply/,
    ],
    [
      'the session ended inside TLS after one answer',
      nothingTookEffect(smuggled([GO, IN_TLS], closed), true),
      'refused',
    ],
    [
      'the answer to QUIT came late',
      nothingTookEffect(smuggled([GO, IN_TLS], { ...silent, surplus: [reply('221 bye', true)] }), true),
      'refused',
    ],
    [
      'the answer to QUIT was the close after 421',
      nothingTookEffect(smuggled([GO, IN_TLS, '=QUIT: 421 4.3.2 closing']), true),
      'refused',
    ],
    [
      'the gateway has no extension but STARTTLS',
      nothingTookEffect(
        session(
          ['EHLO: 250-mx.gateway.test|250 STARTTLS', GO, '=EHLO: 250 mx.gateway.test', '=QUIT: 221 bye'],
          {
            smuggled: 'a NOOP',
          },
        ),
        true,
      ),
      'refused',
    ],
    [
      'the gateway refuses for now inside TLS',
      nothingTookEffect(smuggled([GO, '=EHLO: 421 4.3.2 busy']), true),
      'unclear',
      /refused for now at EHLO/,
    ],
    [
      'there is an answer too many',
      nothingTookEffect(smuggled([GO, IN_TLS, '=QUIT: 221 bye'], { surplus: [reply('221 bye')] }), true),
      'broken',
      /executed inside TLS/,
    ],
    [
      'the answers are shifted',
      nothingTookEffect(smuggled([GO, IN_TLS, '=QUIT: 250 noop']), true),
      'broken',
      /executed/,
    ],
    [
      'the first answer is the one to NOOP',
      nothingTookEffect(smuggled([GO, '=EHLO: 250 noop', '=QUIT: 221 bye']), true),
      'broken',
      /not the one to EHLO/,
    ],
    [
      'EHLO is refused',
      nothingTookEffect(smuggled([GO, '=EHLO: 503-no|503 no', '=QUIT: 221 bye']), true),
      'broken',
      /not the one to EHLO/,
    ],
    [
      'the smuggled sender does not count',
      nothingTookEffect(forged('503 no'), true),
      'refused',
      /no message that had begun/,
    ],
    [
      'the smuggled sender counts',
      nothingTookEffect(forged('250 well'), true),
      'broken',
      /counts inside TLS: the gateway answered RCPT with 250/,
    ],
    [
      'STARTTLS is refused',
      nothingTookEffect(smuggled(['STARTTLS: 501 no']), true),
      'refused',
      /refused STARTTLS/,
    ],
    [
      'STARTTLS is answered with a success',
      nothingTookEffect(smuggled(['STARTTLS: 250 well']), true),
      'broken',
      /answered STARTTLS with 250/,
    ],
    [
      'the session ended at the handshake',
      nothingTookEffect(smuggled([GO], closed), true),
      'refused',
      /at the handshake/,
    ],
    [
      'the session ended after the handshake',
      nothingTookEffect(smuggled([GO], { ...secured, ...closed }), true),
      'refused',
      /after the handshake/,
    ],
    [
      'the session ended, and the gateway is gone',
      nothingTookEffect(smuggled([GO], closed), false),
      'unclear',
      /does not greet any more/,
    ],
    [
      'the gateway is gone, but the session was whole',
      nothingTookEffect(smuggled([GO, IN_TLS, '=QUIT: 221 bye']), false),
      'refused',
    ],
    [
      'the handshake was not answered',
      nothingTookEffect(smuggled([GO], silent), true),
      'unclear',
      /no answer/,
    ],
    [
      'EHLO inside TLS was not answered',
      nothingTookEffect(smuggled([GO], { ...secured, ...silent }), true),
      'unclear',
      /no answer/,
    ],
    [
      'what came was no SMTP',
      nothingTookEffect(smuggled([GO, IN_TLS], { ...secured, ...malformed }), true),
      'unclear',
      /unexpected answer/,
    ],
    [
      'EHLO was refused, so nothing could be smuggled',
      nothingTookEffect(session(['EHLO: 500 no']), true),
      'unclear',
      /did not get that far: 500 no/,
    ],
  ])
})

describe('judging logins', () => {
  const tried = (
    mechanism: Login['mechanism'],
    right: string | undefined,
    wrong: string | undefined,
  ): Login[] => [
    { mechanism, password: 'right', reply: right === undefined ? undefined : reply(right) },
    { mechanism, password: 'wrong', reply: wrong === undefined ? undefined : reply(wrong) },
  ]
  const no = '538 5.7.11 TLS first'
  const alike = (right: string | undefined, wrong: string | undefined) =>
    passwordsRefusedAlike([...tried('PLAIN', no, no), ...tried('LOGIN', right, wrong)])
  const marked = (text: string, mark: string) => `${text} (${mark})`
  const [one, other] = ['nRdyd3dP1hfIFIVWt6e49A', 'j63Qv5PajjoOclj4j99TLA']
  const user = { mechanism: 'PLAIN', password: 'right', reply: undefined } as const
  const failing = (failed: string) => ({ ...user, failed })
  const over = (version: string) => ({ ...user, version })
  table([
    [
      'the right password is accepted, a wrong one is not',
      rightPasswordAlone(tried('PLAIN', '235 welcome', '535 no')),
      'kept',
    ],
    [
      'the right password is refused',
      rightPasswordAlone(tried('PLAIN', '535 no', '535 no')),
      'broken',
      /right password is refused/,
    ],
    [
      'a wrong password is accepted',
      rightPasswordAlone(tried('PLAIN', '235 welcome', '235 welcome')),
      'broken',
      /wrong password is accepted/,
    ],
    ['a session did not get so far', rightPasswordAlone(tried('PLAIN', '235 welcome', undefined)), 'unclear'],
    [
      'another mechanism is not asked for',
      rightPasswordAlone(tried('LOGIN', '235 welcome', '535 no')),
      'unclear',
    ],
    [
      'there was no TLS in which to log in',
      rightPasswordAlone([failing('wrong version number')]),
      'broken',
      /^a user gets no TLS in which to log in: wrong version number$/,
    ],
    [
      'no old TLS',
      refusesUsersTls([failing('alert 70')]),
      'refused',
      /^users get no TLS of that version: alert 70$/,
    ],
    ['old TLS', refusesUsersTls([failing('alert 70'), over('TLSv1.1')]), 'broken', /session with TLS 1\.1$/],
    ['no session at all', refusesUsersTls([]), 'unclear'],
    ['both are refused alike', alike(no, no), 'refused', /refused alike: 538/],
    [
      'both are refused alike, apart from a mark of each reply',
      alike(marked(no, one!), marked(no, other!)),
      'refused',
    ],
    ['the refusals differ', alike(no, '535 5.7.8 Wrong'), 'broken', /tells which password was right/],
    ['the refusals differ beside their marks', alike(marked(no, one!), marked('535 no', other!)), 'broken'],
    ['the refusals differ in what is no mark', alike(`${no} (you)`, `${no} (who)`), 'broken'],
    ['the right password is accepted', alike('235 welcome', no), 'broken', /unencrypted login succeeds: 235/],
    ['the wrong password is accepted', alike(no, '235 welcome'), 'broken', /unencrypted login succeeds/],
    ['one mechanism was not answered', alike(undefined, no), 'unclear'],
    [
      'the other mechanism differs',
      passwordsRefusedAlike([...tried('PLAIN', no, '535 no'), ...tried('LOGIN', no, no)]),
      'broken',
    ],
  ])
})
