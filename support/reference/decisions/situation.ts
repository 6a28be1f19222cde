import type { MailFlow, Pin } from '../../mailflow/mail-flow.ts'
import type { CertificateFacts } from '../../wire/conversation.ts'

/** What the gateway knows of a TLS session. */
export interface TlsSession {
  /** `TLSv1.3` */
  version: string
  /** Standard (IANA) name. */
  suite: string
  /** The session continues an earlier one: no certificate was shown in this handshake. RFC 8446 s2.2, RFC 5246 s7.3. */
  resumed: false | 'by ticket' | 'by id'
  /** Of the other side, if it showed one. */
  certificate: CertificateFacts | undefined
  /** Why that certificate does not lead to a trusted root, in OpenSSL's word; undefined when it does. */
  chainError: string | undefined
}

/** What every decision is told, as plain data. */
export interface Situation {
  /** What the gateway is told to do, as it is now. */
  flow: MailFlow
  /** Envelope sender; empty as long as none is named. */
  sender: string
  /** The envelope names the null return path, `<>`. */
  nullSender: boolean
  /** Envelope recipients; for a sender those of one domain. */
  recipients: readonly string[]
  /** Bytes of the message; 0 as long as it is not known. */
  size: number
  /** 1 for the first: of the sender domain at a receiver, of the message at a sender. */
  attempt: number
  /** The session with the other side; undefined in the clear. */
  tls: TlsSession | undefined
  /** Whether a circumstance of `features/circumstances.yaml` holds, by its name, as far as the gateway has seen. */
  holds: (circumstance: string) => boolean
}

/** A certificate of the other side, and the name that the connector expects in it. */
export interface CertificateSituation extends Situation {
  certificate: CertificateFacts
  chainError: string | undefined
  /** Host name, or `*.` before one: exactly one label below it. */
  expected: string
}

/** The certificate leads to a trusted root, is valid today and meant for this use; RFC 5280 s6. */
export const trustsChain = ({ chainError }: CertificateSituation): boolean => chainError === undefined

/** The certificate carries the expected name; RFC 9525 s6.3. */
export const acceptsName = ({ certificate, expected }: CertificateSituation): boolean =>
  carries(certificate.names, expected)

/** The certificate has what the connector pins. EXO-TRN-05. */
export function acceptsPin({ pin, certificate }: { pin: Pin; certificate: CertificateFacts }): boolean {
  const part = (name: string, type: string) => name.split(', ').find(one => one.startsWith(`${type}=`))
  switch (pin.attribute) {
    case 'organisation':
      return part(certificate.subject, 'O') === `O=${pin.value}`
    case 'unit':
      return part(certificate.subject, 'OU') === `OU=${pin.value}`
    case 'issuer':
      return part(certificate.issuer, 'CN') === `CN=${pin.value}`
    case 'key':
      return certificate.keyFingerprint === pin.value
  }
}

/** Whether one of the names of a certificate is the expected one. A `*` on either side stands for one whole label. */
export function carries(names: readonly string[], expected: string): boolean {
  const wanted = expected.toLowerCase()
  return names
    .map(name => name.toLowerCase())
    .some(name => name === wanted || isOneLabelBelow(name, wanted) || isOneLabelBelow(wanted, name))
}

/** `mx.partner.test` for `*.partner.test`. */
const isOneLabelBelow = (name: string, pattern: string): boolean =>
  pattern.startsWith('*.') &&
  name.endsWith(pattern.slice(1)) &&
  /^[^.]+$/.test(name.slice(0, 1 - pattern.length))
