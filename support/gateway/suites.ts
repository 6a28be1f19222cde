/**
 * Cipher suites in order of strength, as Exchange Online offers them (EXO-OPP-03), in OpenSSL's names. Those of
 * TLS 1.3 are apart: libraries configure them elsewhere, and put them in this order by themselves.
 */
export const TLS12_SUITES: readonly string[] = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-SHA384',
  'ECDHE-RSA-AES256-SHA384',
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'AES256-GCM-SHA384',
  'AES128-GCM-SHA256',
]

/** Those of them with an ephemeral key exchange. */
export const EPHEMERAL_SUITES: readonly string[] = TLS12_SUITES.filter(name => name.startsWith('ECDHE-'))
