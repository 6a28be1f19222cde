import { Given } from '@cucumber/cucumber'
import {
  type Choice,
  certified,
  expecting,
  forced,
  forLevel,
  forOneDomain,
  forParentAlone,
  generalAndOptional,
  required,
  requiredBothWays,
  requiredInboundAlone,
} from '../support/mailflow/connectors.ts'
import { decisive, type OutboundConnector } from '../support/mailflow/mail-flow.ts'
import { Inapplicable } from './outcome.ts'
import { words } from './vocabulary/parameters.ts'
import type { MailWorld } from './world.ts'

/** The connector that was chosen. Without one the example is inapplicable. */
function chosen<T extends object>(choice: Choice<T>): T {
  if (typeof choice === 'string') throw new Inapplicable(choice)
  return choice
}

const ofLevel = (level: 'encryption-only' | 'certificate-validation' | 'domain-validation') => {
  return (world: MailWorld) => {
    world.needs(level)
    return chosen(forLevel(world.flow, level))
  }
}

/** What an outbound connector demands, in the words of the features. */
const DEMANDS: Record<string, (world: MailWorld) => OutboundConnector> = {
  'uses opportunistic TLS': world => chosen(forLevel(world.flow, 'opportunistic')),
  'requires TLS': world => chosen(forced(world.flow)),
  'requires encryption only': ofLevel('encryption-only'),
  'requires certificate validation': ofLevel('certificate-validation'),
  'requires domain validation': ofLevel('domain-validation'),
}
words('demand', DEMANDS)

/** Throws for words that are no demand: a table cell has no parameter type to check it. */
export function connectorThat(world: MailWorld, demand: string): OutboundConnector {
  const choose = DEMANDS[demand]
  if (!choose) throw new Error(`no outbound connector is known that ${demand}`)
  return choose(world)
}

const partnerAt = (world: MailWorld, partnerDomain: string) =>
  world.intent.add('connector', { partnerDomain })

/** A domain that nothing else uses, under the pattern of a connector. */
function domainUnder(world: MailWorld, pattern: string): string {
  const { lab } = world.run
  const { depth } = world.manners.message
  const domain = lab.freshDomain(pattern)
  if (!depth || !pattern.startsWith('*')) return domain
  world.comes('message', { depth })
  return lab.freshDomain(`*.${domain}`)
}

const partnerUnder = (world: MailWorld, pattern: string) => partnerAt(world, domainUnder(world, pattern))

const clientUnder = (world: MailWorld, pattern: string) =>
  world.intent.add('connector', { clientDomain: domainUnder(world, pattern) })

Given(
  "an outbound connector that {demand} for the partner's domain",
  function (this: MailWorld, choose: (world: MailWorld) => OutboundConnector) {
    partnerUnder(this, choose(this).to)
  },
)

Given(
  "an outbound connector that {demand} for the client's domain",
  function (this: MailWorld, choose: (world: MailWorld) => OutboundConnector) {
    clientUnder(this, choose(this).to)
  },
)

/** Which domain an outbound connector names exactly. */
const EXACTLY: Record<string, (world: MailWorld) => void> = {
  "the partner's domain": world =>
    partnerAt(world, chosen(forOneDomain(world.flow, world.example.control ? 'first' : 'last')).to),
  "the parent of the partner's domain": world =>
    partnerUnder(world, `*.${chosen(forParentAlone(world.flow)).to}`),
}
words('exactly', EXACTLY)

Given(
  'an outbound connector that requires TLS for exactly {exactly}',
  function (this: MailWorld, choose: (world: MailWorld) => void) {
    choose(this)
  },
)

Given(
  'an outbound connector that expects a certificate for {name}',
  function (this: MailWorld, name: string) {
    this.needs('tls-domain')
    partnerUnder(this, chosen(expecting(this.flow, name)).to)
  },
)

/** For which domains the more specific connector makes TLS optional. */
const OPTIONAL: Record<string, (world: MailWorld) => void> = {
  "some of them, but not the partner's": world =>
    partnerUnder(world, chosen(generalAndOptional(world.flow, 'a pattern')).general.to),
  "exactly the partner's domain": world =>
    partnerAt(world, chosen(generalAndOptional(world.flow, 'one domain')).optional.to),
  "all sub-domains of the partner's parent domain": world =>
    partnerUnder(world, chosen(generalAndOptional(world.flow, 'a pattern')).optional.to),
}
words('optional', OPTIONAL)

Given(
  'an outbound connector that requires TLS for all sub-domains of a domain, and another that makes TLS optional for {optional}',
  function (this: MailWorld, choose: (world: MailWorld) => void) {
    choose(this)
  },
)

Given("no inbound connector for the client's domain", function (this: MailWorld) {
  const clientDomain = this.run.lab.freshDomain('*.stranger.test')
  if (decisive(this.flow.inbound, clientDomain))
    throw new Inapplicable('the gateway has an inbound connector for every client')
  this.intent.add('connector', { clientDomain })
})

Given("an inbound connector that requires TLS for the client's domain", function (this: MailWorld) {
  this.needs('inbound-required')
  clientUnder(this, chosen(required(this.flow)).from)
})

Given("an inbound connector that requires TLS for the partner's domain", function (this: MailWorld) {
  this.needs('inbound-required')
  const { from } = chosen(requiredInboundAlone(this.flow))
  if (this.run.gateways.source.kind === 'external')
    throw new Inapplicable(
      `mail for ${from} leads to the partner only where the suite has set up the gateway`,
    )
  partnerUnder(this, from)
})

Given("an inbound connector that requires a certificate with the client's name", function (this: MailWorld) {
  this.needs('client-certificates')
  const { from, clientCertificate } = chosen(certified(this.flow))
  clientUnder(this, from)
  this.intent.add('connector', { certificateName: clientCertificate })
})

Given(
  'an inbound connector that requires a certificate for {name}',
  function (this: MailWorld, name: string) {
    this.needs('client-certificates')
    clientUnder(this, chosen(certified(this.flow, name)).from)
  },
)

Given(
  'an inbound and an outbound connector that require TLS for the same domain',
  function (this: MailWorld) {
    this.needs('inbound-required')
    const domain = this.run.lab.freshDomain(chosen(requiredBothWays(this.flow)).from)
    this.intent.add('connector', { partnerDomain: domain, clientDomain: domain })
  },
)
