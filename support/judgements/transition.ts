import type { Gateway } from '../gateway/gateway.ts'
import type { Mailbox } from '../lab/mailbox/mailbox.ts'
import type { Message } from '../traffic/message.ts'
import type { Stream } from '../traffic/stream.ts'
import { broken, kept, unclear } from '../verdicts/observation.ts'
import type { Observation } from '../verdicts/verdict.ts'

export type Authority = 'former' | 'new'

/** Where the messages of a stream are that are not in the mailbox once. */
export interface Arrivals {
  /** Accepted, and neither in the mailbox nor in the gateway's queue, where that can be looked into. */
  missing: Message[]
  /** In the gateway's queue to the end. */
  queued: Message[]
  doubled: Message[]
}

/** Waits for everything that was accepted. What is not there in time is tried once more: it may wait for that alone. */
export async function arrivalsOf(
  { accepted }: Stream,
  mailbox: Mailbox,
  gateway: Pick<Gateway, 'holds' | 'retry' | 'flow' | 'patience'>,
  { retries = true } = {},
): Promise<Arrivals> {
  const awaited = (messages: readonly Message[]) =>
    filtered(messages, async ({ token }) => (await mailbox.await(token, gateway.patience)).length === 0)
  // Both: a return of the message is addressed to its sender.
  const holds = async (addresses: readonly string[]) =>
    (await Promise.all(addresses.map(async address => gateway.holds?.(address)))).every(Boolean)
  const held = (messages: readonly Message[]) => filtered(messages, ({ from, to }) => holds([from, ...to]))
  let missing = await awaited(accepted)
  if (missing.length > 0 && retries && (!gateway.holds || (await held(missing)).length > 0)) {
    await gateway.retry(gateway.flow.domain)
    missing = await awaited(missing)
  }
  const queued = await held(missing)
  // The queue first: what has left it since is in the mailbox now.
  const copies = await Promise.all(accepted.map(async ({ token }) => (await mailbox.find(token)).length))
  return {
    missing: accepted.filter((message, place) => copies[place] === 0 && !queued.includes(message)),
    queued: accepted.filter((message, place) => copies[place] === 0 && queued.includes(message)),
    doubled: accepted.filter((_, place) => copies[place]! > 1),
  }
}

/** Everything that was accepted is in the mailbox once, and nothing was refused for good. */
export function eachArrivedOnce(stream: Stream, { missing, queued, doubled }: Arrivals): Observation {
  const { accepted, lost } = stream
  const first = ([message]: readonly Message[]) =>
    message ? ` (${[message.token, stream.reply(message)].join(': ')})` : ''
  if (lost.length > 0) return broken(`${lost.length} messages were never accepted${first(lost)}`)
  if (accepted.length < 2) return unclear('no mail flowed')
  if (missing.length > 0)
    return broken(`${missing.length} of ${accepted.length} accepted messages did not arrive${first(missing)}`)
  if (doubled.length > 0)
    return broken(`${doubled.length} of ${accepted.length} messages arrived more than once${first(doubled)}`)
  if (queued.length > 0)
    return unclear(
      `${queued.length} of ${accepted.length} accepted messages are still in the gateway's queue${first(queued)}`,
    )
  return kept(`all ${accepted.length} messages arrived once`)
}

/** Those for which it holds. */
async function filtered(
  messages: readonly Message[],
  holds: (message: Message) => Promise<boolean>,
): Promise<Message[]> {
  const held = await Promise.all(messages.map(holds))
  return messages.filter((_, place) => held[place])
}

/** So many sessions in a row must show the new certificate before a change counts as done. */
export const SETTLED = 5

/** Every session showed the certificate of one authority, none out of date. */
export function showsThroughout({ sessions }: Stream, authority: Authority): Observation {
  const seen = shown(sessions)
  if (!Array.isArray(seen)) return seen
  const other = seen.find(one => one !== authority)
  return other
    ? broken(`a session showed the ${other} certificate`)
    : kept(`${seen.length} sessions showed the ${authority} certificate`)
}

/**
 * Sessions that ended before the change began showed the former certificate, and the last ones the new one. In between
 * either may show: a server of many processes lets those that are under way come to their end.
 */
export function showsChange({ sessions, changedAt }: Stream): Observation {
  const seen = shown(sessions)
  if (!Array.isArray(seen)) return seen
  if (changedAt === undefined) return unclear('nothing was changed')
  const before = shown(sessions.filter(({ at }) => at < changedAt))
  if (!Array.isArray(before)) return unclear('no session was seen before the change')
  if (before.includes('new')) return broken('a session showed the new certificate before the change')
  const last = seen.slice(-SETTLED)
  if (last.length < SETTLED) return unclear('too few sessions were seen')
  if (last.includes('former')) return broken('sessions still showed the former certificate after the change')
  return kept(`${before.length} sessions showed the former certificate, and after the change the new one`)
}

/** Which authority stands behind the certificate of each session, or what is wrong with one. */
function shown(sessions: Stream['sessions']): Authority[] | Observation {
  const seen: Authority[] = []
  for (const { at, handover } of sessions)
    for (const { handshake } of handover.conversations) {
      const certificate = handshake?.serverCertificate
      if (!certificate) continue
      const { notBefore, notAfter, issuer } = certificate
      if (at < Date.parse(notBefore) || at > Date.parse(notAfter))
        return broken(`a session showed a certificate outside its validity (${notBefore} to ${notAfter})`)
      const authority = /\b(former|new)\b/.exec(issuer)?.[1] as Authority | undefined
      if (!authority) return broken(`a session showed a certificate of ${issuer}`)
      seen.push(authority)
    }
  return seen.length > 0 ? seen : unclear('no session showed a certificate')
}
