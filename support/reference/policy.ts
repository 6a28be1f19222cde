import {
  covers,
  decisive,
  type InboundConnector,
  type MailFlow,
  OUTBOUND_LEVELS,
  type OutboundConnector,
  type OutboundLevel,
} from '../mailflow/mail-flow.ts'
import { certificateFacts } from '../wire/tls/certificate-facts.ts'
import type { TlsSession } from './channel.ts'
import type { ReceiverDefects, SenderDefects } from './defects.ts'

/** What a recipient domain asks of the session that carries its mail. */
export interface Demand {
  level: OutboundLevel
  /** Name that the certificate must bear at domain validation; a leading `*.` covers one label. */
  name: string
  /** For `sharesWeakest`: STARTTLS is not even looked for. */
  inClear?: true
}

export function demandFor(flow: MailFlow, domain: string, defects: SenderDefects): Demand {
  const escapes = defects.heedsCapitals && domain !== domain.toLowerCase()
  const connector = escapes ? undefined : outboundConnector(flow.outbound, domain, defects)
  const parent = (name: string) => name.slice(name.indexOf('.') + 1)
  const trusts = defects.trustsOwnOrganisation && parent(domain) === parent(flow.domain)
  const level = (trusts ? undefined : connector?.tls) ?? 'opportunistic'
  const forcedElsewhere =
    defects.forcesAll ||
    defects.bouncesWithoutTls ||
    (defects.heedsInboundConnectors && decisive(flow.inbound, domain)?.tls === 'required')
  return {
    level: level === 'opportunistic' && forcedElsewhere ? 'encryption-only' : level,
    name: connector?.tlsDomain ?? domain.toLowerCase(),
  }
}

function outboundConnector(
  connectors: OutboundConnector[],
  domain: string,
  defects: SenderDefects,
): OutboundConnector | undefined {
  if (defects.firstConnectorDecides) return connectors.find(({ to }) => covers(to, domain))
  const found = decisive(
    defects.ignoresExactConnectors ? connectors.filter(({ to }) => to.startsWith('*.')) : connectors,
    domain,
  )
  if (found || !defects.coversSubdomains) return found
  return connectors.find(({ to }) => domain.endsWith(`.${to}`))
}

export const stricter = (one: OutboundLevel, other: OutboundLevel): OutboundLevel =>
  OUTBOUND_LEVELS.indexOf(one) < OUTBOUND_LEVELS.indexOf(other) ? other : one

/** Node has no word for it: OpenSSL's error 79, an issuer without the CA flag. */
const NO_CA = 'UNSPECIFIED'

/** What is wrong with a partner's certificate at this level, or nothing. */
export function shortcoming(
  { chainError, certificate }: TlsSession,
  { level, name }: Demand,
  defects: SenderDefects,
): string | undefined {
  const looks = level === 'certificate-validation' || level === 'domain-validation'
  if (level === 'encryption-only' && defects.comparesNamesAtEncryptionOnly && certificate)
    return bears(certificateFacts(certificate, 1).names, name) ? undefined : `it is not ${name}`
  if (defects.takesAnyCertificate || !(looks || strictAnyway(level, defects))) return undefined
  if (!certificate) return 'it shows no certificate'
  const late = /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/.test(chainError ?? '')
  const excused =
    (late ? defects.ignoresDates : defects.ignoresIssuer) ||
    (defects.ignoresFuture && chainError === 'CERT_NOT_YET_VALID') ||
    (defects.takesSelfSigned && chainError === 'DEPTH_ZERO_SELF_SIGNED_CERT') ||
    (defects.ignoresCaFlag && chainError === NO_CA)
  if (chainError && !excused) return `its certificate is not accepted: ${chainError}`
  const compares = level === 'domain-validation' || defects.comparesNamesAtChainLevel
  if (!compares || defects.ignoresNames) return undefined
  const { names } = certificateFacts(certificate, 1)
  return bears(names, name, {
    wildcardSuffix: defects.comparesWildcardSuffix,
    nameSuffix: defects.comparesNameSuffix,
    beginning: defects.comparesBeginning,
  })
    ? undefined
    : `its certificate names ${names.join(', ') || 'nobody'}, not ${name}`
}

const strictAnyway = (level: OutboundLevel, defects: SenderDefects): boolean =>
  Boolean(
    level === 'opportunistic'
      ? defects.validatesOpportunistic || defects.holdsUnverified
      : defects.validatesEncryptionOnly,
  )

/** Whether one of the names of a certificate is the expected one, or below it where that begins with `*.`. */
export function bears(
  names: readonly string[],
  expected: string,
  loose: {
    wildcardSuffix?: true | undefined
    nameSuffix?: true | undefined
    beginning?: true | undefined
  } = {},
): boolean {
  const wanted = expected.toLowerCase()
  return names
    .map(name => name.toLowerCase())
    .some(name => {
      if (loose.beginning && name.includes(`${wanted.replace(/^\*/, '')}.`)) return true
      if (!wanted.startsWith('*.'))
        return (
          name === wanted ||
          (name.startsWith('*.') && oneBelow(wanted, name)) ||
          (loose.nameSuffix && name.endsWith(wanted))
        )
      return oneBelow(name, wanted) || (loose.wildcardSuffix && name.endsWith(wanted.slice(2)))
    })
}

/** `mx.partner.test` for `*.partner.test`. */
const oneBelow = (name: string, pattern: string): boolean =>
  name.endsWith(pattern.slice(1)) && /^[^.]+$/.test(name.slice(0, 1 - pattern.length))

/** The connector for mail from a domain; `*` stands for every sender that no other names. */
export function inboundConnector(
  flow: MailFlow,
  domain: string,
  defects: ReceiverDefects,
): InboundConnector | undefined {
  if (defects.heedsCapitals && domain !== domain.toLowerCase()) return undefined
  const own = decisive(flow.inbound, domain) ?? flow.inbound.find(({ from }) => from === '*')
  const outbound = decisive(flow.outbound, domain)
  return defects.heedsOutboundConnectors && outbound && outbound.tls !== 'opportunistic'
    ? { ...own, from: outbound.to, tls: 'required' }
    : own
}

/** Whether the sender's certificate authenticates it under a name. */
export function authenticates(
  { certificate, chainError }: TlsSession,
  name: string,
  defects: ReceiverDefects,
  /** What the connectors of others expect. */
  others: readonly string[],
): boolean {
  if (defects.asksForNoCertificate || (defects.letsEmptyCertificateIn && !certificate)) return true
  const excused =
    defects.ignoresChain ||
    (defects.ignoresDates && chainError === 'CERT_HAS_EXPIRED') ||
    (defects.ignoresUsage && chainError === 'INVALID_PURPOSE') ||
    (defects.ignoresCaFlag && chainError === NO_CA) ||
    (defects.ignoresIssuer && !/EXPIRED|NOT_YET|PURPOSE/.test(chainError ?? ''))
  if (!certificate || (chainError && !excused)) return false
  if (defects.ignoresNames) return true
  const { names } = certificateFacts(certificate, 1)
  return (
    bears(names, name, { wildcardSuffix: defects.comparesSuffix, beginning: defects.comparesBeginning }) ||
    (defects.takesNamesOfOthers === true && others.some(other => bears(names, other)))
  )
}
