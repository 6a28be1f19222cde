import type { Sent } from '../evidence/sent.ts'
import type { SeenRequest } from '../evidence/web.ts'
import { broken, kept, type Observation, unclear } from '../verdicts/observation.ts'
import type { CheckSays } from './checks.ts'

/** At these hosts, an issuer's certificate is no status. */
const aboutStatus = (requests: readonly SeenRequest[]): SeenRequest[] =>
  requests.filter(({ host }) => !host.startsWith('certificates.'))

/** The gateway has asked nobody for the status of the partner's certificate: OCSP-03. */
export function asksNobody(requests: readonly SeenRequest[]): Observation {
  const [first] = aboutStatus(requests)
  return first
    ? broken(
        `the gateway asked ${first.host} for the status that the partner had sent along`,
        'for the status that the partner had sent along',
      )
    : kept('the gateway asked nobody for the status')
}

/** The log has a warning about the status of the certificate: EXO-REV-02. `lines`: those about the partner. */
export function warnsOfStatus(lines: readonly string[]): Observation {
  const warning = lines.find(line => /\bwarn/i.test(line) && /status|revocation|OCSP|CRL/i.test(line))
  return warning
    ? kept(`the log warns: ${warning}`)
    : broken('the log of the gateway does not say that the status of the certificate is not known')
}

/**
 * The gateway has asked at the hosts that the partner's certificate names before it sent the message: EXO-REV-01. An issuer's
 * certificate is no status. `requests`: those at these hosts.
 */
export function asksForStatus(
  requests: readonly SeenRequest[],
  { arrivals, conversations }: Sent,
): Observation {
  const [first] = aboutStatus(requests)
  if (first) return kept(`the gateway asked ${first.host} for the status of the certificate`)
  if (!conversations.some(({ handshake }) => handshake?.serverCertificate))
    return unclear('the gateway has seen no certificate')
  return broken(
    arrivals.length > 0
      ? 'the gateway asked nobody whether the certificate is revoked, and sent the message'
      : 'the gateway asked nobody whether the certificate is revoked',
    'the gateway asked nobody whether the certificate is revoked',
  )
}

/** Causes for which a status cannot be had, and words by which a gateway names each. EXO-REV-05. */
export const CAUSES = {
  'name resolution': /name|resol|DNS|NXDOMAIN/i,
  refused: /refused|reject/i,
  filtered: /filter|timed? ?out|unreachable/i,
  TLS: /list: TLS|\bTLS handshake|SSL|https/i,
  'HTTP status': /HTTP|\b404\b|not found/i,
  'wrong content': /content|format|pars|malformed/i,
  'wrong signature': /signature/i,
  expired: /expired|out of date|stale|old/i,
} as const
export type Cause = keyof typeof CAUSES

/** What the check says of the partner's certificate: `mail-tls revocation`. */
export interface Checked {
  status: 'good' | 'revoked' | 'undetermined'
  sources: readonly { kind: string; outcome: string }[]
}

const outcomesOf = ({ sources }: Checked): string[] =>
  sources.filter(({ kind }) => kind !== 'issuer').map(({ kind, outcome }) => `${kind}: ${outcome}`)

/** The check of a status, `mail-tls revocation`, on the partner's certificate: EXO-REV-04, -06. */
export const ofStatus = (check: Checked): CheckSays => ({
  good: check.status === 'good',
  says: `the check says ${[check.status, ...outcomesOf(check)].join(', ')}`,
  varies: true,
})

/** The reason for which the message waits names the cause that the check finds: EXO-REV-05. */
export function namesCause(cause: Cause, check: Checked, sent: Sent): Observation {
  const found = outcomesOf(check)
  if (!found.some(one => one.endsWith(`: ${cause}`)))
    return unclear(`the check says ${found.join(', ') || 'nothing'}, not ${cause}`)
  const reason = sent.deliveryEvents.at(-1)?.reason
  if (reason === undefined)
    return unclear('the gateway says nothing about its queue, so its reason is not known')
  // Words in the name of the host do not count.
  const own = reason.replace(/^.*?\): /, '')
  return CAUSES[cause].test(own)
    ? kept(`the check and the gateway name the cause: ${cause}`)
    : broken(
        `the reason of the gateway does not name the cause (${cause}): ${own}`,
        'does not name the cause',
      )
}

/** So many requests are enough for one message and two attempts. */
const FEW = 8

/** No circle: EXO-REV-06. */
export const asksSeldom = (requests: readonly SeenRequest[]): Observation =>
  requests.length <= FEW
    ? kept(`the gateway made ${requests.length} requests`)
    : broken(`the gateway made ${requests.length} requests to the authority`, 'requests to the authority')
