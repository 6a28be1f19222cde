import { bitsOfCurve, opensslName, spoken } from '../wire/tls/tls-names.ts'
import type { Choices, Finding, Option, SuiteOffer, TlsOffer, TlsVersion } from './offer.ts'
import { versionIn } from './offer.ts'

/** What a server does with something that a client offers. Nothing where the question does not apply to the server. */
type Question = (offer: TlsOffer) => Finding | undefined

const version =
  (one: TlsVersion): Question =>
  offer =>
    versionIn(offer, one)

/** A server accepts an option where it acknowledges or uses it. */
const option =
  (one: Option): Question =>
  offer =>
    offer.options[one]

/** Accepted where one of the choices is of this kind; not known where there may be more choices than are known. */
function among<T>(
  { all, incomplete, end = '' }: Choices<T>,
  {
    isOne,
    nameOf,
    seenOf,
  }: { isOne: (one: T) => boolean; nameOf: (one: T) => string; seenOf: (one: T) => string },
): Finding {
  const found = all.find(isOne)
  if (found) return { known: 'yes', said: nameOf(found), seen: seenOf(found) }
  return incomplete === undefined
    ? { known: 'no', seen: end }
    : { known: 'unknown', said: incomplete, seen: end }
}

/** Suites of any version whose IANA name is of this kind. */
const suites =
  (isOne: (suite: SuiteOffer) => boolean): Question =>
  offer => {
    const found = offer.versions.map(({ version, known, said, seen, suites }): Finding => {
      if (known === 'unknown') return { known, ...(said ? { said } : {}), seen }
      if (known === 'no') return { known, seen }
      const nameOf = ({ name }: SuiteOffer) => `${opensslName(name)} with ${spoken(version)}`
      return among(suites, { isOne, nameOf, seenOf: ({ seen }) => seen })
    })
    const accepted = found.filter(({ known }) => known === 'yes')
    if (accepted[0]) return { ...accepted[0], said: accepted.map(({ said }) => said).join(', ') }
    // The newest version refused first, and its answer is to the point.
    return found.find(({ known }) => known === 'unknown') ?? found.find(({ seen }) => seen !== '') ?? found[0]
  }

const named = (pattern: RegExp): Question => suites(({ name }) => pattern.test(name))

const choices =
  (choicesOf: (offer: TlsOffer) => Choices<string>, isOne: (name: string) => boolean): Question =>
  offer =>
    among(choicesOf(offer), { isOne, nameOf: name => name, seenOf: () => choicesOf(offer).end ?? '' })

/** What a client may offer, in the words of the features. */
export const OFFERS = {
  'only SSL 2': version('SSLv2'),
  'only SSL 3': version('SSLv3'),
  'only TLS 1.0': version('TLSv1'),
  'only TLS 1.1': version('TLSv1.1'),
  'only TLS 1.2': version('TLSv1.2'),
  'only TLS 1.2, in a record of version 3.0': option('old record version'),
  'only TLS 1.2, in several records and segments': option('large hello'),
  'only suites that encrypt nothing': named(/NULL/),
  'only suites with RC4': named(/RC4/),
  'only suites of export strength': named(/EXPORT/),
  'only suites with DES or RC2': named(/_DES_|DES40|RC2/),
  'only suites with 3DES': named(/3DES/),
  'only suites without authentication': named(/_anon_/),
  'only finite fields of less than 2048 bits': suites(({ dhBits = 2048 }) => dhBits < 2048),
  'only curves of less than 224 bits': choices(
    ({ groups }) => groups.tls12,
    name => bitsOfCurve(name) < 224,
  ),
  'only hybrid groups': choices(
    ({ groups }) => groups.tls13,
    name => name.includes('MLKEM'),
  ),
  'only signatures with SHA-1 or MD5': choices(
    ({ signatures }) => signatures,
    name => /sha1$|md5$/.test(name),
  ),
  'TLS compression': option('compression'),
  'truncated HMAC': option('truncated HMAC'),
  'early data': option('early data'),
  'TLS 1.3, and keeps its Finished back': option('early ticket'),
  'secure renegotiation': option('secure renegotiation'),
  'the extended master secret': option('extended master secret'),
  'no server name': option('no server name'),
  'an unknown server name': option('unknown server name'),
  'an odd server name': option('odd server name'),
} as const satisfies Record<string, Question>
export type OfferName = keyof typeof OFFERS

/** The conversations that show what a server does with an offer. */
export const shownBy = (offer: TlsOffer, name: OfferName): string[] => {
  const seen = (OFFERS[name] as Question)(offer)?.seen
  return seen ? [seen] : []
}
