import { secured } from '../evidence/facts.ts'
import { headersOf } from '../evidence/mail.ts'
import type { PassedOn, Sent } from '../evidence/sent.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { broken, kept, type Observation, unclear } from '../verdicts/observation.ts'
import type { Conversation } from '../wire/conversation.ts'
import { arrivesInClear, carriers } from './outbound.ts'
import { isBy, isTrueOf } from './received-lines.ts'

const received = (headers: ReturnType<typeof headersOf>): string[] =>
  headers.flatMap(({ name, value }) => (name === 'received' ? [value] : []))

/**
 * The headers of the message as the gateway sent it: from the gateway's own topmost Received line down. Nothing where no
 * Received line is the gateway's.
 */
function sentOn(content: string, flow: MailFlow) {
  const headers = headersOf(content)
  const own = headers.findIndex(({ name, value }) => name === 'received' && isBy(value, flow))
  return own < 0 ? undefined : headers.slice(own)
}

/**
 * The message came to the gateway over TLS and left it unencrypted, and only the Received line about the first hop
 * claims TLS. `flow`: of the gateway, where the message went to a second server; then only the gateway's lines are judged.
 */
export function onlyFirstHopClaimsTls(sent: Sent, flow?: MailFlow): Observation {
  const clear = arrivesInClear(sent)
  if (clear.kind !== 'kept') return clear
  const arrival = sent.arrivals[0]
  if (!arrival || !sent.submission) return unclear('the lab did not see both hops')
  const lines = received((flow ? sentOn(arrival.content, flow) : headersOf(arrival.content)) ?? [])
  if (lines.length === 0) return broken('the gateway added no Received line')
  const first = isTrueOf(lines.at(-1)!, sent.submission)
  if (first.kind !== 'kept') return first
  const claims = lines.filter(line => /\bwith\s+\w*SMTPS|\bTLS/i.test(line)).length
  if (claims > 1)
    return broken(
      `${claims} Received lines claim TLS, but only the first hop had it`,
      'Received lines claim TLS, but only the first hop had it',
    )
  return kept('the Received lines claim TLS for the first hop alone')
}

/** Both hops had TLS, each with a session of its own. */
export function hopsHaveOwnSessions(sent: Sent): Observation {
  const { submission } = sent
  const seconds = carriers(sent)
  if (seconds.length === 0 || !submission) return unclear('the lab did not see both hops')
  if (!secured(submission)) return unclear('the first hop had no TLS')
  const pairs = seconds.map(second => ofTheirOwn(submission, second))
  return pairs.find(({ kind }) => kind === 'broken') ?? pairs.find(({ kind }) => kind !== 'kept') ?? pairs[0]!
}

function ofTheirOwn(submission: Conversation, second: Conversation): Observation {
  if (!secured(second)) return broken('the second hop had no TLS')
  if (!second.handshake?.offered) return unclear('the lab saw no ClientHello on the second hop')
  const hops = [submission, second].map(({ handshake }) => handshake)
  const [one, other] = hops.map(handshake => handshake?.serverCertificate?.fingerprint)
  if (one !== undefined && one === other) return broken('both hops show the same certificate')
  for (const party of ['sender', 'receiver'] as const) {
    const [first, again] = hops.map(handshake => handshake?.randoms?.[party])
    if (first === undefined || again === undefined)
      return unclear('the lab did not see both hellos on both hops')
    if (first === again) return broken(`both hops have the same random of the ${party}`)
  }
  return kept(
    other === undefined
      ? 'each hop has a handshake and randoms of its own'
      : 'each hop has a handshake, randoms and a certificate of its own',
  )
}

/**
 * Neither the message nor the gateway's log says that the message was protected behind the partner. `passedOn`: what the
 * partner passed on; absent where the partner is a second server, from behind which the message came. `log`: lines of
 * the gateway's log about the partner.
 */
export function claimsNothingBehindPartner(
  sent: Sent,
  { passedOn, flow, log }: { passedOn?: PassedOn | undefined; flow: MailFlow; log: readonly string[] },
): Observation {
  const arrival = sent.arrivals[0]
  const passed = passedOn ? passedOn.message : arrival
  if (!arrival || !passed) return unclear('the partner did not pass the message on')
  if (passedOn ? passed.secured : arrival.onwardSecured !== false)
    return unclear('the partner passed the message on over TLS')
  const behind = passedOn?.domain.toLowerCase()
  const claims = received(headersOf(passed.content)).find(
    line => behind && line.toLowerCase().includes(behind),
  )
  if (claims)
    return broken(
      `a Received line claims to know of the hop behind the partner: ${claims.slice(0, 100)}`,
      'a Received line claims to know of the hop behind the partner',
    )
  // A second server adds headers of its own.
  const headers = passedOn ? headersOf(arrival.content) : sentOn(arrival.content, flow)
  if (!headers)
    return unclear('no Received line separates what the gateway wrote from what the second server wrote')
  const header = headers.find(({ value }) => /end.?to.?end/i.test(value))
  if (header) return broken(`the header ${header.name} claims protection from end to end`)
  const line = log.find(line => /end.?to.?end/i.test(line))
  if (line)
    return broken(
      `the log claims protection from end to end: ${line.slice(0, 100)}`,
      'the log claims protection from end to end',
    )
  return kept('neither the message nor the log mentions what is behind the partner')
}
