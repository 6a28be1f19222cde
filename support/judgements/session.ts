import {
  extensionsIn,
  type Login,
  lastReply,
  replyTo,
  type Session,
  starttlsIn,
} from '../evidence/session.ts'
import { firstPutOff, putOff } from '../evidence/temporary-refusal.ts'
import { counted } from '../quantities.ts'
import {
  all,
  because,
  broken,
  kept,
  type Lack,
  type Observation,
  refused,
  unclear,
} from '../verdicts/observation.ts'
import type { Reply } from '../wire/smtp/smtp.ts'
import { spoken } from '../wire/tls/tls-names.ts'
import { replyIs } from './inbound.ts'

/** The session ended before the part that is judged; why it did. */
const endedEarly = (session: Session): Observation =>
  unclear(`the session did not get that far: ${why(session) ?? lastReply(session)?.text ?? 'no reply'}`)

/** Why what came after a refusal for now says nothing; nothing where there was none. */
function wasPutOff(session: Session): Observation | undefined {
  const first = firstPutOff(session)
  return first && unclear(putOff(first.reply, first.command)!)
}

const why = ({ breakdown }: Session): string | undefined =>
  breakdown && `${breakdown.kind}: ${breakdown.detail}`

const STARTS_TLS: Lack = { what: 'starts TLS', domain: '' }

/** What a gateway does not do that refuses this command to a client that no connector names. */
function lackOf({ secured }: Session, command: string): Lack | undefined {
  if (command === 'STARTTLS') return STARTS_TLS
  if (command !== 'MAIL' && command !== 'RCPT') return undefined
  return { what: secured ? 'takes mail over TLS' : 'takes mail unencrypted', domain: '' }
}

/**
 * Judges the reply to the last command with this verb, or says why there is none. Where the session got into TLS, a reply
 * from before TLS does not count.
 */
function judgeReply(
  session: Session,
  command: string,
  judgement: (reply: Reply) => Observation,
): Observation {
  const reply = replyTo(session, command)
  return reply && reply.secured === session.secured ? judgement(reply) : endedEarly(session)
}

/**
 * The reply to a command begins with one of these digits. Where the gateway refuses STARTTLS because a message has begun,
 * nothing of that message gets into TLS.
 */
export function replyOfKind(session: Session, command: string, ...kinds: ('2' | '4' | '5')[]): Observation {
  if (session.refusedMidway)
    return refused(`the gateway refuses STARTTLS once a message has begun: ${session.refusedMidway.text}`)
  if (command === 'QUIT' && kinds.includes('2') && closedAtQuit(session))
    return kept('the gateway closed in answer to QUIT')
  const lack = kinds.includes('2') ? lackOf(session, command) : undefined
  return judgeReply(session, command, ({ code, text }) => {
    if (!kinds.includes(String(code)[0] as '2'))
      return wasPutOff(session) ?? because(broken(`the reply is ${text}`, `the reply is ${code}`), lack)
    return kinds.includes('2') ? kept(`the reply is ${text}`) : refused(`the reply is ${text}`)
  })
}

export function replyWith(session: Session, command: string, code: number, status?: string): Observation {
  return judgeReply(session, command, reply => {
    const seen = replyIs(reply, code, status)
    return (seen.kind === 'broken' && wasPutOff(session)) || seen
  })
}

/** Before TLS, STARTTLS stands alone in its line of the reply to EHLO; RFC 3207 s4. */
export function bareStarttls(session: Session): Observation {
  const extensions = extensionsIn(session, false)
  if (!extensions) return endedEarly(session)
  const line = starttlsIn(extensions)
  if (line === undefined) return because(broken('the gateway does not offer STARTTLS'), STARTS_TLS)
  if (line.trim() === 'STARTTLS') return kept('the gateway offers STARTTLS as a bare keyword')
  const what = 'the gateway offers STARTTLS with a parameter'
  return because(broken(`${what}: ${line}`, what), STARTS_TLS)
}

/** The reply to the last EHLO did not list STARTTLS; where the session has TLS, the EHLO inside TLS counts. */
export function starttlsNotOffered(session: Session): Observation {
  const { secured } = session
  const extensions = extensionsIn(session, secured)
  if (!extensions) return endedEarly(session)
  return starttlsIn(extensions)
    ? broken(`the gateway offers STARTTLS ${secured ? 'again inside TLS' : 'all the same'}`)
    : refused('the gateway does not offer STARTTLS')
}

/** A gateway that cannot start TLS does not offer STARTTLS, or answers it with 454; RFC 3207 s4. */
export function notOfferedOrRefused(session: Session): Observation {
  const extensions = extensionsIn(session, false)
  if (!extensions) return endedEarly(session)
  if (!starttlsIn(extensions)) return refused('the gateway does not offer STARTTLS')
  const reply = replyTo(session, 'STARTTLS')
  if (!reply)
    return broken(
      `the gateway offers STARTTLS and the session ends at it: ${why(session) ?? 'no reply'}`,
      'the gateway offers STARTTLS and the session ends at it',
    )
  if (reply.code === 454) return refused(`the gateway refuses STARTTLS: ${reply.text}`)
  const excuse = putOff(reply, 'STARTTLS')
  return excuse
    ? unclear(excuse)
    : broken(
        `the gateway offers STARTTLS and answers it with ${reply.text}`,
        `the gateway offers STARTTLS and answers it with ${reply.code}`,
      )
}

/** The gateway sends all certificates between its own and a root that clients trust; RFC 8446 s4.4.2. */
export function chainLeadsToRoot(session: Session): Observation {
  const { secured, chainError, conversation } = session
  if (!secured) return unclear(`there was no TLS: ${why(session) ?? 'it was not begun'}`)
  const { chainLength = 0 } = conversation.handshake?.serverCertificate ?? {}
  const shown = counted(chainLength, 'certificate')
  return chainError === undefined
    ? kept(`a chain of ${shown} leads to a trusted root`)
    : broken(`a chain of ${shown} leads to no trusted root: ${chainError}`)
}

export function handshakeSucceeds(session: Session): Observation {
  const { secured, breakdown } = session
  const last = lastReply(session)
  if (secured) return kept('the handshake succeeded')
  const put = wasPutOff(session)
  if (put) return put
  if (breakdown && (breakdown.kind === 'no answer' || !last)) return endedEarly(session)
  const extensions = extensionsIn(session, false)
  if (extensions && starttlsIn(extensions) === undefined)
    return because(broken('the gateway does not offer STARTTLS'), STARTS_TLS)
  if (!breakdown)
    return because(
      broken(`no handshake began: ${last?.text ?? 'no reply'}`, 'no handshake began'),
      STARTS_TLS,
    )
  const { kind, detail } = breakdown
  const what = 'the handshake did not succeed'
  const reason = kind === 'unexpected answer' ? detail : why(session)
  return because(broken(`${what}: ${reason}`, what), STARTS_TLS)
}

/** The gateway accepted the whole message that was the last thing in the session. */
export function takesMessage(session: Session): Observation {
  const { breakdown } = session
  const last = lastReply(session)
  if (breakdown?.kind === 'no answer') return unclear(why(session)!)
  const put = last?.code === 250 ? undefined : wasPutOff(session)
  if (put) return put
  if (breakdown) return broken(`the session ended: ${why(session)}`, 'the session ended')
  return last?.code === 250
    ? kept('the session went on, and the gateway accepted a message')
    : broken(
        `the gateway refused the message: ${last?.text}`,
        `the gateway refused the message: ${last?.code}`,
      )
}

/**
 * EHLO and QUIT inside TLS, the last commands of the session, each got their own reply. A server that closes in answer to
 * QUIT has done what QUIT asks for.
 */
export function answersInOrder(session: Session): Observation {
  const { breakdown, exchanges } = session
  const put = wasPutOff(session)
  if (put) return put
  if (breakdown?.kind === 'no answer') return unclear(`inside TLS: ${why(session)}`)
  if (closedAtQuit(session)) return kept('EHLO inside TLS got its own reply, and at QUIT the gateway closed')
  const lacks = { what: 'goes on inside TLS', domain: '' } as const
  if (breakdown) return because(broken(`inside TLS: ${why(session)}`, `inside TLS: ${breakdown.kind}`), lacks)
  const [greeting, goodbye] = exchanges.slice(-2).map(({ reply }) => reply)
  if (greeting?.code !== 250 || goodbye?.code !== 221)
    return because(
      broken(
        `inside TLS the gateway answered ${greeting?.text} and ${goodbye?.text}`,
        `inside TLS the gateway answered ${greeting?.code}`,
      ),
      lacks,
    )
  return kept('each command inside TLS got its own reply')
}

/** The gateway closed after its reply to EHLO, behind which the client says QUIT. */
function closedAtQuit({ breakdown, exchanges, secured }: Session): boolean {
  const { command, reply } = exchanges.at(-1) ?? {}
  const greeted = command === 'EHLO' && reply?.code === 250 && reply.secured === secured
  return greeted && breakdown?.kind === 'connection closed'
}

/**
 * The gateway dropped what the client had sent unencrypted behind STARTTLS, or ended the session; RFC 3207 s4.2 and
 * CVE-2011-0411. `greetsAfterwards`: the gateway greets on a new connection afterwards; a gateway that crashed has refused nothing.
 */
export function nothingTookEffect(session: Session, greetsAfterwards: boolean): Observation {
  const { breakdown, secured, exchanges, surplus, smuggled } = session
  if (!smuggled) return endedEarly(session)
  if (breakdown && !greetsAfterwards)
    return unclear(`the session ended, and the gateway does not greet any more: ${why(session)}`)
  if (breakdown?.kind === 'unexpected answer') return unclear(why(session)!)
  if (!secured) {
    if (breakdown?.kind === 'no answer') return unclear(why(session)!)
    if (breakdown) return refused(`the gateway ended the session at the handshake: ${why(session)}`)
    const { code, text } = lastReply(session)!
    return code >= 400
      ? refused(`the gateway refused STARTTLS with more behind it: ${text}`)
      : broken(`the gateway answered STARTTLS with ${text}`, `the gateway answered STARTTLS with ${code}`)
  }
  const inside = exchanges.map(({ reply }) => reply).filter(reply => reply.secured)
  const [first, second] = inside
  if (!first) {
    if (breakdown?.kind === 'no answer') return unclear(why(session)!)
    return refused(`the gateway ended the session after the handshake: ${why(session)}`)
  }
  // Two commands were said inside TLS. A reply that comes after the wait for it is over is late, and not one too many.
  const one = inside.length + surplus.length > 2 || (second && second.code < 400 && second.code !== 221)
  if (one)
    return broken(
      `the gateway executed inside TLS what was smuggled: ${inside.map(({ text }) => text).join(', ')}`,
      'the gateway executed inside TLS what was smuggled',
    )
  const excuse = putOff(first, smuggled === 'EHLO and MAIL' ? 'RCPT' : 'EHLO')
  if (excuse) return unclear(excuse)
  if (smuggled === 'EHLO and MAIL')
    return first.code >= 400
      ? refused(`inside TLS the gateway knew of no message that had begun: ${first.text}`)
      : broken(
          `the smuggled sender counts inside TLS: the gateway answered RCPT with ${first.text}`,
          `the smuggled sender counts inside TLS: the gateway answered RCPT with ${first.code}`,
        )
  // Where the gateway has no extension but STARTTLS, its reply to EHLO inside TLS is a single line.
  const hasOthers = (extensionsIn(session, false) ?? []).length > 1
  if (first.code !== 250 || (first.lines.length < 2 && hasOthers))
    return broken(
      `the first reply inside TLS is not the one to EHLO: ${first.text}`,
      'the first reply inside TLS is not the one to EHLO',
    )
  return refused('inside TLS each command got one reply')
}

/**
 * The gateway forgets inside TLS that a client has greeted it: RFC 3207 s4.2. `sessions`: one in which the client said MAIL
 * without any greeting, and one in which it greeted before TLS alone. Servers need not demand a greeting: RFC 5321 s4.1.4.
 */
export function forgetsGreeting(sessions: readonly Session[]): Observation {
  const [stranger, inside] = sessions
  if (!stranger || !inside?.secured)
    return unclear(`TLS did not start: ${inside ? why(inside) : 'no session'}`)
  const first = replyTo(stranger, 'MAIL')
  const then = replyTo(inside, 'MAIL')
  if (!first || !then) return unclear(why(first ? inside : stranger) ?? 'the gateway did not answer MAIL')
  if (then.code >= 400)
    return demandsGreeting(then)
      ? refused(`inside TLS the gateway demanded a greeting again: ${then.text}`)
      : unclear(`inside TLS the gateway answered MAIL with ${then.text}`)
  if (first.code < 400) return kept('the gateway demands a greeting of no client')
  if (!demandsGreeting(first)) return unclear(`without TLS the gateway answered MAIL with ${first.text}`)
  return broken(
    `inside TLS the gateway still knows the greeting from before TLS: it answered MAIL with ${then.text}, and to a client that never greeted it said ${first.text}`,
    'inside TLS the gateway still knows the greeting from before TLS',
  )
}

/** RFC 5321 s4.1.4 has 503 for it; some servers use another code. */
const demandsGreeting = ({ code, text }: Reply): boolean =>
  code === 503 || /\b(?:HELO|EHLO|HELLO)\b/i.test(text)

/** With the mechanism PLAIN the gateway accepts the right password and refuses a wrong one. */
export function rightPasswordAlone(logins: readonly Login[], { isOurs = true } = {}): Observation {
  const { right, wrong } = replies(logins, 'PLAIN')
  const failed = logins.find(one => one.failed !== undefined)
  if (failed)
    return broken(
      `a user gets no TLS in which to log in: ${failed.failed}`,
      'a user gets no TLS in which to log in',
    )
  if (!right || !wrong) return unclear('the sessions did not get as far as the login')
  const excuse = putOff(right, 'AUTH')
  if (excuse) return unclear(excuse)
  if (right.code !== 235 && !isOurs) return unclear(`the password may be wrong: ${right.text}`)
  if (right.code !== 235)
    return broken(`the right password is refused: ${right.text}`, 'the right password is refused')
  return wrong.code < 400
    ? broken(`a wrong password is accepted: ${wrong.text}`, 'a wrong password is accepted')
    : kept(`the right password is accepted, and a wrong one is refused: ${wrong.text}`)
}

/** No user gets a session of this version, such as `TLSv1.1`; RFC 8314 s4.1, RFC 8996. */
export function refusesUsersTls(logins: readonly Login[]): Observation {
  const session = logins.find(({ version }) => version !== undefined)
  if (session) return broken(`a user gets a session with ${spoken(session.version!)}`)
  const failed = logins.find(one => one.failed !== undefined)
  return failed && logins.every(one => one.failed !== undefined)
    ? refused(`users get no TLS of that version: ${failed.failed}`)
    : unclear('the sessions did not get as far as the handshake')
}

/** Without TLS the gateway refuses both passwords in the same words, with every mechanism; RFC 8314 s3, RFC 4954 s4. */
export function passwordsRefusedAlike(logins: readonly Login[]): Observation {
  return all(...(['PLAIN', 'LOGIN'] as const).map(mechanism => refusedAlike(replies(logins, mechanism))))
}

function replies(logins: readonly Login[], mechanism: Login['mechanism']) {
  const reply = (password: Login['password']) =>
    logins.find(one => one.mechanism === mechanism && one.password === password)?.reply
  return { right: reply('right'), wrong: reply('wrong') }
}

function refusedAlike({ right, wrong }: { right: Reply | undefined; wrong: Reply | undefined }): Observation {
  if (!right || !wrong) return unclear('the sessions did not get as far as the login')
  const taken = [right, wrong].find(({ code }) => code < 400)
  if (taken) return broken(`an unencrypted login succeeds: ${taken.text}`, 'an unencrypted login succeeds')
  if (withoutMark(right) !== withoutMark(wrong))
    return broken(
      `the refusal tells which password was right: ${right.text} and ${wrong.text}`,
      'the refusal tells which password was right',
    )
  return refused(`both passwords are refused alike: ${right.text}`)
}

/** Some servers end each reply with a mark by which they find it in their log: `(3f6I7TNSmqr19PCfKMFzUQ)`. */
const withoutMark = ({ text }: Reply): string => text.replace(/ \([\w-]{16,}\)$/, '')
