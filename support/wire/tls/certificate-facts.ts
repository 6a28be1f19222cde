import type { X509Certificate } from 'node:crypto'
import type { CertificateFacts } from '../conversation.ts'
import { printable } from '../printable.ts'

/** The parts of a certificate that a report shows. Names come from a peer: escaped, at most 100 names of at most 255 characters. */
export function certificateFacts(certificate: X509Certificate, chainLength: number): CertificateFacts {
  const { subject, issuer, subjectAltName, validFrom, validTo, fingerprint256 } = certificate
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
  }
}

function oneLine(name: string | undefined): string {
  return printable((name ?? '').split('\n').join(', '), 400)
}
