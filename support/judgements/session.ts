import type { Dialogue } from '../traffic/session.ts'
import { broken, kept, type Observation, refused, unclear } from '../verdicts/observation.ts'
import type { Reply } from '../wire/smtp/smtp.ts'
import { replyIs } from './inbound.ts'

/** Judges the last reply, or says why there is none. */
export function lastReply(
  { breakdown, last }: Dialogue,
  judgement: (reply: Reply) => Observation,
): Observation {
  if (breakdown || !last)
    return unclear(`the session did not get so far: ${breakdown?.message ?? 'no reply'}`)
  return judgement(last)
}

/** The last reply begins with one of these digits. Where a message rules STARTTLS out, nothing of it gets into TLS. */
export function replyOfKind(talk: Dialogue, ...kinds: ('2' | '4' | '5')[]): Observation {
  if (talk.refusedMidway)
    return refused(`STARTTLS is refused once a message has begun: ${talk.refusedMidway.text}`)
  return lastReply(talk, ({ code, text }) => {
    if (!kinds.includes(String(code)[0] as '2')) return broken(`the reply is ${text}`, `the reply is ${code}`)
    return kinds.includes('2') ? kept(`the reply is ${text}`) : refused(`the reply is ${text}`)
  })
}

export function replyWith(talk: Dialogue, code: number, status?: string): Observation {
  return lastReply(talk, reply => replyIs(reply, code, status))
}

/** STARTTLS stands alone in its line of the EHLO reply; RFC 3207 s4. */
export function bareStarttls(talk: Dialogue): Observation {
  const trouble = notGreeted(talk)
  if (trouble) return trouble
  const line = talk.extensions.find(extension => /^STARTTLS\b/.test(extension))
  if (line === undefined) return broken('STARTTLS is not offered')
  return line.trim() === 'STARTTLS'
    ? kept('STARTTLS is offered as a bare keyword')
    : broken(`STARTTLS is offered with a parameter: ${line}`, 'STARTTLS is offered with a parameter')
}

export function starttlsNotOffered(talk: Dialogue): Observation {
  const trouble = notGreeted(talk)
  if (trouble) return trouble
  return talk.extensions.some(extension => /^STARTTLS\b/.test(extension))
    ? broken(`STARTTLS is offered ${talk.secured ? 'again inside TLS' : 'all the same'}`)
    : refused('STARTTLS is not offered')
}

/** Where TLS cannot be started: no offer, or the answer 454; RFC 3207 s4. */
export async function notOfferedOrRefused(talk: Dialogue): Promise<Observation> {
  const absent = starttlsNotOffered(talk)
  if (absent.kind !== 'broken') return absent
  const reply = await talk.say('STARTTLS')
  if (!reply)
    return broken(
      `STARTTLS is offered and the session ends at it: ${talk.breakdown?.message}`,
      'STARTTLS is offered and the session ends at it',
    )
  return reply.code === 454
    ? refused(`STARTTLS is refused: ${reply.text}`)
    : broken(
        `STARTTLS is offered and answered with ${reply.text}`,
        `STARTTLS is offered and answered with ${reply.code}`,
      )
}

/** All that is between the certificate and a root has to come with the certificate; RFC 8446 s4.4.2. */
export function chainLeadsToRoot(talk: Dialogue): Observation {
  const { breakdown, chainError, conversation } = talk
  if (!talk.secured) return unclear(`there was no TLS: ${breakdown?.message ?? 'it was not begun'}`)
  const { chainLength = 0 } = conversation.handshake?.serverCertificate ?? {}
  const shown = `${chainLength} ${chainLength === 1 ? 'certificate' : 'certificates'}`
  return chainError === undefined
    ? kept(`a chain of ${shown} leads to a trusted root`)
    : broken(`a chain of ${shown} leads to no trusted root: ${chainError}`)
}

/** Begins TLS where the session has not yet. */
export async function handshakeSucceeds(talk: Dialogue): Promise<Observation> {
  if (!talk.secured && !talk.breakdown && talk.last?.code === 250) await talk.startTls()
  if (talk.secured) return kept('the handshake succeeded')
  const { breakdown, last } = talk
  if (breakdown?.breakdown === 'silent') return unclear(breakdown.message)
  if (breakdown && !last) return unclear(`the session did not get so far: ${breakdown.message}`)
  return breakdown
    ? broken(
        `the handshake did not succeed: ${breakdown.message.replace('malformed: ', '')}`,
        'the handshake did not succeed',
      )
    : broken(`the handshake was not begun: ${last?.text}`, 'the handshake was not begun')
}

export async function takesMessage(talk: Dialogue): Promise<Observation> {
  await talk.transaction()
  if (talk.breakdown?.breakdown === 'silent') return unclear(talk.breakdown.message)
  if (talk.breakdown) return broken(`the session ended: ${talk.breakdown.message}`, 'the session ended')
  return talk.last?.code === 250
    ? kept('the session went on and took a message')
    : broken(`refused: ${talk.last?.text}`, `refused: ${talk.last?.code}`)
}

/** The control of smuggling: one command inside TLS, one answer to it. */
export async function answersInOrder(talk: Dialogue): Promise<Observation> {
  await talk.greet()
  await talk.say('QUIT')
  if (talk.breakdown?.breakdown === 'silent') return unclear(`inside TLS: ${talk.breakdown.message}`)
  if (talk.breakdown)
    return broken(`inside TLS: ${talk.breakdown.message}`, `inside TLS: ${talk.breakdown.breakdown}`)
  const [greeting, goodbye] = talk.replies.slice(-2)
  if (greeting?.code !== 250 || goodbye?.code !== 221)
    return broken(
      `inside TLS it answered ${greeting?.text} and ${goodbye?.text}`,
      `inside TLS it answered ${greeting?.code}`,
    )
  return kept('each command inside TLS got its own answer')
}

/**
 * RFC 3207 s4.2 and CVE-2011-0411: what crossed in clear behind STARTTLS is dropped, or the session ends. `alive`:
 * whether the gateway greets on a new connection afterwards; a server that crashed refuses nothing.
 */
export function nothingTookEffect(talk: Dialogue, alive: boolean): Observation {
  const { breakdown, secured, replies, surplus, smuggled } = talk
  if (!smuggled)
    return unclear(`the session did not get so far: ${breakdown?.message ?? talk.last?.text ?? 'no reply'}`)
  if (breakdown && !alive)
    return unclear(`the session ended, and the gateway does not greet any more: ${breakdown.message}`)
  if (breakdown?.breakdown === 'malformed') return unclear(breakdown.message)
  if (!secured) {
    if (breakdown?.breakdown === 'silent') return unclear(breakdown.message)
    if (breakdown) return refused(`it ended the session at the handshake: ${breakdown.message}`)
    const { code, text } = talk.last!
    return code >= 400
      ? refused(`it refused STARTTLS with more behind it: ${text}`)
      : broken(`it answered ${text}`, `it answered ${code}`)
  }
  const inside = replies.filter(reply => reply.secured)
  const [first, second] = inside
  if (!first) {
    if (breakdown?.breakdown === 'silent') return unclear(breakdown.message)
    return refused(`it ended the session after the handshake: ${breakdown?.message}`)
  }
  if (surplus.length > 0 || (second && second.code !== 221))
    return broken(
      `the smuggled command was executed inside TLS: ${inside.map(({ text }) => text).join(', ')}`,
      'the smuggled command was executed inside TLS',
    )
  if (smuggled === 'a greeting and a sender behind STARTTLS')
    return first.code >= 400
      ? refused(`inside TLS nobody had begun a message: ${first.text}`)
      : broken(
          `the smuggled sender counts inside TLS: RCPT was answered with ${first.text}`,
          `the smuggled sender counts inside TLS: RCPT was answered with ${first.code}`,
        )
  if (first.code !== 250 || first.lines.length < 2)
    return broken(
      `the first answer inside TLS is not the one to EHLO: ${first.text}`,
      'the first answer inside TLS is not the one to EHLO',
    )
  return refused('inside TLS each command got its own answer and no more')
}

export function loginSucceeds(reply: Reply | undefined): Observation {
  if (!reply) return unclear('the session did not get so far')
  return reply.code === 235
    ? kept('the login succeeds')
    : broken(`the login is refused: ${reply.text}`, `the login is refused: ${reply.code}`)
}

export function loginRefused(reply: Reply | undefined): Observation {
  if (!reply) return unclear('the session did not get so far')
  return reply.code >= 400
    ? refused(`the login is refused: ${reply.text}`)
    : broken(`the login succeeds: ${reply.text}`, 'the login succeeds')
}

/** In clear both passwords get the same refusal; RFC 8314 s3 and RFC 4954 s4. */
export function refusedAlike(right: Reply | undefined, wrong: Reply | undefined): Observation {
  if (!right || !wrong) return unclear('the sessions did not get so far')
  const taken = [right, wrong].find(({ code }) => code < 400)
  if (taken) return broken(`a login in clear succeeds: ${taken.text}`, 'a login in clear succeeds')
  if (withoutMark(right) !== withoutMark(wrong))
    return broken(
      `the refusal tells which password was right: ${right.text} and ${wrong.text}`,
      'the refusal tells which password was right',
    )
  return refused(`both refused alike: ${right.text}`)
}

/** Some servers put a mark of their own into each reply, to find it in their log: `(3f6I7TNSmqr19PCfKMFzUQ)`. */
const withoutMark = ({ text }: Reply): string => text.replace(/ \([\w-]{16,}\)$/, '')

function notGreeted({ breakdown, last, conversation }: Dialogue): Observation | undefined {
  if (breakdown) return unclear(`the session did not get so far: ${breakdown.message}`)
  return last?.code === 250
    ? undefined
    : unclear(`${conversation.receiver} does not greet: ${last?.text ?? 'no reply'}`)
}
