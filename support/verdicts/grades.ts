import type { Profile } from '../catalogue/catalogue.ts'
import { type Grade, type Subject, TLS_PROFILES, type TlsProfile } from '../catalogue/tls-profiles.ts'
import type { Option, SuiteOffer, TlsOffer, TlsVersion } from '../evidence/offer.ts'
import { spoken } from '../wire/tls/tls-names.ts'

/** One thing that a server accepts, or does not, with what each profile says of it. */
export interface Row {
  subject: Subject | 'missing'
  /** `TLS 1.0`, a suite, a group. */
  what: string
  /** For suites: in which version. */
  version?: TlsVersion
  suite?: SuiteOffer
  option?: Option
  /** A profile that says nothing has no entry. */
  grades: Readonly<Partial<Record<Profile, Grade>>>
  requirements: Readonly<Partial<Record<Profile, string>>>
  /** The names of the conversations that show it. */
  seen: readonly string[]
}

/** `TLS 1.2`, `AES128-SHA with TLS 1.2`, `X25519` */
export const nameOf = ({ what, version }: Pick<Row, 'what' | 'version'>): string =>
  version ? `${what} with ${spoken(version)}` : what

/** Everything that a profile has an opinion about, in the order of the offer. */
export function graded(offer: TlsOffer): Row[] {
  return [
    ...offer.versions.flatMap(({ version, known, seen }) => {
      const what = spoken(version)
      if (known === 'yes') return row('version', what, [seen], one => one.versions[version])
      return known === 'no' ? row('missing', `no ${what}`, [seen], one => one.missing[version]) : []
    }),
    ...offer.versions.flatMap(({ version, suites }) =>
      suites.all.flatMap(suite =>
        row('suite', suite.openssl, [suite.seen], one => one.suite(suite, version), { version, suite }),
      ),
    ),
    ...[...new Set([...offer.groups.tls13.all, ...offer.groups.tls12.all])].flatMap(name =>
      row('group', name, [], one => one.group(name)),
    ),
    ...offer.signatures.all.flatMap(name => row('signature', name, [], one => one.signature(name))),
    ...offer.certificates.flatMap(({ key, signature }) => [
      ...row('key', keyInWords(key), [], one => one.key(key)),
      ...row('key', `signed with ${signature}`, [], one => one.certificateSignature(signature)),
    ]),
    ...Object.entries(offer.options).flatMap(([name, { known, seen }]) => {
      const option = name as Option
      const subject = option.includes('server name')
        ? 'name'
        : option === 'old record version'
          ? 'record'
          : 'option'
      return row(
        subject,
        `${known === 'no' ? 'no ' : ''}${name}`,
        [seen],
        one => one.options[option]?.[known],
        {
          option,
        },
      )
    }),
  ]
}

function row(
  subject: Row['subject'],
  what: string,
  seen: readonly string[],
  gradeBy: (profile: TlsProfile) => Grade | undefined,
  more: Pick<Row, 'version' | 'suite' | 'option'> = {},
): Row[] {
  const grades: Partial<Record<Profile, Grade>> = {}
  const requirements: Partial<Record<Profile, string>> = {}
  for (const one of TLS_PROFILES) {
    const grade = gradeBy(one)
    if (!grade) continue
    grades[one.profile] = grade
    requirements[one.profile] = requirementOf(one, subject, grade, what)
  }
  return [{ subject, what, grades, requirements, seen, ...more }]
}

/** Where a profile has several requirements for one subject, the one that the grade is about. */
function requirementOf(
  { profile, requirements }: TlsProfile,
  subject: Row['subject'],
  grade: Grade,
  what: string,
): string {
  if (subject === 'missing') return profile === 'tls-bcp-2022' ? 'BCP-01' : requirements.version
  if (subject === 'version' && what.startsWith('SSL') && /EXO|RFC8996/.test(requirements.version))
    return 'EXO-VER-07'
  if (profile === 'tls-bcp-2022' && subject === 'suite' && grade === 'weak') return 'BCP-03'
  if (/^exchange/.test(profile) && subject === 'suite' && what.includes('DES-CBC3')) return 'EXO-VER-08'
  return requirements[subject]
}

export const keyInWords = ({ type, bits, curve }: TlsOffer['certificates'][number]['key']): string =>
  [type.toUpperCase(), bits === undefined ? undefined : `${bits} bits`, curve].filter(Boolean).join(' ')

const FAMILIES: readonly [name: string, is: RegExp][] = [
  ['that encrypt nothing', /NULL/],
  ['without authentication', /_anon_/],
  ['of export strength', /EXPORT/],
  ['with RC4, RC2 or DES', /RC4|RC2|_DES_|DES40/],
  ['with 3DES', /3DES/],
  ['with key exchange by RSA alone', /^TLS_RSA_WITH_/],
  ['with a fixed Diffie-Hellman key', /^TLS_(EC)?DH_(RSA|DSS|ECDSA)_/],
  ['with DHE', /_DHE_/],
  ['with Camellia, ARIA, SEED or IDEA', /CAMELLIA|ARIA|SEED|IDEA/],
  ['with CCM', /_CCM/],
  ['with ChaCha20', /CHACHA20/],
  ['with CBC', /_CBC_/],
]
export const familyOf = (name: string): string =>
  FAMILIES.find(([, is]) => is.test(name))?.[0] ??
  (name.includes('_WITH_') ? 'with ECDHE and AEAD' : 'of TLS 1.3')

/** The requirements of a profile that the server breaks. */
export const broken = (rows: readonly Row[], profile: Profile): Row[] =>
  rows.filter(({ grades }) => grades[profile] === 'wrong')
