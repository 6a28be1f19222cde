import type { CertificateOffer, Known, Option, SuiteOffer, TlsVersion } from '../evidence/offer.ts'
import { bitsOfCurve } from '../wire/tls/tls-names.ts'
import type { Profile } from './catalogue.ts'

/**
 * `good`: allowed. `weak`: should not be, or is to be phased out. `wrong`: must not be. A profile that says nothing has no
 * grade.
 */
export type Grade = 'good' | 'weak' | 'wrong'

/** What one profile says of what a server accepts. Requirements are those of the catalogue. */
export interface TlsProfile {
  profile: Profile
  /** For the head of a column. */
  short: string
  /** The document, with the year of its table. */
  source: string
  versions: Partial<Record<TlsVersion, Grade>>
  /** What it is if a server does not accept a version. */
  missing: Partial<Record<TlsVersion, Grade>>
  suite: (suite: SuiteOffer, version: TlsVersion) => Grade | undefined
  group: (name: string) => Grade | undefined
  /** Of the key exchange of TLS 1.2. */
  signature: (name: string) => Grade | undefined
  key: (key: CertificateOffer['key']) => Grade | undefined
  /** With which a certificate is signed, as `sha256WithRSAEncryption`. */
  certificateSignature: (name: string) => Grade | undefined
  options: Partial<Record<Option, Partial<Record<Known, Grade>>>>
  requirements: Readonly<Record<Subject, string>>
}
export type Subject = 'version' | 'suite' | 'group' | 'signature' | 'key' | 'option' | 'name' | 'record'

/**
 * The suites of Microsoft's technical reference for TLS 1.2, the strongest first, in IANA's names: those of EXO-OPP-03, with
 * the same for certificates with ECDSA.
 */
export const EXCHANGE_SUITES: readonly string[] = [
  'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384',
  'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256',
  'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA',
  'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA',
  'TLS_RSA_WITH_AES_256_GCM_SHA384',
  'TLS_RSA_WITH_AES_128_GCM_SHA256',
]

// What an option is where a server has it, and where it has not.
const DEMANDED = { yes: 'good', no: 'wrong' } as const
const FORBIDDEN = { yes: 'wrong', no: 'good' } as const
const UNWANTED = { yes: 'weak', no: 'good' } as const

const SSL_IS_WRONG = { SSLv3: 'wrong', SSLv2: 'wrong' } as const
const nothing = (): undefined => undefined
const isTls13 = (name: string): boolean => !name.includes('_WITH_')
/** Less than 112 bits, or none at all: RFC 9325 s4.1. */
export const isBroken = (name: string): boolean => /NULL|RC4|RC2|EXPORT|_DES_|DES40/.test(name)
const isEphemeral = (name: string): boolean => /_(EC)?DHE_(RSA|ECDSA|DSS)_/.test(name)
/** MD5, SHA-1 or what is older, in the name of a signature. */
export const oldHash = (name: string): boolean => /sha-?1(?!\d)|md[245]/i.test(name)
/** Less than 112 bits of strength, as RSA of 2048 bits and curves of 224 bits have: RFC 9325 s4.5. */
export const isWeakKey = ({ type, bits, curve }: CertificateOffer['key']): boolean =>
  bits !== undefined && /^(rsa|dsa)/.test(type)
    ? bits < 2048
    : curve !== undefined && bitsOfCurve(curve) < 224

const exchangeSuite = ({ name }: SuiteOffer, version: TlsVersion): Grade | undefined => {
  if (version !== 'TLSv1.2') return isBroken(name) ? 'wrong' : undefined
  return EXCHANGE_SUITES.includes(name.replace('_ECDSA_', '_RSA_')) ? 'good' : 'wrong'
}

const everywhere = (id: string): TlsProfile['requirements'] => ({
  version: id,
  suite: id,
  group: id,
  signature: id,
  key: id,
  option: id,
  name: id,
  record: id,
})

/** `old`: what TLS 1.1 and TLS 1.0 are. `version`: the requirement about versions. */
const exchange = (
  about: Pick<TlsProfile, 'profile' | 'short' | 'source'>,
  old: Grade,
  version: string,
): TlsProfile => ({
  ...about,
  versions: { 'TLSv1.2': 'good', 'TLSv1.1': old, TLSv1: old, ...SSL_IS_WRONG },
  missing: { 'TLSv1.2': 'wrong' },
  suite: exchangeSuite,
  group: nothing,
  signature: nothing,
  key: nothing,
  certificateSignature: nothing,
  options: {},
  requirements: { ...everywhere('EXO-CIP-02'), version, key: 'EXO-CRT-05', record: 'EXO-VER-07' },
})

const keyOf2048 = (key: CertificateOffer['key']): Grade => (isWeakKey(key) ? 'wrong' : 'good')
const signedWithSha2 = (name: string): Grade => (oldHash(name) ? 'wrong' : 'good')

/** A prime of RFC 7919 appendix A begins with the digits of e. */
const isPublished = (prime: string): boolean =>
  prime.startsWith('ffffffffffffffffadf85458a2bb4a9aafdc5620273d3cf1') && prime.endsWith('ffffffffffffffff')

function bcpSuite({ name, dhBits }: SuiteOffer): Grade {
  if (isBroken(name) || (dhBits !== undefined && dhBits < 2048)) return 'wrong'
  if (isTls13(name) || /_ECDHE_/.test(name)) return /3DES/.test(name) ? 'weak' : 'good'
  return 'weak'
}

function nistSuite({ name, dhBits }: SuiteOffer): Grade {
  if (!/AES/.test(name) || /NULL|anon/.test(name) || (dhBits !== undefined && dhBits < 2048)) return 'wrong'
  return isTls13(name) || isEphemeral(name) ? 'good' : 'weak'
}

/** Finite fields of 2000 bits ended with 2022, and static DH ends with 2026. */
function bsiSuite({ name, dhBits }: SuiteOffer): Grade {
  if (isTls13(name)) return /^TLS_AES_(128_GCM|256_GCM|128_CCM)_SHA/.test(name) ? 'good' : 'wrong'
  if (dhBits !== undefined && dhBits < 3000) return 'wrong'
  if (!/_WITH_AES_(128|256)_(GCM_SHA\d{3}|CBC_SHA(256|384)|CCM)$/.test(name)) return 'wrong'
  if (isEphemeral(name)) return 'good'
  return /^TLS_(ECDH_(ECDSA|RSA)|DH_(DSS|RSA))_/.test(name) && !name.endsWith('CCM') ? 'weak' : 'wrong'
}

/** RSA and DSA of 2000 bits ended with 2023 and 2022. */
function bsiKey({ type, bits, curve }: CertificateOffer['key']): Grade {
  if (bits !== undefined && /^(rsa|dsa)/.test(type)) return bits < 3000 ? 'wrong' : 'good'
  return curve !== undefined && bitsOfCurve(curve) < 250 ? 'wrong' : 'good'
}

function ncscSuite({ name, dhBits, dhPrime }: SuiteOffer): Grade {
  if (isTls13(name)) return /^TLS_(AES_\d+_GCM|CHACHA20)_/.test(name) ? 'good' : 'wrong'
  if (dhPrime !== undefined && (!isPublished(dhPrime) || dhBits! < 2048)) return 'wrong'
  if (/_(ECDHE_(ECDSA|RSA)|DHE_RSA)_WITH_(AES_\d+_(GCM|CBC)|CHACHA20)_/.test(name))
    return dhBits !== undefined && dhBits < 3072 ? 'weak' : 'good'
  return /_(ECDHE_ECDSA|ECDHE_RSA|DHE_RSA|RSA)_WITH_3DES|^TLS_RSA_WITH_AES_\d+_(GCM|CBC)_/.test(name)
    ? 'weak'
    : 'wrong'
}

function ncscKey(key: CertificateOffer['key']): Grade {
  if (key.curve === undefined) return keyOf2048(key)
  if (/^(prime256v1|secp256r1|secp384r1|P-(256|384))$/.test(key.curve)) return 'good'
  return /^(secp224r1|P-224)$/.test(key.curve) ? 'weak' : 'wrong'
}

/**
 * In the order of columns. How far each table has a source at hand:
 * - MS18, MS21: the texts, and the technical reference for the list of suites; the date of 3DES from the latter.
 * - RFC: the texts of RFC 9325, RFC 8996 and RFC 9155; the two about server names from RFC 7672 s8.1.
 * - NIST: versions, suites, keys and options as s3.1 to s3.4 are quoted in others' code, and the date of TLS 1.3 from the page
 *   of the publication. The list has no key exchange by RSA; that it is weak and not wrong, and the groups and signatures, are
 *   background knowledge. The text itself was not at hand.
 * - BSI: TR-02102-2 as BSI-Bund/TaSK has it, the test suite of BSI for TR-03116-4 and TR-03108, with the year in which each row
 *   ends. What it does not list of groups and signatures is weak here, though neither forbids it.
 * - NCSC: the lists with which internet.nl tested up to 2024 (internetstandards/Internet.nl, checks/tasks/tls_constants.py), and
 *   the description of its mail test. It has the guidelines of 2025 since then, for which TLS 1.0 and 1.1 are insufficient.
 */
export const TLS_PROFILES: readonly TlsProfile[] = [
  exchange(
    {
      profile: 'exchange-online-2018',
      short: 'MS18',
      source: 'Microsoft, Exchange Online, 2018 text, with 3DES off since 2019-02-28',
    },
    'good',
    'EXO-VER-07',
  ),
  exchange(
    {
      profile: 'exchange-online-2021',
      short: 'MS21',
      source: 'Microsoft, Exchange Online, 2021 text',
    },
    'wrong',
    'EXO-VER-03',
  ),
  {
    profile: 'tls-bcp-2022',
    short: 'RFC',
    source: 'RFC 9325 (2022) and RFC 8996 (2021)',
    versions: { 'TLSv1.3': 'good', 'TLSv1.2': 'good', 'TLSv1.1': 'wrong', TLSv1: 'wrong', ...SSL_IS_WRONG },
    missing: { 'TLSv1.2': 'wrong', 'TLSv1.3': 'weak' },
    suite: bcpSuite,
    group: name => (bitsOfCurve(name) < 224 ? 'wrong' : 'good'),
    // RFC 9155 forbids MD5 and SHA-1.
    signature: name => (oldHash(name) ? 'wrong' : /sha224/.test(name) ? 'weak' : 'good'),
    key: keyOf2048,
    certificateSignature: signedWithSha2,
    options: {
      compression: FORBIDDEN,
      'secure renegotiation': DEMANDED,
      'extended master secret': DEMANDED,
      'truncated HMAC': FORBIDDEN,
      'early data': FORBIDDEN,
      'unknown server name': DEMANDED,
      'odd server name': DEMANDED,
      'no server name': DEMANDED,
      'old record version': DEMANDED,
    },
    requirements: {
      version: 'RFC8996-01',
      suite: 'BCP-02',
      group: 'BCP-04',
      signature: 'BCP-04',
      key: 'BCP-04',
      option: 'BCP-05',
      name: 'ID-05',
      record: 'RFC8996-01',
    },
  },
  {
    profile: 'nist-800-52r2',
    short: 'NIST',
    source: 'NIST SP 800-52 rev. 2 (2019), for public servers, with TLS 1.3 since 2024-01-01',
    versions: { 'TLSv1.3': 'good', 'TLSv1.2': 'good', 'TLSv1.1': 'weak', TLSv1: 'weak', ...SSL_IS_WRONG },
    // A server with TLS 1.3 may switch TLS 1.2 off where nobody needs it.
    missing: { 'TLSv1.2': 'weak', 'TLSv1.3': 'wrong' },
    suite: nistSuite,
    group: name => (/^P-(256|384|521)$|^ffdhe/.test(name) ? 'good' : undefined),
    signature: name => (oldHash(name) ? 'wrong' : 'good'),
    key: keyOf2048,
    certificateSignature: signedWithSha2,
    options: {
      compression: FORBIDDEN,
      'secure renegotiation': DEMANDED,
      'extended master secret': DEMANDED,
    },
    requirements: { ...everywhere('NIST-02'), version: 'NIST-01', suite: 'NIST-01', record: 'NIST-01' },
  },
  {
    profile: 'bsi-tr-03108',
    short: 'BSI',
    source: 'BSI TR-03108 v2.0 with the tables of TR-02102-2 and TR-03116-4, 2024',
    versions: { 'TLSv1.3': 'good', 'TLSv1.2': 'good', 'TLSv1.1': 'wrong', TLSv1: 'wrong', ...SSL_IS_WRONG },
    missing: { 'TLSv1.2': 'wrong', 'TLSv1.3': 'weak' },
    suite: bsiSuite,
    group: name => {
      if (/^P-(256|384|521)$|^brainpoolP(256|384|512)|^ffdhe(3072|4096)$/.test(name)) return 'good'
      return bitsOfCurve(name) < 250 || name === 'ffdhe2048' ? 'wrong' : 'weak'
    },
    signature: name =>
      oldHash(name) || /sha224/.test(name) ? 'wrong' : /^ed(25519|448)$/.test(name) ? 'weak' : 'good',
    key: bsiKey,
    certificateSignature: signedWithSha2,
    options: {
      compression: FORBIDDEN,
      'secure renegotiation': DEMANDED,
      // The text says that a server should refuse it; TaSK forbids it.
      'client-initiated renegotiation': UNWANTED,
      'truncated HMAC': FORBIDDEN,
      'early data': FORBIDDEN,
    },
    requirements: everywhere('BSI-02'),
  },
  {
    profile: 'ncsc-nl-internet-nl',
    short: 'NCSC',
    source: 'NCSC-NL, TLS guidelines 2.1 (2021), as the mail test of internet.nl applies them',
    versions: { 'TLSv1.3': 'good', 'TLSv1.2': 'good', 'TLSv1.1': 'weak', TLSv1: 'weak', ...SSL_IS_WRONG },
    missing: {},
    suite: ncscSuite,
    group: name => {
      if (/^P-(256|384|521)$|^X(25519|448)$|^ffdhe(3072|4096|6144|8192)$/.test(name)) return 'good'
      if (/^secp224r1$|^ffdhe2048$/.test(name)) return 'weak'
      return /^(sect|secp|brainpool)/.test(name) ? 'wrong' : undefined
    },
    signature: name => (/md5/.test(name) ? 'wrong' : oldHash(name) || /sha224/.test(name) ? 'weak' : 'good'),
    key: ncscKey,
    certificateSignature: signedWithSha2,
    options: {
      compression: FORBIDDEN,
      'secure renegotiation': DEMANDED,
      'client-initiated renegotiation': UNWANTED,
      'early data': FORBIDDEN,
    },
    requirements: { ...everywhere('NCSC-02'), version: 'NCSC-01', suite: 'NCSC-01', record: 'NCSC-01' },
  },
]
