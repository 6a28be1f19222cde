import { createHash, X509Certificate } from 'node:crypto'
import type { CertificateOffer } from '../evidence/offer.ts'
import { printable } from '../wire/printable.ts'
import { certificateFacts } from '../wire/tls/certificate-facts.ts'

export const fingerprintOf = (der: Buffer): string => createHash('sha256').update(der).digest('hex')

/** The certificates that a server shows. */
export class Certificates {
  readonly #found = new Map<string, CertificateOffer>()

  get all(): CertificateOffer[] {
    return [...this.#found.values()]
  }

  /** `chain`: DER, the server's own first. A certificate that nobody can read is left out. */
  take([own, ...others]: readonly Buffer[]): void {
    if (!own || this.#found.has(fingerprintOf(own))) return
    try {
      this.#keep(new X509Certificate(own), 1 + others.length)
    } catch {
      // The handshake with the TLS library says what is wrong with it.
    }
  }

  /** As the TLS library has checked it. `chainError`: why it does not lead to a root. */
  checked(certificate: X509Certificate, chainLength: number, chainError: string | undefined): void {
    const before = this.#found.get(fingerprintOf(certificate.raw))
    const offer = before ?? this.#keep(certificate, chainLength)
    offer.chain = chainError === undefined ? 'good' : printable(chainError, 100)
  }

  #keep(certificate: X509Certificate, chainLength: number): CertificateOffer {
    const {
      key = { type: 'unknown' },
      signature = 'unknown',
      keyFingerprint: _,
      ...facts
    } = certificateFacts(certificate, chainLength)
    const offer: CertificateOffer = { ...facts, key, signature }
    this.#found.set(fingerprintOf(certificate.raw), offer)
    return offer
  }
}
