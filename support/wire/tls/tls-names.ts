import { ALERTS, GROUPS, SIGNATURE_SCHEMES, SUITES } from './tls-registry.ts'

/**
 * Suites with key exchange by RSA alone, which have no forward secrecy (RFC 5246 s7.4.7.1), as far as OpenSSL has a name
 * for them. Suites that encrypt nothing are left out.
 */
export const STATIC_RSA: readonly string[] = SUITES.flatMap(([, name, openssl]) =>
  openssl !== undefined && /^TLS_RSA_WITH_(?!NULL)/.test(name) ? [name] : [],
)

const VERSIONS: Record<number, string> = {
  2: 'SSLv2',
  768: 'SSLv3',
  769: 'TLSv1',
  770: 'TLSv1.1',
  771: 'TLSv1.2',
  772: 'TLSv1.3',
}

const hex = (value: number): string => `0x${value.toString(16).padStart(4, '0')}`
const byCode = new Map(SUITES.map(([code, name]) => [code, name]))
const opensslByName = new Map(SUITES.map(([, name, openssl]) => [name, openssl]))
const suiteNames = new Set(SUITES.flatMap(([, ...names]) => names))

/** IANA's name of a cipher suite. A number without a name is written `0x1234`, here and below. */
export const suiteName = (code: number): string => byCode.get(code) ?? hex(code)
export const groupName = (code: number): string => GROUPS.get(code) ?? hex(code)
export const signatureName = (code: number): string => SIGNATURE_SCHEMES.get(code) ?? hex(code)
export const versionName = (code: number): string => VERSIONS[code] ?? hex(code)
export const alertName = (description: number): string => ALERTS.get(description) ?? `alert ${description}`

/** OpenSSL's name for IANA's name of a suite; IANA's name where OpenSSL has none of its own. */
export const opensslName = (standard: string): string => opensslByName.get(standard) ?? standard

/** Whether a text is the name of a suite, IANA's or OpenSSL's. */
export const isSuiteName = (text: string): boolean => suiteNames.has(text)

/** Whether `said`, in IANA's name or OpenSSL's, is this suite; true for a text that is no name of a suite. */
export const sameSuite = (said: string, standard: string): boolean =>
  !isSuiteName(said) || opensslName(said) === opensslName(standard)

/** P-256 has names of its own in RFC 8422, and in OpenSSL. */
const groupKey = (name: string): string =>
  name
    .toLowerCase()
    .replace(/^(?:prime(\d+)v1|secp(\d+)r1)$/, 'p$1$2')
    .replaceAll('-', '')

const groupKeys = new Set([...GROUPS.values()].map(groupKey))

/** Whether `said` is this group, in whatever way it is written; true for a text that is no name of a group. */
export const sameGroup = (said: string, group: string): boolean =>
  !groupKeys.has(groupKey(said)) || groupKey(said) === groupKey(group)

/**
 * How large the field of an elliptic curve is, in whatever way it is written: `P-192`, `prime192v1`, `secp192r1`. 256 for
 * one whose name does not say, as `X25519`, and for finite fields.
 */
export const bitsOfCurve = (name: string): number =>
  Number(/^[a-z].*?(?<!\d)(\d{3})(?!\d)/i.exec(name)?.[1] ?? 256)

/** `TLS 1.2` as people write it, for the library's `TLSv1.2`. */
export const spoken = (version: string): string =>
  version === 'TLSv1' ? 'TLS 1.0' : version.replace(/^(TLS|SSL)v/, '$1 ')
