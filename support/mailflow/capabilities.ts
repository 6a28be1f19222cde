/** What a product may be able to do. An example that needs what the product cannot do is inapplicable. */
export const CAPABILITIES = {
  'encryption-only': 'force TLS outbound without looking at the certificate',
  'certificate-validation': 'force TLS outbound with a valid chain, whatever the name',
  'domain-validation': 'force TLS outbound with a valid chain and the right name',
  'tls-domain': 'compare the partner certificate with a configured name instead of the host name',
  'inbound-required': 'require TLS from chosen sender domains',
  'client-certificates': 'require a certificate with a chosen name from chosen sender domains',
  'client-certificate-outbound': 'show a certificate of its own as a sender',
  submission: 'take mail from users who log in',
  retry: 'try a queued message again when asked',
  expiry: 'give a message up after a configured number of attempts',
  'forced-tls-inbound': 'require TLS from every client',
  'tls12-only': 'speak TLS 1.2 and nothing newer where it is told so',
  'forward-secrecy-only': 'use key exchange with forward secrecy alone where it is told so',
  pair: 'exchange mail with a second server of the same kind that the suite starts',
  'mixed-pair': 'exchange mail with a server of another kind that the suite starts',
  'session-log': 'say in its log for each session whether it was encrypted and verified',
} as const
export type Capability = keyof typeof CAPABILITIES

/** Kinds of a second server, in the words of the features. */
export const SECOND_SERVER_KINDS = ['the same kind', 'another kind'] as const
export type SecondServerKind = (typeof SECOND_SERVER_KINDS)[number]
