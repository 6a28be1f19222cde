import type { Message } from '../evidence/mail.ts'
import { type Arrivals, lastAnswer, type MailStream } from '../evidence/mail-stream.ts'
import { putOff } from '../evidence/temporary-refusal.ts'
import { broken, kept, type Observation, unclear } from '../verdicts/observation.ts'
import type { CertificateFacts, Conversation } from '../wire/conversation.ts'

export type Authority = 'former' | 'new'

/** Every message that the gateway accepted is in the mailbox once, and the gateway refused no message for good. */
export function eachArrivedOnce(stream: MailStream, { missing, queued, doubled }: Arrivals): Observation {
  const { accepted, neverAccepted } = stream
  const first = ([message]: readonly Message[]) =>
    message ? ` (${[message.token, lastAnswer(stream, message)].join(': ')})` : ''
  const [never] = neverAccepted
  const { reply, stage } = (never && stream.lastAttempts[never.token]) ?? {}
  const excuse = reply && stage && putOff(reply, stage)
  if (excuse) return unclear(`${neverAccepted.length} messages were never accepted: ${excuse}`)
  if (neverAccepted.length > 0)
    return broken(
      `${neverAccepted.length} messages were never accepted${first(neverAccepted)}`,
      'messages were never accepted',
    )
  if (accepted.length < 2) return unclear('the gateway accepted too few messages')
  if (missing.length > 0)
    return broken(
      `${missing.length} of ${accepted.length} accepted messages did not arrive${first(missing)}`,
      'accepted messages did not arrive',
    )
  if (doubled.length > 0)
    return broken(
      `${doubled.length} of ${accepted.length} messages arrived more than once${first(doubled)}`,
      'messages arrived more than once',
    )
  if (queued.length > 0)
    return unclear(
      `${queued.length} of ${accepted.length} accepted messages are still in the gateway's queue${first(queued)}`,
    )
  return kept(`all ${accepted.length} messages arrived once`)
}

/** So many sessions in a row must show the new certificate before a change counts as done. */
export const SESSIONS_AFTER_CHANGE = 5

/** Every session showed a certificate of this authority, within its validity. */
export function showsThroughout({ sessions }: MailStream, authority: Authority): Observation {
  const seen = shown(sessions)
  if (!Array.isArray(seen)) return seen
  const other = seen.find(one => one !== authority)
  return other
    ? broken(`a session showed the ${other} certificate`)
    : kept(`${seen.length} sessions showed the ${authority} certificate`)
}

/**
 * Sessions before the change showed the former certificate, and the last ones showed the new one. In between either may
 * show: a gateway of several processes lets each of them finish its sessions.
 */
export function showsChange({ sessions, changedAt }: MailStream): Observation {
  const seen = shown(sessions)
  if (!Array.isArray(seen)) return seen
  if (changedAt === undefined) return unclear('nothing was changed')
  const before = shown(sessions.filter(({ at }) => at < changedAt))
  if (!Array.isArray(before)) return unclear('no session was seen before the change')
  if (before.includes('new')) return broken('a session showed the new certificate before the change')
  const last = seen.slice(-SESSIONS_AFTER_CHANGE)
  if (last.length < SESSIONS_AFTER_CHANGE) return unclear('too few sessions were seen')
  if (last.includes('former')) return broken('sessions still showed the former certificate after the change')
  return kept(`${before.length} sessions showed the former certificate, and after the change the new one`)
}

/** The gateway met both certificates. One that keeps its connection open meets only the first. */
export function showsBoth(wire: readonly Conversation[]): Observation {
  const seen = new Set(wire.flatMap(({ handshake }) => authorityOf(handshake?.serverCertificate) ?? []))
  return seen.size > 1
    ? kept('the gateway saw the former certificate and the new one')
    : unclear(
        `the gateway saw ${[...seen].map(one => `the ${one} certificate alone`)[0] ?? 'no certificate'}`,
      )
}

const authorityOf = (certificate: CertificateFacts | undefined): Authority | undefined =>
  /\b(former|new)\b/.exec(certificate?.issuer ?? '')?.[1] as Authority | undefined

/** The authority behind the certificate of each session, or what is wrong with a certificate. */
function shown(sessions: MailStream['sessions']): Authority[] | Observation {
  const seen: Authority[] = []
  for (const { at, handover } of sessions)
    for (const { handshake } of handover.conversations) {
      const certificate = handshake?.serverCertificate
      if (!certificate) continue
      const { notBefore, notAfter, issuer } = certificate
      if (at < Date.parse(notBefore) || at > Date.parse(notAfter))
        return broken(
          `a session showed a certificate outside its validity (${notBefore} to ${notAfter})`,
          'a session showed a certificate outside its validity',
        )
      const authority = authorityOf(certificate)
      if (!authority) return broken(`a session showed a certificate of ${issuer}`)
      seen.push(authority)
    }
  return seen.length > 0 ? seen : unclear('no session showed a certificate')
}
