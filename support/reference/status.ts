import { X509Certificate } from 'node:crypto'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { isCurrent, pathOf } from '../pki/chain.ts'
import type { StatusReport } from '../traffic/revocation-check.ts'
import { lookupAt } from './resolver.ts'

/** How long the gateway waits for one answer about a status, in ms. */
const WAIT = 8_000
/** Longest certificate of an issuer, in bytes, and how many are fetched for one path. */
const MOST = 64 * 1024
const MAX_FETCHES = 4
/** The extension of RFC 7633 by its object identifier, 1.3.6.1.5.5.7.1.24, in DER. */
const TLS_FEATURE = Buffer.from('06082b06010505070118', 'hex')

/** Whether a certificate promises that servers send along an answer about its status: RFC 7633. */
export const promisesStapling = ({ raw }: X509Certificate): boolean => raw.includes(TLS_FEATURE)

/** Whether a certificate names addresses of its status or of its issuer, or there is something else to judge. */
export const hasStatus = ({ infoAccess }: X509Certificate): boolean =>
  /^(OCSP|CA Issuers) - /m.test(infoAccess ?? '')

/** Whether OpenSSL found no issuer of a certificate, in its word. */
export const lacksIssuer = (chainError: string | undefined): boolean =>
  /^UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)/.test(chainError ?? '')

/**
 * Whether a certificate leads to a trusted root once the issuers that the partner left out have been fetched from where it
 * says: RFC 5280 s4.2.2.1.
 */
export async function leadsToRoot(shown: X509Certificate, { trust, network }: MailFlow): Promise<boolean> {
  if (!hasStatus(shown)) return false
  const { fetched, NotFetched } = await import('../traffic/fetching.ts')
  const { attributesOf } = await import('../pki/attributes.ts')
  const store = trust.map(pem => new X509Certificate(pem))
  const known = [shown]
  const how = { lookup: lookupAt(network.resolver), wait: WAIT, most: MOST }
  for (let fetches = 0; fetches < MAX_FETCHES; fetches++) {
    const { certificates, trusted } = pathOf(known, store)
    if (trusted)
      return certificates.every((one, depth) => isCurrent(one, Date.now()) && (depth === 0 || one.ca))
    const [address] = attributesOf(certificates.at(-1)!).addresses.issuer
    if (!address) return false
    try {
      known.push(new X509Certificate(await fetched(address, how)))
    } catch (error) {
      if (error instanceof NotFetched || (error as NodeJS.ErrnoException).code?.startsWith('ERR_OSSL'))
        return false
      throw error
    }
  }
  return false
}

/** What is known of the status of each certificate of a partner, the own one first; of issuers, if they name where to ask. */
export async function statusOf(
  shown: X509Certificate,
  { stapled, suffices = false }: { stapled?: Buffer; suffices?: boolean },
  { trust, network }: MailFlow,
): Promise<StatusReport[]> {
  // Loaded here, because few partners have such a certificate.
  const { checkRevocation } = await import('../traffic/revocation-check.ts')
  const path: X509Certificate[] = []
  for (let next: X509Certificate | undefined = shown; next; next = next.issuerCertificate) path.push(next)
  const store = trust.map(pem => new X509Certificate(pem))
  const lookup = lookupAt(network.resolver)
  const about = { lookup, wait: WAIT, ...(stapled ? { stapled } : {}), stapledSuffices: suffices }
  const reports = await checkRevocation(path, store, about)
  return reports.filter(({ sources }, place) => place === 0 || sources.length > 0)
}
