import type { MailFlow } from '../mailflow/mail-flow.ts'

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

/**
 * The same for GnuTLS as far as it can be said: it combines ciphers, key exchanges and MACs by itself, in their order
 * here and with the cipher first; a list of whole suites cannot be said.
 */
export const gnutlsPriority = ({
  maxVersion,
  forwardSecrecy,
}: Pick<MailFlow, 'maxVersion' | 'forwardSecrecy'> = {}): string =>
  [
    `NORMAL:-VERS-ALL:${maxVersion ? '' : '+VERS-TLS1.3:'}+VERS-TLS1.2`,
    '-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:+AES-256-CBC:+AES-128-CBC',
    `-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA${forwardSecrecy ? '' : ':+RSA'}`,
    '-MAC-ALL:+AEAD:+SHA384:+SHA256:+SHA1',
  ].join(':')
