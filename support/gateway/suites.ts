import { EXCHANGE_SUITES } from '../catalogue/tls-profiles.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { opensslName } from '../wire/tls/tls-names.ts'

/**
 * The cipher suites that Exchange Online offers (EXO-OPP-03), the strongest first, in OpenSSL's names. The suites of
 * TLS 1.3 are another list, because libraries configure them elsewhere, and use this order by themselves.
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

/** Those of the service, of which the texts name none for certificates with ECDSA. */
const SERVICE_SUITES: readonly string[] = EXCHANGE_SUITES.map(opensslName)

/** What a gateway is told to use up to TLS 1.2, in OpenSSL's names and in this order. */
export function suitesOf({ service, forwardSecrecy }: MailFlow): readonly string[] {
  const all = service ? SERVICE_SUITES : TLS12_SUITES
  return forwardSecrecy ? all.filter(name => name.startsWith('ECDHE-')) : all
}

/**
 * The same for GnuTLS, as far as that is possible. GnuTLS takes no list of suites: it combines the ciphers, key
 * exchanges and MACs of this list by itself, in the order here, with the cipher first.
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
    // As a server it chooses by this order, and not by that of the client.
    '%SERVER_PRECEDENCE',
  ].join(':')
