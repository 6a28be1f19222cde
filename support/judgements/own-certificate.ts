import { isIP } from 'node:net'
import { isWeakKey, oldHash } from '../catalogue/tls-profiles.ts'
import { isNamed } from '../evidence/offer-differences.ts'
import type { Session } from '../evidence/session.ts'
import { day, daysUntil } from '../quantities.ts'
import { broken, kept, type Observation, unclear } from '../verdicts/observation.ts'
import type { CertificateFacts } from '../wire/conversation.ts'

/** RFC 5280 s4.2.1.12: for servers, and for everything. */
const FOR_SERVERS = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0']

/** The certificate of the gateway, or why there is none to look at. */
function shown({ conversation, breakdown }: Session): CertificateFacts | Observation {
  const { serverCertificate } = conversation.handshake ?? {}
  return serverCertificate ?? unclear(`no certificate was seen: ${breakdown?.detail ?? 'there was no TLS'}`)
}

/** RFC 5280 s4.1.2.5, by the clock of the suite. */
export function isWithinItsDates(session: Session): Observation {
  const certificate = shown(session)
  if ('kind' in certificate) return certificate
  const { startedAt } = session.conversation
  const { notBefore, notAfter } = certificate
  if (daysUntil(notAfter, startedAt) < 0)
    return broken(
      `the gateway's certificate expired on ${day(notAfter)}`,
      "the gateway's certificate expired",
    )
  if (Date.parse(notBefore) > Date.parse(startedAt))
    return broken(
      `the gateway's certificate is not valid before ${day(notBefore)}`,
      "the gateway's certificate is not valid before",
    )
  return kept(`the gateway's certificate is valid until ${day(notAfter)}`)
}

/** RFC 9525 s6.3: the alternative names alone count, and a wildcard stands for one label. */
export function isForOwnName(session: Session, hostname: string): Observation {
  const certificate = shown(session)
  if ('kind' in certificate) return certificate
  if (isIP(hostname)) return unclear('the gateway is known by an address alone, so no name can be expected')
  const { names, subject } = certificate
  if (isNamed(names, hostname)) return kept(`the gateway's certificate is for ${hostname}`)
  const said =
    names.length > 0
      ? `is for ${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more names` : ''}`
      : `has no alternative name (its subject is ${subject || 'empty'})`
  return broken(`the gateway's certificate ${said}, and not for ${hostname}`, `and not for ${hostname}`)
}

/** Usage, key and signature. RFC 5280 s4.2.1.12, RFC 9325 s4.5. */
export function isFitForServer(session: Session): Observation {
  const certificate = shown(session)
  if ('kind' in certificate) return certificate
  const { key, signature = 'an unknown algorithm', usages } = certificate
  if (usages && !usages.some(usage => FOR_SERVERS.includes(usage)))
    return broken("the gateway's certificate is not for servers")
  if (oldHash(signature)) return broken(`the gateway's certificate is signed with ${signature}`)
  if (key && isWeakKey(key))
    return broken(
      `the key of the gateway's certificate ${key.curve === undefined ? `has ${key.bits} bits` : `is on the curve ${key.curve}`}`,
    )
  const size = key?.bits === undefined ? (key?.curve ?? '') : `${key.bits} bits`
  return kept(
    `the gateway's certificate has ${[key?.type ?? 'an unknown key', size].filter(Boolean).join(' ')}, signed with ${signature}`,
  )
}
