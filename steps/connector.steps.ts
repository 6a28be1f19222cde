import { isDeepStrictEqual } from 'node:util'
import { Given } from '@cucumber/cucumber'
import {
  type Choice,
  type Choosable,
  certified,
  expecting,
  forced,
  forLevel,
  forOneDomain,
  forParentAlone,
  generalAndOptional,
  NoConnector,
  pinning,
  required,
  requiredBothWays,
  requiredInboundAlone,
} from '../support/mailflow/connectors.ts'
import { STRANGERS } from '../support/mailflow/domains.ts'
import { decisive, type OutboundConnector, PINS } from '../support/mailflow/mail-flow.ts'
import { Inapplicable } from './outcome.ts'
import { words } from './vocabulary/parameters.ts'
import type { MailWorld } from './world.ts'

/**
 * The connector of which it is the turn. Without one the example is inapplicable, and so it is where it was judged plainly with
 * this connector already.
 */
function chosen<T extends object>(world: MailWorld, choose: (flow: Choosable) => Choice<T>): T {
  const { flow, run, status } = world
  const choosable = { ...flow, ...(status ? { status } : {}) }
  const choice = choose({ ...choosable, turn: run.turn })
  if (choice instanceof NoConnector) throw new Inapplicable(withKey(world, choice))
  const earlier = Array.from({ length: run.turn }, (_, turn) => choose({ ...choosable, turn }))
  const isPlain = !run.circumstances?.size
  if (isPlain && earlier.some(one => isDeepStrictEqual(one, choice)))
    throw new Inapplicable('the gateway has no further connector of this kind')
  if ('to' in choice) world.connector = String(choice.to)
  if ('from' in choice) world.connector = String(choice.from)
  return choice
}

/** Of a gateway file, the sentence about a missing connector also says where one could be named. */
const withKey = ({ run }: MailWorld, { side, why }: NoConnector): string =>
  run.gateways.source.kind === 'external'
    ? `${why}; such a connector in ${side}.connectors of the gateway file would make it applicable`
    : why

const ofLevel = (level: 'encryption-only' | 'certificate-validation' | 'domain-validation') => {
  return (world: MailWorld) => {
    world.needs(level)
    return chosen(world, flow => forLevel(flow, level))
  }
}

/** What a connector of a gateway file does about the status of certificates is what the file says. */
const withStatus = (level: Parameters<typeof ofLevel>[0]) => {
  const choose = ofLevel(level)
  return (world: MailWorld) => {
    if (world.run.gateways.source.kind === 'external') {
      world.needs('status-online')
      const isAsked = world.flow.outbound.some(({ tls, status }) => tls === level && status === 'asked')
      world.status ??= isAsked ? 'asked' : 'required'
    }
    return choose(world)
  }
}

/** What an outbound connector demands, in the words of the features. */
const DEMANDS: Record<string, (world: MailWorld) => OutboundConnector> = {
  'uses opportunistic TLS': world => chosen(world, flow => forLevel(flow, 'opportunistic')),
  'requires TLS': world => chosen(world, forced),
  'requires encryption only': ofLevel('encryption-only'),
  'requires certificate validation': ofLevel('certificate-validation'),
  'requires domain validation': ofLevel('domain-validation'),
  'requires certificate validation, status included,': withStatus('certificate-validation'),
  'requires domain validation, status included,': withStatus('domain-validation'),
  ...Object.fromEntries(
    PINS.map(attribute => [
      `pins the ${attribute}`,
      (world: MailWorld) => {
        world.needs(`pin-${attribute}`)
        return chosen(world, flow => pinning(flow, attribute))
      },
    ]),
  ),
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
    const { to } = choose(this)
    if (decisive(this.flow.inbound, to.replace('*', 'x'))?.tls === 'required')
      throw new Inapplicable(`an inbound connector requires TLS for ${to} as well`)
    clientUnder(this, to)
  },
)

/** Which domain an outbound connector names exactly. */
const EXACTLY: Record<string, (world: MailWorld) => void> = {
  "the partner's domain": world =>
    partnerAt(world, chosen(world, flow => forOneDomain(flow, world.example.control ? 'first' : 'last')).to),
  "the parent of the partner's domain": world => partnerUnder(world, `*.${chosen(world, forParentAlone).to}`),
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
    partnerUnder(this, chosen(this, flow => expecting(flow, name)).to)
  },
)

/** For which domains the more specific connector makes TLS optional. */
const OPTIONAL: Record<string, (world: MailWorld) => void> = {
  "some of them, but not the partner's": world =>
    partnerUnder(world, chosen(world, flow => generalAndOptional(flow, 'a pattern')).general.to),
  "exactly the partner's domain": world =>
    partnerAt(world, chosen(world, flow => generalAndOptional(flow, 'one domain')).optional.to),
  "all sub-domains of the partner's parent domain": world =>
    partnerUnder(world, chosen(world, flow => generalAndOptional(flow, 'a pattern')).optional.to),
}
words('optional', OPTIONAL)

Given(
  'an outbound connector that requires TLS for all sub-domains of a domain, and another that makes TLS optional for {optional}',
  function (this: MailWorld, choose: (world: MailWorld) => void) {
    choose(this)
  },
)

Given(
  "a server of the gateway's own organisation, which may relay because of its certificate",
  function (this: MailWorld) {
    this.needs('relay-by-certificate')
    const { domain, relay } = this.flow
    partnerUnder(this, chosen(this, flow => forLevel(flow, 'opportunistic')).to)
    this.intent.add('connector', { clientDomain: domain, certificateName: relay!, relays: true })
  },
)

Given("no inbound connector for the client's domain", function (this: MailWorld) {
  const clientDomain = this.run.lab.freshDomain(STRANGERS)
  if (decisive(this.flow.inbound, clientDomain))
    throw new Inapplicable('the gateway has an inbound connector for every client')
  this.intent.add('connector', { clientDomain })
})

Given("an inbound connector that requires TLS for the client's domain", function (this: MailWorld) {
  this.needs('inbound-required')
  clientUnder(this, chosen(this, required).from)
})

Given("an inbound connector that requires TLS for the partner's domain", function (this: MailWorld) {
  this.needs('inbound-required')
  const { from } = chosen(this, requiredInboundAlone)
  if (!this.run.lab.leadsAll)
    throw new Inapplicable(
      `mail for ${from} does not lead to the partner; the key names of the gateway file would make it applicable`,
    )
  partnerUnder(this, from)
})

Given("an inbound connector that requires a certificate with the client's name", function (this: MailWorld) {
  this.needs('client-certificates')
  const { from, clientCertificate } = chosen(this, flow => certified(flow))
  clientUnder(this, from)
  this.intent.add('connector', { certificateName: clientCertificate })
})

Given(
  'an inbound connector that requires a certificate for {name}',
  function (this: MailWorld, name: string) {
    this.needs('client-certificates')
    clientUnder(this, chosen(this, flow => certified(flow, name)).from)
  },
)

Given(
  'an inbound and an outbound connector that require TLS for the same domain',
  function (this: MailWorld) {
    this.needs('inbound-required')
    const domain = this.run.lab.freshDomain(chosen(this, requiredBothWays).from)
    this.intent.add('connector', { partnerDomain: domain, clientDomain: domain })
  },
)
