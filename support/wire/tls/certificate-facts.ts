import { createHash, type KeyObject, type X509Certificate } from 'node:crypto'
import type { CertificateFacts } from '../conversation.ts'
import { printable } from '../printable.ts'

/** The parts of a certificate that a report shows. Names come from a peer: escaped, at most 100 names of at most 255 characters. */
export function certificateFacts(certificate: X509Certificate, chainLength: number): CertificateFacts {
  const { subject, issuer, subjectAltName, validFrom, validTo, fingerprint256 } = certificate
  const { signatureAlgorithm: signature, keyUsage: usages } = certificate
  return {
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    names: [...(subjectAltName ?? '').matchAll(/DNS:("[^"]*"|[^,]*)/g)]
      .slice(0, 100)
      .map(([, name]) => printable(name!, 255)),
    notBefore: validFrom,
    notAfter: validTo,
    fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
    chainLength,
    ...keyOf(certificate),
    ...(signature === undefined ? {} : { signature: printable(signature, 100) }),
    ...(usages === undefined ? {} : { usages: usages.slice(0, 100).map(usage => printable(usage, 100)) }),
  }
}

/** SHA-256 over the SubjectPublicKeyInfo (RFC 5280 s4.1.2.7), lower-case hex. */
export const keyFingerprint = (publicKey: KeyObject): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')

/** Nothing where the library does not know the kind of key. */
export function keyOf(certificate: X509Certificate): Pick<CertificateFacts, 'key' | 'keyFingerprint'> {
  try {
    const { publicKey } = certificate
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey
    if (type === undefined) return {}
    const { modulusLength: bits, namedCurve: curve } = details ?? {}
    return {
      key: { type, ...(bits === undefined ? {} : { bits }), ...(curve === undefined ? {} : { curve }) },
      keyFingerprint: keyFingerprint(publicKey),
    }
  } catch {
    return {}
  }
}

function oneLine(name: string | undefined): string {
  return printable((name ?? '').split('\n').join(', '), 400)
}
