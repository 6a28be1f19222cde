/** What a product may be able to do. An example that needs what the product cannot do is inapplicable. */
export const CAPABILITIES = {
  'encryption-only': 'force TLS outbound without looking at the certificate',
  'certificate-validation': 'force TLS outbound with a valid chain, whatever the name',
  'domain-validation': 'force TLS outbound with a valid chain and the right name',
  'tls-domain': 'compare the partner certificate with a configured name instead of the host name',
  'pin-organisation': 'require an organisation in the subject of the partner certificate',
  'pin-unit': 'require a unit in the subject of the partner certificate',
  'pin-issuer': 'require an issuer of the partner certificate',
  'pin-key': 'require a public key in the partner certificate',
  'inbound-required': 'require TLS from chosen sender domains',
  'client-certificates': 'require a certificate with a chosen name from chosen sender domains',
  'relay-by-certificate':
    'relay mail of its own domain for a server that it knows by the name in its certificate',
  'client-certificate-outbound': 'show a certificate of its own as a sender',
  submission: 'take mail from users who log in',
  'implicit-tls': 'take mail from users whose TLS begins with the connection',
  retry: 'try a queued message again when asked',
  expiry: 'give a message up after a number of attempts, or when asked',
  'forced-tls-inbound': 'require TLS from every client',
  'tls12-only': 'speak TLS 1.2 and nothing newer where it is told so',
  'forward-secrecy-only': 'use key exchange with forward secrecy alone where it is told so',
  'strict-tls': 'use nothing but AES in TLS 1.2 and 1.3, ECDHE and the curves of NIST where it is told so',
  'status-required': 'refuse certificates whose status it cannot learn, where it is told so',
  'status-online': 'ask the authority of a certificate for its status',
  pair: 'exchange mail with a second server of the same kind that the suite starts',
  'mixed-pair': 'exchange mail with a server of another kind that the suite starts',
  'session-log': 'say in its log for each session whether it was encrypted and verified',
} as const
export type Capability = keyof typeof CAPABILITIES

/** Kinds of a second server, in the words of the features. */
export const SECOND_SERVER_KINDS = ['the same kind', 'another kind'] as const
export type SecondServerKind = (typeof SECOND_SERVER_KINDS)[number]
