import { Given, Then, When } from '@cucumber/cucumber'
import { EXCHANGE_SUITES } from '../support/catalogue/tls-profiles.ts'
import { type Strength, type TlsOffer, versionIn } from '../support/evidence/offer.ts'
import { OFFERS, type OfferName, shownBy } from '../support/evidence/offer-questions.ts'
import { staysWithin } from '../support/judgements/guideline.ts'
import { sameCertificates } from '../support/judgements/one-name.ts'
import { equallyStrong } from '../support/judgements/strength.ts'
import {
  acceptsListedSuites,
  acceptsOffer,
  certificatesAreStrong,
  choosesInListedOrder,
  choosesNewest,
  prefersForwardSecrecy,
  refusesOffer,
  refusesOfferWith,
  sendsTicketsLate,
} from '../support/judgements/tls-offer.ts'
import { CHANGES } from '../support/mailflow/changes.ts'
import { addressesOf, strengthAt } from '../support/traffic/probe.ts'
import { scanOnce } from '../support/traffic/scan-once.ts'
import type { Observation } from '../support/verdicts/observation.ts'
import { words } from './vocabulary/parameters.ts'
import type { MailWorld } from './world.ts'

words('hello', {
  ...Object.fromEntries(Object.keys(OFFERS).map(name => [name, name])),
  'TLS 1.2 and TLS 1.3': 'both versions',
  'everything that the lab knows': 'everything',
  'suites with ECDHE and AEAD last': 'suites in the opposite order',
  'all suites of TLS 1.2': 'all suites',
  'the suites of the profile in the opposite order': 'suites in the opposite order',
} satisfies Record<string, Offered>)
/** What the client of an example offers. */
type Offered =
  | OfferName
  | 'both versions'
  | 'everything'
  | 'all suites'
  | 'suites in the opposite order'
  | (string & {})

/** The certificate of another server of the gateway's domain. */
words<'as usual' | 'former'>('another', {
  'another server': 'as usual',
  'another server with a certificate of the former authority': 'former',
})

Given("the gateway's domain has {another}", function (this: MailWorld, shows: 'as usual' | 'former') {
  this.needs('pair')
  this.intent.add('gateway', { another: shows })
})

When("the lab probes every address of the gateway's domain", async function (this: MailWorld) {
  const { another } = this.intent.read('gateway', 'another')
  const servers = [await this.servers.gateway()]
  if (another)
    servers.push(
      await this.servers.anotherGateway(
        another === 'former' ? [CHANGES['shows a certificate of the former authority']] : [],
      ),
    )
  const endpoints = await Promise.all(
    servers.flatMap(({ inbound, alsoAt = [] }) => [inbound, ...alsoAt]).map(addressesOf),
  )
  const trust = [...new Set([await this.run.pki.root(), ...servers.flatMap(({ flow }) => flow.sendersTrust)])]
  const about = { hostname: this.flow.hostname, trust }
  this.happened.strengths = await Promise.all(endpoints.flat().map(one => strengthAt(one, about)))
  for (const { conversations } of this.happened.strengths) this.happened.conversations.push(...conversations)
  this.happened.acted = true
})

/** What all addresses have in common. */
words<(all: readonly Strength[]) => Observation>('common', {
  'offers TLS of the same strength': equallyStrong,
  'shows a certificate of the same subject and issuer': sameCertificates,
})

Then(
  'every address {common}',
  function (this: MailWorld, judgement: (all: readonly Strength[]) => Observation) {
    return this.conclude(judgement(this.happened.strengths))
  },
)

Given('the client offers {hello}', function (this: MailWorld, offer: Offered) {
  this.intent.add('client', { offers: offer })
})

When('the lab probes the TLS of the gateway', async function (this: MailWorld) {
  this.needsRole('receiver')
  const gateway = await this.servers.gateway()
  const { offer, conversations } = await scanOnce(gateway, {
    endpoint: gateway.inbound,
    helo: `probe.${this.flow.domain}`,
    serverName: this.flow.hostname,
    trust: [await this.run.pki.root()],
  })
  if (this.intent.said('gateway').length === 0) this.run.offer ??= offer
  const { offers } = this.intent.read('client', 'offers')
  this.happened.tls = { offer, offered: offers! }
  for (const name of seenOf(offer, offers!)) {
    const conversation = conversations.get(name)
    if (conversation) this.happened.conversations.push(conversation)
  }
  this.happened.acted = true
})

function seenOf(offer: TlsOffer, offered: Offered): string[] {
  if (offer.unreachable !== undefined) return []
  if (offered === 'both versions') return offer.best ? [offer.best.seen] : []
  if (offered === 'everything') return offer.versions.map(({ seen }) => seen)
  const { seen, suites, turned } = versionIn(offer, 'TLSv1.2')
  if (offered === 'all suites')
    return [suites.all.find(({ name }) => !EXCHANGE_SUITES.includes(name))?.seen ?? suites.end ?? '']
  if (offered === 'suites in the opposite order') return turned ? [seen, turned.seen] : []
  return shownBy(offer, offered as OfferName)
}

/** What the gateway does with what the client offers. */
words<(offer: TlsOffer, offered: OfferName) => Observation>('answer', {
  'accepts what the client offers': acceptsOffer,
  'refuses what the client offers': refusesOffer,
  'refuses what the client offers, with the alert protocol_version': (offer, offered) =>
    refusesOfferWith(offer, offered, 'protocol_version'),
  'chooses the newest version that it accepts': choosesNewest,
  'chooses a suite with ECDHE and AEAD': prefersForwardSecrecy,
  'sends no session ticket': sendsTicketsLate,
  'accepts no suite that the profile does not list': acceptsListedSuites,
  'chooses by the order of the profile': choosesInListedOrder,
  'shows certificates with a strong key and signature': certificatesAreStrong,
  'accepts only versions and suites that NIST allows': offer => staysWithin(offer, 'NIST-01'),
  'accepts only groups, signatures, keys and options that NIST allows': offer =>
    staysWithin(offer, 'NIST-02'),
  'accepts only what BSI allows': offer => staysWithin(offer, 'BSI-02'),
  'accepts no version and no suite that NCSC calls insufficient': offer => staysWithin(offer, 'NCSC-01'),
  'accepts no group, signature, key or option that NCSC calls insufficient': offer =>
    staysWithin(offer, 'NCSC-02'),
})

Then(
  'the gateway {answer}',
  function (this: MailWorld, judgement: (offer: TlsOffer, offered: OfferName) => Observation) {
    const { tls } = this.happened
    if (!tls) throw new Error('nobody has probed the TLS of the gateway')
    return this.conclude(judgement(tls.offer, tls.offered as OfferName))
  },
)
