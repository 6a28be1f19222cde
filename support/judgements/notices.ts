import { isGivenUp, type Notices, type Sent } from '../evidence/sent.ts'
import { broken, kept, type Observation, refused, unclear } from '../verdicts/observation.ts'

/**
 * The author got one delivery status notification (RFC 3464) with a null return path (RFC 5321 s6.1). `later`: a message
 * to the author, sent after the first notification; once it has arrived, a second notification would be there too.
 */
export function authorNotified(sent: Sent, { toAuthor }: Notices, later: Sent): Observation {
  const trouble = notGivenUp(sent)
  if (trouble) return trouble
  const notices = toAuthor.filter(({ content }) => !content.includes(later.message.token))
  const [notice, another] = notices
  if (!notice) return broken('the gateway gave the message up and did not tell its author')
  if (another) return broken(`the author got ${notices.length} notifications`)
  if (later.arrivals.length === 0) return unclear('not even a later message reached the author')
  if (notice.from !== '')
    return broken(
      `the notification has the return path ${notice.from}`,
      'the notification has the return path',
    )
  if (!notice.content.includes(sent.recipient)) return broken('the notification does not name the recipient')
  return kept('the author got one notification with a null return path')
}

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
