import { type DataTable, defineParameterType, Given } from '@cucumber/cucumber'
import {
  covers,
  decisive,
  type InboundConnector,
  type OutboundConnector,
  type OutboundLevel,
} from '../support/mailflow/mail-flow.ts'
import { FORCED_LEVELS } from '../support/mailflow/standard-flow.ts'
import { behaviour } from './vocabulary/parameters.ts'
import { Inapplicable, type MailWorld } from './world.ts'

const wildcard = (pattern: string): boolean => pattern.startsWith('*.')

/** The first that fits, or the example is inapplicable. */
function first<C>(connectors: readonly C[], fits: (connector: C) => boolean, what: string): C {
  const found = connectors.find(fits)
  if (!found) throw new Inapplicable(`the gateway has no ${what}`)
  return found
}

const outbound = (world: MailWorld, fits: (connector: OutboundConnector) => boolean, what: string) =>
  first(world.flow.outbound, fits, `outbound connector that ${what}`)

const inbound = (world: MailWorld, fits: (connector: InboundConnector) => boolean, what: string) =>
  first(world.flow.inbound, fits, `inbound connector that ${what}`)

/** Compares with the recipient's own name first, then those that compare with one name that a partner can bear too. */
const NAMES = [
  ({ tlsDomain }: OutboundConnector) => tlsDomain === undefined,
  ({ tlsDomain }: OutboundConnector) => tlsDomain !== undefined && !wildcard(tlsDomain),
]

/** One that no other connector cuts into: a fresh domain under it is decided by it. */
function forLevel(world: MailWorld, level: OutboundLevel): OutboundConnector {
  const fits = (c: OutboundConnector) => wildcard(c.to) && c.tls === level
  const found = NAMES.flatMap(named => world.flow.outbound.filter(c => fits(c) && named(c)))
  return found[0] ?? outbound(world, () => false, `has the level ${level}`)
}

function forName(world: MailWorld, tlsDomain: string): OutboundConnector {
  const fits = (c: OutboundConnector) => wildcard(c.to) && c.tlsDomain === tlsDomain
  return outbound(world, fits, `expects a certificate for ${tlsDomain}`)
}

/** The weakest level that forces TLS; a scenario that asks for TLS alone gets this. */
function forced(world: MailWorld): OutboundConnector {
  const exempts = (to: string) =>
    world.flow.outbound.some(other => other.tls === 'opportunistic' && covers(to, other.to.replace('*.', '')))
  const candidates = FORCED_LEVELS.flatMap(level =>
    NAMES.flatMap(named =>
      world.flow.outbound.filter(c => wildcard(c.to) && c.tls === level && named(c) && !exempts(c.to)),
    ),
  )
  if (!candidates[0]) throw new Inapplicable('the gateway has no outbound connector that requires TLS')
  return candidates[0]
}

function partnerUnder(world: MailWorld, pattern: string): void {
  world.domain = world.run.lab.freshDomain(pattern)
}

function senderUnder(world: MailWorld, pattern: string): void {
  world.senderDomain = world.run.lab.freshDomain(pattern)
}

Given("no outbound connector for the partner's domain", function (this: MailWorld) {
  partnerUnder(this, forLevel(this, 'opportunistic').to)
})

Given("an outbound connector that requires TLS for the partner's domain", function (this: MailWorld) {
  partnerUnder(this, forced(this).to)
  this.senderDomain = this.domain
})

Given(
  "an outbound connector that requires TLS for the parent of the partner's domain only",
  function (this: MailWorld) {
    const parent = outbound(
      this,
      ({ to, tls }) => !wildcard(to) && tls !== 'opportunistic' && !decisive(this.flow.outbound, `x.${to}`),
      'requires TLS for one domain and not for those below it',
    )
    partnerUnder(this, `*.${parent.to}`)
  },
)

Given("an outbound connector that requires TLS for the partner's domain alone", function (this: MailWorld) {
  this.domain = outbound(
    this,
    ({ to, tls }) => !wildcard(to) && tls !== 'opportunistic',
    'requires TLS for one domain by its name',
  ).to
})

/** Levels in the words of the features. */
const LEVELS: Record<string, OutboundLevel> = {
  'encryption only': 'encryption-only',
  'certificate validation': 'certificate-validation',
  'domain validation': 'domain-validation',
}

defineParameterType({
  name: 'level',
  regexp: new RegExp(Object.keys(LEVELS).join('|')),
  transformer: (words: string) => LEVELS[words]!,
  useForSnippets: false,
})

Given('an outbound connector that requires {level}', function (this: MailWorld, level: OutboundLevel) {
  partnerUnder(this, forLevel(this, level).to)
})

Given(
  'an outbound connector that expects a certificate for {name}',
  function (this: MailWorld, name: string) {
    partnerUnder(this, forName(this, name).to)
  },
)

/** A connector that forces TLS for all below a name, and one that exempts some of them. */
function generalAndExempt(world: MailWorld, exempts: (to: string) => boolean) {
  const { outbound: connectors } = world.flow
  for (const general of connectors.filter(({ to, tls }) => wildcard(to) && tls !== 'opportunistic'))
    for (const { to, tls } of connectors)
      if (tls === 'opportunistic' && exempts(to) && covers(general.to, to.replace('*.', '')))
        return { general: general.to, exempt: to }
  throw new Inapplicable('the gateway has no outbound connectors of which one exempts what another covers')
}

/** Which connector covers the partner's domain, by what the other one exempts. */
const EXEMPTED: Record<string, (world: MailWorld) => void> = {
  'some of them': world => partnerUnder(world, generalAndExempt(world, wildcard).general),
  "the partner's own": world => {
    world.domain = generalAndExempt(world, to => !wildcard(to)).exempt
  },
  "those around the partner's": world => partnerUnder(world, generalAndExempt(world, wildcard).exempt),
}

defineParameterType({
  name: 'exempted',
  regexp: new RegExp(Object.keys(EXEMPTED).join('|')),
  transformer: (words: string) => EXEMPTED[words]!,
  useForSnippets: false,
})

Given(
  'a connector that requires TLS for all sub-domains and another that exempts {exempted}',
  function (this: MailWorld, choose: (world: MailWorld) => void) {
    choose(this)
  },
)

Given("no inbound connector for the sender's domain", function (this: MailWorld) {
  senderUnder(this, '*.stranger.test')
  if (decisive(this.flow.inbound, this.senderDomain!))
    throw new Inapplicable('the gateway has an inbound connector for every sender')
})

const required = ({ from, tls, clientCertificate }: InboundConnector) =>
  tls === 'required' && !clientCertificate && wildcard(from)

Given("an inbound connector that requires TLS for the sender's domain", function (this: MailWorld) {
  senderUnder(this, inbound(this, required, 'requires TLS').from)
})

Given("an inbound connector that requires TLS for the partner's domain", function (this: MailWorld) {
  const { from } = inbound(
    this,
    connector => required(connector) && !decisive(this.flow.outbound, connector.from.replace('*', 'x')),
    'requires TLS while no outbound connector covers the same domain',
  )
  if (this.run.gateways.source.kind === 'external')
    throw new Inapplicable(
      `mail for ${from} leads to the partner only where the suite has set up the gateway`,
    )
  partnerUnder(this, from)
})

Given("an inbound connector that requires a certificate with the partner's name", function (this: MailWorld) {
  const { from, clientCertificate } = inbound(
    this,
    ({ clientCertificate }) => clientCertificate !== undefined && !wildcard(clientCertificate),
    'requires a certificate with a name',
  )
  senderUnder(this, from)
  this.certificateNames = [clientCertificate!]
})

Given(
  'an inbound connector that requires a certificate for {name}',
  function (this: MailWorld, name: string) {
    senderUnder(
      this,
      inbound(
        this,
        ({ clientCertificate }) => clientCertificate === name,
        `requires a certificate for ${name}`,
      ).from,
    )
  },
)

Given('connectors that require TLS in both directions', function (this: MailWorld) {
  const { from } = inbound(
    this,
    connector =>
      required(connector) &&
      this.flow.outbound.some(({ to, tls }) => to === connector.from && tls !== 'opportunistic'),
    'requires TLS for a domain that an outbound connector names as well',
  )
  partnerUnder(this, from)
  this.senderDomain = this.domain
})

Given('TLS works on both legs', function (this: MailWorld) {
  this.hosts = [{}]
  this.sender = { tls: 'uses' }
})

/** Columns: partner, connector (none or forced), STARTTLS (offered or hidden). */
Given('a message for these partners', function (this: MailWorld, table: DataTable) {
  this.needsRoom(table.hashes().length)
  this.copies = table.hashes().map(({ partner, connector, STARTTLS }) => {
    const { to } = connector === 'forced' ? forced(this) : forLevel(this, 'opportunistic')
    return {
      name: partner!,
      domain: this.run.lab.freshDomain(to),
      behaviour: behaviour(STARTTLS === 'offered' ? 'offers STARTTLS' : 'does not offer STARTTLS'),
    }
  })
})
