import type { Behaviour } from '../lab/partner/behaviour.ts'

/** What the gateway may have been asked to send before the message of an example. Plain: nothing. RFC 5321 s4.5.4.1. */
export const SENT_BEFORE = [
  'a message to the same partner',
  'a message that the partner refused',
  'a message whose TLS handshake failed',
  'a message to another domain at the same mail exchanger',
  'an unencrypted message to another domain at the same mail exchanger',
  'a message that waits because STARTTLS was not offered',
] as const
export type SentBefore = (typeof SENT_BEFORE)[number]

/** An earlier message to the partner of an example. */
export interface EarlierMail {
  /** The partner shows the certificate then that it shows in the example, too. */
  sameCertificate?: true
  /** A domain at the same mail exchangers: that of the partner, another one with the same connector, or one without. */
  domain: 'the same' | 'another' | 'another, where TLS is optional' | 'another, where TLS is required'
  /** How the partner takes it. Without a fault, the message arrives. */
  partner: Behaviour
}

/** Mail that stays in the queue is for another domain, so that it is not tried again with that of the example. */
export const EARLIER_MAIL: Record<SentBefore, EarlierMail> = {
  'a message to the same partner': { domain: 'the same', partner: {} },
  'a message that the partner refused': {
    domain: 'the same',
    partner: { transaction: { refuses: { at: 'RCPT', reply: '550 5.1.1 No such mailbox' } } },
  },
  'a message whose TLS handshake failed': { domain: 'another', partner: { handshake: 'alerts' } },
  'a message to another domain at the same mail exchanger': { domain: 'another', partner: {} },
  'an unencrypted message to another domain at the same mail exchanger': {
    domain: 'another, where TLS is optional',
    partner: { starttls: { hides: true } },
  },
  'a message that waits because STARTTLS was not offered': {
    domain: 'another, where TLS is required',
    partner: { starttls: { hides: true } },
  },
}

/** In the session of this message nobody had to verify the partner, and it can be resumed: BCP-06. */
export const FOR_RESUMPTION: EarlierMail = {
  domain: 'another, where TLS is optional',
  partner: { tls: { resumes: 'with the same keys' } },
  sameCertificate: true,
}
