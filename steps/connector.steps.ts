import { type DataTable, defineParameterType, Given } from '@cucumber/cucumber'
import {
  type Choice,
  certified,
  expecting,
  forced,
  forLevel,
  forOneDomain,
  forParentAlone,
  generalAndExempt,
  required,
  requiredBothWays,
  requiredInboundAlone,
} from '../support/mailflow/connectors.ts'
import { decisive, type OutboundLevel } from '../support/mailflow/mail-flow.ts'
import { behaviour } from './vocabulary/parameters.ts'
import { Inapplicable, type MailWorld } from './world.ts'

/** The connector that was chosen. Without one the example is inapplicable. */
function chosen<T extends object>(choice: Choice<T>): T {
  if (typeof choice === 'string') throw new Inapplicable(choice)
  return choice
}

function partnerUnder(world: MailWorld, pattern: string): void {
  world.domain = world.run.lab.freshDomain(pattern)
}

function senderUnder(world: MailWorld, pattern: string): void {
  world.senderDomain = world.run.lab.freshDomain(pattern)
}

Given("no outbound connector for the partner's domain", function (this: MailWorld) {
  partnerUnder(this, chosen(forLevel(this.flow, 'opportunistic')).to)
})

Given("an outbound connector that requires TLS for the partner's domain", function (this: MailWorld) {
  partnerUnder(this, chosen(forced(this.flow)).to)
  this.senderDomain = this.domain
})

Given(
  "an outbound connector that requires TLS for the parent of the partner's domain only",
  function (this: MailWorld) {
    partnerUnder(this, `*.${chosen(forParentAlone(this.flow)).to}`)
  },
)

Given("an outbound connector that requires TLS for the partner's domain alone", function (this: MailWorld) {
  this.domain = chosen(forOneDomain(this.flow)).to
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
  partnerUnder(this, chosen(forLevel(this.flow, level)).to)
})

Given(
  'an outbound connector that expects a certificate for {name}',
  function (this: MailWorld, name: string) {
    partnerUnder(this, chosen(expecting(this.flow, name)).to)
  },
)

/** Which connector covers the partner's domain, by what the other one exempts. */
const EXEMPTED: Record<string, (world: MailWorld) => void> = {
  'some of them': world => partnerUnder(world, chosen(generalAndExempt(world.flow, 'a pattern')).general.to),
  "the partner's own": world => {
    world.domain = chosen(generalAndExempt(world.flow, 'one domain')).exempt.to
  },
  "those around the partner's": world =>
    partnerUnder(world, chosen(generalAndExempt(world.flow, 'a pattern')).exempt.to),
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

Given("an inbound connector that requires TLS for the sender's domain", function (this: MailWorld) {
  senderUnder(this, chosen(required(this.flow)).from)
})

Given("an inbound connector that requires TLS for the partner's domain", function (this: MailWorld) {
  const { from } = chosen(requiredInboundAlone(this.flow))
  if (this.run.gateways.source.kind === 'external')
    throw new Inapplicable(
      `mail for ${from} leads to the partner only where the suite has set up the gateway`,
    )
  partnerUnder(this, from)
})

Given("an inbound connector that requires a certificate with the partner's name", function (this: MailWorld) {
  const { from, clientCertificate } = chosen(certified(this.flow))
  senderUnder(this, from)
  this.certificateNames = [clientCertificate]
})

Given(
  'an inbound connector that requires a certificate for {name}',
  function (this: MailWorld, name: string) {
    senderUnder(this, chosen(certified(this.flow, name)).from)
  },
)

Given('connectors that require TLS in both directions', function (this: MailWorld) {
  partnerUnder(this, chosen(requiredBothWays(this.flow)).from)
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
    const { to } = chosen(connector === 'forced' ? forced(this.flow) : forLevel(this.flow, 'opportunistic'))
    return {
      name: partner!,
      domain: this.run.lab.freshDomain(to),
      behaviour: behaviour(STARTTLS === 'offered' ? 'offers STARTTLS' : 'does not offer STARTTLS'),
    }
  })
})
