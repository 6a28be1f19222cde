import type { Stage } from '../evidence/handover.ts'
import { namesTls } from '../evidence/temporary-refusal.ts'
import type { Reply } from '../wire/smtp/smtp.ts'
import type { ClientManner } from './client-manner.ts'

/** Replies to what a server does not understand or does not do: RFC 5321 s4.2.2 and s4.1.1.11. */
const NOT_UNDERSTOOD = new Set([500, 501, 502, 503, 504, 555])
/** What every server has to take, in bytes: RFC 5321 s4.5.3.1.7. */
const SMALLEST_LIMIT = 64 * 1024

/** The status of a reply is one of security or policy, or its words are about TLS: RFC 3463 s3.8. */
export const isAboutTls = (reply: Reply): boolean =>
  namesTls(reply) || reply.code === 454 || /^[45]\.7\./.test(reply.enhanced ?? '')

/**
 * The part of the manner that a gateway may lawfully refuse to go along with, where this reply refuses it; nothing where
 * the reply is about something else. `size`: of the message, in bytes.
 */
export function declinedPart(
  manner: ClientManner,
  { stage, reply, size }: { stage: Stage; reply: Reply; size: number },
): string | undefined {
  const { code, enhanced = '' } = reply
  if (code < 500 || isAboutTls(reply)) return undefined
  const { greeting, sender, parameters, transfer, commandEnd } = manner
  if (code === 552 && size > SMALLEST_LIMIT) return `a message of ${size} bytes`
  const notUnderstood = NOT_UNDERSTOOD.has(code)
  // Names in EHLO may be refused for what they are.
  if (stage === 'EHLO' && greeting && (notUnderstood || code === 550 || code === 554)) return greeting
  // 503 is about the order of commands, and not about what MAIL says.
  const aboutMail = stage === 'MAIL' && code !== 503
  if (aboutMail && parameters && (notUnderstood || code === 552)) return `the parameter ${parameters}`
  const address = notUnderstood || code === 553 || /^5\.[15]\./.test(enhanced)
  // A null sender must be taken: RFC 5321 s4.5.5.
  if (aboutMail && sender && sender !== 'null' && address) return `the sender: ${sender}`
  if (stage === 'content' && transfer?.startsWith('BDAT') && notUnderstood) return transfer
  return commandEnd && notUnderstood ? commandEnd : undefined
}

/**
 * The part of the manner that an alert is about; nothing where the handshake failed over something else. `reason`: in
 * OpenSSL's words. RFC 8446 s6.2, RFC 6066 s3.
 */
export function declinedInHandshake(manner: ClientManner, reason: string): string | undefined {
  const { tlsVersion, session, serverName } = manner
  if (/protocol version/.test(reason))
    return tlsVersion ?? (session === 'resumed by id' ? 'TLS 1.2' : undefined)
  if (serverName && /unrecognized name|missing extension/.test(reason)) return `a server name: ${serverName}`
  return undefined
}
