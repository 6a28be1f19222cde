/** What is wrong with a certificate, in the words of the features. */
export const CERTIFICATE_FLAWS = [
  'expired',
  'not yet valid',
  'for another name',
  'from an unknown authority',
  'self-signed',
  'for the wrong usage',
  'without its intermediate',
  'issued by no authority',
  'signed with SHA-1',
  'with a key of 1024 bits',
  'with its name in the common name only',
] as const
export type CertificateFlaw = (typeof CERTIFICATE_FLAWS)[number]
