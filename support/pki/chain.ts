import { X509Certificate } from 'node:crypto'

/** Certificates of one path at most. */
const MAX_PATH = 10

/** From a certificate up to where its issuers are known. */
export interface Path {
  /** The certificate first, then the issuer of each. */
  certificates: X509Certificate[]
  /** The last one signed itself. */
  complete: boolean
  /** The last one is in the store. */
  trusted: boolean
}

/**
 * The path of the first of the shown certificates. Issuers are looked for in the store first and then among the others:
 * a root that an older one has signed too ends the path where it is trusted itself. Dates, usages and constraints are not
 * looked at.
 */
export function pathOf(shown: readonly X509Certificate[], store: readonly X509Certificate[]): Path {
  const trusted = new Set(store.map(({ fingerprint256 }) => fingerprint256))
  const certificates = [shown[0]!]
  for (;;) {
    const last = certificates.at(-1)!
    const complete = isSelfSigned(last)
    const ends = complete || trusted.has(last.fingerprint256)
    const issuer = ends ? undefined : (issuerIn(store, last) ?? issuerIn(shown, last))
    if (!issuer || certificates.includes(issuer) || certificates.length === MAX_PATH)
      return { certificates, complete, trusted: trusted.has(last.fingerprint256) }
    certificates.push(issuer)
  }
}

export const isSelfSigned = (certificate: X509Certificate): boolean => hasIssued(certificate, certificate)

/** One has the issuer's name and the key that signed. */
const issuerIn = (those: readonly X509Certificate[], certificate: X509Certificate) =>
  those.find(one => hasIssued(one, certificate))

/** By name and key: RFC 5280 s6.1.3 (a). */
export const hasIssued = (issuer: X509Certificate, certificate: X509Certificate): boolean => {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
  } catch {
    // A key or a signature of a kind that this machine does not know.
    return false
  }
}

/** RFC 5280 s4.1.2.5. `now`: in ms since 1970. */
export const isCurrent = ({ validFromDate: from, validToDate: to }: X509Certificate, now: number): boolean =>
  from.getTime() <= now && now <= to.getTime()

const PEM = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/** All certificates in a file, in PEM or one in DER. Throws where one of them cannot be read; none is an empty list. */
export function certificatesIn(content: Buffer): X509Certificate[] {
  const text = content.toString('latin1')
  if (!text.includes('-----BEGIN') && content[0] === 0x30) return [new X509Certificate(content)]
  return [...text.matchAll(PEM)].map(([pem]) => new X509Certificate(pem))
}
