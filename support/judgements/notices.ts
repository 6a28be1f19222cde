import { bodyOf, failureOf, isAboutDelay, namesRecipient } from '../evidence/mail.ts'
import { isGivenUp, type Notices, type Sent } from '../evidence/sent.ts'
import { broken, kept, type Observation, refused, unclear } from '../verdicts/observation.ts'
import { printable } from '../wire/printable.ts'
import { NAMES } from './outbound.ts'

/**
 * The author got one delivery status notification (RFC 3464) with a null return path (RFC 5321 s6.1). `later`: a message
 * to the author, sent after the first notification; once it has arrived, a second notification would be there too.
 */
export function authorNotified(sent: Sent, { toAuthor }: Notices, later: Sent): Observation {
  const trouble = notGivenUp(sent)
  if (trouble) return trouble
  const notices = noticesOf(toAuthor, later)
  const [notice, another] = notices
  if (!notice) return broken('the gateway gave the message up and did not tell its author')
  if (another) return broken(`the author got ${notices.length} notifications`)
  if (later.arrivals.length === 0) return unclear('not even a later message reached the author')
  if (notice.from !== '')
    return broken(
      `the notification has the return path ${notice.from}`,
      'the notification has the return path',
    )
  if (!namesRecipient(notice.content, sent.recipient))
    return broken('the notification does not name the recipient')
  return kept('the author got one notification with a null return path')
}

/** A word about a delay is lawful, and no notification that the message was given up. */
const noticesOf = (toAuthor: Notices['toAuthor'], later: Sent) =>
  toAuthor.filter(({ content }) => !content.includes(later.message.token) && !isAboutDelay(content))

/**
 * As `authorNotified`, and what the notification says itself names TLS or the certificate as the reason. EXO-FRC-03. What it
 * returns of the message does not count: the message may have come to the gateway over TLS.
 */
export function reasonIsTls(sent: Sent, notices: Notices, later: Sent): Observation {
  const notified = authorNotified(sent, notices, later)
  if (notified.kind !== 'kept') return notified
  const [notice] = noticesOf(notices.toAuthor, later)
  const [said = ''] = bodyOf(notice!.content).split(RETURNED, 1)
  if (NAMES.TLS.test(said) || NAMES['the certificate'].test(said))
    return kept('the notification gives TLS as the reason')
  const reason = failureOf(notice!.content, sent.recipient) ?? said.slice(said.indexOf(sent.recipient))
  const silent = 'the notification to the author does not give TLS as the reason'
  return broken(`${silent}: ${printable(reason.replace(/\s+/g, ' '), 300)}`, silent)
}

/** The part of a notification that is the message itself, or its headers: RFC 3462 s2. */
const RETURNED =
  /^Content-Type:\s*(?:message\/(?:global|rfc822)|text\/rfc822-headers)|^-{3,}.*(?:copy|original|message).*$/im

/**
 * The gateway gave up a message without return path and sent no notification; RFC 5321 s4.5.5. `later`: a message to the
 * author, sent after that; once it has arrived, a notification would be there too.
 */
export function nobodyNotified(sent: Sent, { toAuthor, toRecipient }: Notices, later: Sent): Observation {
  const trouble = notGivenUp(sent)
  if (trouble) return trouble
  const told = toAuthor.length - later.arrivals.length + toRecipient.length
  if (told > 0) return broken('the gateway sent a notification about a message without return path')
  return later.arrivals.length > 0
    ? refused('the gateway sent no notification')
    : unclear('not even a later message arrived where a notification would have gone')
}

/** What is to be said of a message that the gateway did not give up; nothing where it did. */
function notGivenUp(sent: Sent): Observation | undefined {
  if (isGivenUp(sent)) return undefined
  const { refusal, deliveryEvents, arrivals, attempts } = sent
  if (refusal !== undefined)
    return unclear(`the gateway did not accept the message that it was to send: ${refusal}`)
  if (arrivals.length > 0) return broken('the message arrived')
  const last = deliveryEvents.at(-1)
  if (!last) return unclear('the gateway said nothing about the message')
  return broken(
    `after ${attempts} attempts the message is still queued: ${last.reason}`,
    'the message is still queued',
  )
}
