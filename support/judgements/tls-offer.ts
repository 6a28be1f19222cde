import { EXCHANGE_SUITES, isWeakKey, oldHash } from '../catalogue/tls-profiles.ts'
import type { Finding, TlsOffer, VersionOffer } from '../evidence/offer.ts'
import { versionIn } from '../evidence/offer.ts'
import { OFFERS, type OfferName } from '../evidence/offer-questions.ts'
import { broken, kept, type Observation, refused, unclear } from '../verdicts/observation.ts'
import { opensslName, spoken } from '../wire/tls/tls-names.ts'

/** Of a gateway that answered no question nothing can be claimed. */
const ofReached =
  <More extends unknown[], Judged>(judge: (offer: TlsOffer, ...more: More) => Judged) =>
  (offer: TlsOffer, ...more: More): Judged | Observation =>
    offer.unreachable === undefined
      ? judge(offer, ...more)
      : unclear(`nothing is known of the gateway's TLS: ${offer.unreachable}`)

/** What is known of an offer, or why nothing can be claimed. */
const known = ofReached((offer, name: OfferName): Finding | Observation => {
  const finding = OFFERS[name](offer)
  if (!finding) return unclear(`the gateway accepts no version in which a client can offer ${name}`)
  return finding.known === 'unknown'
    ? unclear(
        `what the gateway does with a client that offers ${name} is not known: ${finding.said ?? 'no answer'}`,
      )
    : finding
})

/** The gateway serves a client that offers this, or acknowledges what the client offers. */
export function acceptsOffer(offer: TlsOffer, name: OfferName): Observation {
  const found = known(offer, name)
  if ('kind' in found) return found
  return found.known === 'yes'
    ? kept(`the gateway accepts ${name}`)
    : broken(`the gateway does not accept ${name}${inBrackets(found)}`, `the gateway does not accept ${name}`)
}

/** The gateway refuses a client that offers this, or does not go along with it. */
export function refusesOffer(offer: TlsOffer, name: OfferName): Observation {
  const found = known(offer, name)
  if ('kind' in found) return found
  return found.known === 'no'
    ? refused(`the gateway does not accept ${name}${inBrackets(found)}`)
    : broken(`the gateway accepts ${name}${inBrackets(found)}`, `the gateway accepts ${name}`)
}

/** As `refusesOffer`, with this fatal alert (RFC 8446 s6.2). */
export function refusesOfferWith(offer: TlsOffer, name: OfferName, alert: string): Observation {
  const seen = refusesOffer(offer, name)
  if (seen.kind !== 'kept') return seen
  const said = OFFERS[name](offer)?.said ?? ''
  return said === `alert ${alert}`
    ? seen
    : broken(`the gateway refuses ${name} without the alert ${alert}: ${said || 'it said nothing'}`)
}

const inBrackets = ({ said }: Finding): string => (said ? ` (${said})` : '')

/** Of TLS 1.3 and TLS 1.2 the gateway chooses the newest that it accepts. */
export const choosesNewest = ofReached((offer): Observation => {
  const { best } = offer
  if (!best) return unclear('the gateway gave no answer to a client that offers TLS 1.3 and TLS 1.2')
  const newest = offer.versions.find(({ known }) => known === 'yes')?.version ?? best.version
  return newest === best.version
    ? kept(`of TLS 1.3 and TLS 1.2 the gateway chooses ${spoken(best.version)}`)
    : broken(
        `of TLS 1.3 and TLS 1.2 the gateway chooses ${spoken(best.version)}, although it accepts ${spoken(newest)}`,
      )
})

/** The gateway sends session tickets only to clients whose Finished it has. RFC 8446 s4.6.1 permits both. */
export const sendsTicketsLate = ofReached((offer): Observation => {
  const { known: accepted } = versionIn(offer, 'TLSv1.3')
  if (accepted === 'no') return kept('the gateway has no TLS 1.3, which alone has such tickets')
  const { known = 'unknown', said = 'no answer' } = offer.options['early ticket'] ?? {}
  if (known === 'unknown') return unclear(`when the gateway sends session tickets is not known: ${said}`)
  return known === 'no'
    ? refused("the gateway sends no session ticket before the client's Finished")
    : broken("the gateway sends a session ticket before the client's Finished")
})

const isEcdheAead = (name: string): boolean => /_ECDHE_.*(GCM|CCM|CHACHA20)/.test(name)

/** In TLS 1.2 the gateway chooses ECDHE with AEAD, if it accepts such a suite, also where the client offers it last. */
export const prefersForwardSecrecy = ofReached((offer): Observation => {
  const { known: accepted, suites, turned } = versionIn(offer, 'TLSv1.2')
  if (accepted === 'unknown') return unclear('what the gateway chooses in TLS 1.2 is not known')
  const some = suites.all.some(({ name }) => isEcdheAead(name))
  if (accepted === 'no' || (some && suites.all.every(({ name }) => isEcdheAead(name))))
    return kept('the gateway accepts no TLS 1.2 without ECDHE and AEAD')
  if (!some) return broken('the gateway accepts no suite with ECDHE and AEAD in TLS 1.2')
  if (!turned)
    return unclear('the gateway gave no answer to a client that offers its suites in the opposite order')
  // In the first question the weaker suites come first, in the other one the server's last suite does.
  const weaker = [suites.all[0]!.name, turned.suite].find(name => !isEcdheAead(name))
  return weaker === undefined
    ? kept(
        `the gateway chooses ${opensslName(turned.suite)} also where a client offers it after weaker suites`,
      )
    : broken(
        `the gateway chooses ${opensslName(weaker)} where a client offers suites with ECDHE and AEAD after it`,
        'where a client offers suites with ECDHE and AEAD after it',
      )
})

/** The place of a suite in the list of Exchange Online; -1 for one that is not in it. */
const placeOf = (name: string): number => EXCHANGE_SUITES.indexOf(name.replace('_ECDSA_', '_RSA_'))

/** Why the gateway may have more suites than are known. */
const whyMore = ({ known: accepted, said, suites }: VersionOffer): string | undefined =>
  suites.incomplete ?? (accepted === 'unknown' ? (said ?? 'no answer') : undefined)

/** In TLS 1.2 the gateway accepts no suite but those of EXO-CIP-02. */
export const acceptsListedSuites = ofReached((offer): Observation => {
  const tls12 = versionIn(offer, 'TLSv1.2')
  const others = tls12.suites.all.filter(({ name }) => placeOf(name) < 0).map(({ openssl }) => openssl)
  if (others.length > 0)
    return broken(
      `the gateway accepts suites that the profile does not list: ${others.join(', ')}`,
      'the gateway accepts suites that the profile does not list',
    )
  const why = whyMore(tls12)
  return why === undefined
    ? refused('the gateway accepts no suite that the profile does not list')
    : unclear(`not all suites of the gateway are known: ${why}`)
})

/** In TLS 1.2 the gateway has the order of EXO-CIP-01, and ignores that of the client. */
export const choosesInListedOrder = ofReached((offer): Observation => {
  const tls12 = versionIn(offer, 'TLSv1.2')
  const why = whyMore(tls12)
  if (why !== undefined) return unclear(`not all suites of the gateway are known: ${why}`)
  const { suites, preference } = tls12
  const listed = suites.all.filter(({ name }) => placeOf(name) >= 0)
  if (listed.length < 2) return kept('the gateway accepts no two suites of the list')
  if (preference === undefined) return unclear('whose order decides is not known')
  if (preference === 'client') return broken('the gateway chooses in the order of the client')
  const wrong = listed.findIndex(({ name }, i) => i > 0 && placeOf(name) < placeOf(listed[i - 1]!.name))
  return wrong < 0
    ? kept('the gateway chooses in the order of the list, also where a client has the opposite order')
    : broken(
        `the gateway chooses ${listed[wrong - 1]!.openssl} before ${listed[wrong]!.openssl}, which is earlier in the list`,
        'which is earlier in the list',
      )
})

/** No certificate that the gateway shows has a key of less than 112 bits of strength, or a signature with an old hash. */
export const certificatesAreStrong = ofReached(({ certificates }): Observation => {
  const weak = certificates.flatMap(({ key, signature }) => [
    ...(isWeakKey(key)
      ? [`a key of ${key.curve === undefined ? `${key.bits} bits (${key.type})` : `the curve ${key.curve}`}`]
      : []),
    ...(oldHash(signature) ? [`a signature with ${signature}`] : []),
  ])
  if (certificates.length === 0) return unclear('the gateway showed no certificate')
  return weak.length === 0
    ? kept('the certificate of the gateway has a key and a signature that are strong enough')
    : broken(`the certificate of the gateway has ${weak.join(' and ')}`)
})
