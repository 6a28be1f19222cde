import { type ConnectionOptions, DEFAULT_CIPHERS, type SecureVersion, type TlsOptions } from 'node:tls'
import { EXCHANGE_SUITES } from '../catalogue/tls-profiles.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import type { Identity } from '../pki/pki.ts'
import { opensslName } from '../wire/tls/tls-names.ts'

/** How the gateway takes part in a handshake. */
export interface TlsTerms {
  /** The key and the certificate chain that it shows; an empty certificate: it shows none. */
  identity: Identity
  minVersion: SecureVersion
  maxVersion: SecureVersion | undefined
  /** OpenSSL's names, the most wanted one first. */
  suites: readonly string[]
  /** Roots for the certificate of the other side, PEM. */
  trust: readonly string[]
  /** What a defect sets besides. */
  more?: Pick<TlsOptions, 'dhparam' | 'sigalgs' | 'secureOptions' | 'honorCipherOrder' | 'ecdhCurve'>
}

/** Those of TLS 1.3 first, then the strongest first, down to key exchange by RSA. */
export const SUITES = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-SHA384',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-RSA-AES256-SHA',
  'ECDHE-RSA-AES128-SHA',
  'AES256-GCM-SHA384',
  'AES128-GCM-SHA256',
]
const hasForwardSecrecy = (name: string): boolean => !name.startsWith('AES')
/** For a gateway that stands in for the service: those of TLS 1.3, and the list of the service for TLS 1.2. */
const OF_SERVICE = [...SUITES.slice(0, 3), ...EXCHANGE_SUITES.map(opensslName)]
/** In every guideline of a government: AES, ECDHE and hashes of the second family of SHA. */
const STRICT = SUITES.filter(name => /^TLS_AES_|^ECDHE-.*-(GCM|SHA256$|SHA384$)/.test(name))
const STRICT_SIGNATURES = ['ECDSA', 'RSA-PSS', 'RSA']
  .flatMap(key => ['SHA256', 'SHA384', 'SHA512'].map(hash => `${key}+${hash}`))
  .join(':')

/** With what the gateway protects a session, on either side. */
export function algorithms({
  forwardSecrecy,
  strict,
  service,
}: Pick<MailFlow, 'forwardSecrecy' | 'strict' | 'service'>): Pick<TlsTerms, 'suites' | 'more'> {
  if (strict) return { suites: STRICT, more: { ecdhCurve: 'P-256:P-384:P-521', sigalgs: STRICT_SIGNATURES } }
  const all = service ? OF_SERVICE : SUITES
  return { suites: forwardSecrecy ? all.filter(hasForwardSecrecy) : all }
}

/** What Node offers by itself: any sender that is still in use finds a suite of its own here. */
export const LIBRARY_SUITES = DEFAULT_CIPHERS.split(':')

/** The terms as Node takes them, on either side of a connection. */
export function tlsOptions(terms: TlsTerms): ConnectionOptions & TlsOptions {
  const { identity, minVersion, maxVersion, suites, trust, more } = terms
  // OpenSSL does not speak TLS 1.0 and 1.1 above security level 0.
  const old = minVersion === 'TLSv1' || minVersion === 'TLSv1.1'
  return {
    ...(identity.certificate ? { key: identity.key, cert: identity.certificate } : {}),
    ca: [...trust],
    minVersion,
    ...(maxVersion ? { maxVersion } : {}),
    ciphers: `${suites.join(':')}${old ? ':@SECLEVEL=0' : ''}`,
    ...more,
  }
}
