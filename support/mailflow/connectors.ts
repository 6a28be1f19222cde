import type { Capability } from './capabilities.ts'
import {
  covers,
  decisive,
  type InboundConnector,
  type MailFlow,
  type OutboundConnector,
  type OutboundLevel,
  type Pin,
  STATUS_DEMANDS,
} from './mail-flow.ts'
import { FORCED_LEVELS } from './standard-flow.ts'

/**
 * A mail flow from which connectors are chosen. `turn`: where several connectors fit, not the first but the one after so many
 * others, so that each has its turn; beginning again after the last. Default: 0.
 */
export type Choosable = MailFlow & {
  readonly turn?: number
  /** Only connectors of which the gateway file says just this. Default: all that do not require the status. */
  readonly status?: OutboundConnector['status']
}

/** What was chosen, if the mail flow has such a connector. */
export type Choice<T> = T | NoConnector

/** Why nothing was chosen. */
export class NoConnector {
  /** Where such a connector would stand. */
  readonly side: 'inbound' | 'outbound'
  /** A sentence. */
  readonly why: string

  constructor(side: NoConnector['side'], what: string) {
    this.side = side
    this.why = `the gateway has no ${side} ${what}`
  }
}

/** Whether a connector is for all domains below a name, so that each example can have a domain of its own there. */
const isPattern = (domain: string): boolean => domain.startsWith('*.')

/** The connector compares with the recipient's own name first, then with one name that a partner can bear too. */
const NAMES = [
  ({ tlsDomain }: OutboundConnector) => tlsDomain === undefined,
  ({ tlsDomain }: OutboundConnector) => tlsDomain !== undefined && !isPattern(tlsDomain),
]

/** The connector whose turn it is. */
const turned = <T>({ turn = 0 }: Choosable, fitting: readonly T[]): T | undefined =>
  fitting[turn % Math.max(fitting.length, 1)]

const outbound = (flow: Choosable, fits: (c: OutboundConnector) => boolean, what: string) =>
  turned(flow, flow.outbound.filter(fits)) ?? new NoConnector('outbound', `connector that ${what}`)

const inbound = (flow: Choosable, fits: (c: InboundConnector) => boolean, what: string) =>
  turned(flow, flow.inbound.filter(fits)) ?? new NoConnector('inbound', `connector that ${what}`)

/** The outbound connectors with a level that are for all domains below a name, the plainest first. */
export function withLevel(flow: Choosable, level: OutboundLevel): OutboundConnector[] {
  const fits = ({ status }: OutboundConnector) =>
    flow.status === undefined ? status !== 'required' : status === flow.status
  const plain = flow.outbound.filter(c => isPattern(c.to) && c.tls === level && !c.pin && fits(c))
  return NAMES.flatMap(named => plain.filter(named))
}

/** An outbound connector with just this level, for all domains below a name. */
export function forLevel(flow: Choosable, level: OutboundLevel): Choice<OutboundConnector> {
  return (
    turned(flow, withLevel(flow, level)) ??
    new NoConnector(
      'outbound',
      `connector that has the level ${level}${flow.status ? ` and status: ${flow.status}` : ''}`,
    )
  )
}

/**
 * An outbound connector that requires TLS for all domains below a name, at the weakest level that does. No other
 * connector makes TLS optional for any domain below the name.
 */
export function forced(flow: Choosable): Choice<OutboundConnector> {
  const isCutInto = ({ to }: OutboundConnector) =>
    flow.outbound.some(other => other.tls === 'opportunistic' && covers(to, other.to.replace('*.', '')))
  return (
    FORCED_LEVELS.map(level =>
      turned(
        flow,
        withLevel(flow, level).filter(one => !isCutInto(one)),
      ),
    ).find(one => one !== undefined) ?? new NoConnector('outbound', 'connector that requires TLS')
  )
}

/** An outbound connector that pins an attribute of the partner's certificate. */
export function pinning(flow: Choosable, attribute: Pin['attribute']): Choice<OutboundConnector> {
  return outbound(flow, ({ pin }) => pin?.attribute === attribute, `pins the ${attribute}`)
}

/**
 * An outbound connector that expects a certificate for a name in place of the recipient's own (Exchange's TlsDomain).
 */
export function expecting(flow: Choosable, tlsDomain: string): Choice<OutboundConnector> {
  const fits = (c: OutboundConnector) => isPattern(c.to) && c.tlsDomain === tlsDomain
  return outbound(flow, fits, `expects a certificate for ${tlsDomain}`)
}

/**
 * An outbound connector that requires TLS for one domain by its name: the first, or the last where a Rule needs another
 * domain than its control, because a gateway may remember the servers of the first.
 */
export function forOneDomain(flow: MailFlow, which: 'first' | 'last' = 'first'): Choice<OutboundConnector> {
  const fits = ({ to, tls }: OutboundConnector) => !isPattern(to) && tls !== 'opportunistic'
  const found = which === 'first' ? flow.outbound.find(fits) : flow.outbound.findLast(fits)
  return found ?? new NoConnector('outbound', 'connector that requires TLS for one domain by its name')
}

/** An outbound connector that requires TLS for one domain, while none covers the domains below that. */
export function forParentAlone(flow: Choosable): Choice<OutboundConnector> {
  const fits = ({ to, tls }: OutboundConnector) =>
    !isPattern(to) && tls !== 'opportunistic' && !decisive(flow.outbound, `x.${to}`)
  return outbound(flow, fits, 'requires TLS for one domain and not for those below it')
}

/**
 * An outbound connector that requires TLS for all domains below a name, and another that makes TLS optional for some of
 * them: either `one domain` by its name, or `a pattern` of domains.
 */
export function generalAndOptional(
  { outbound }: MailFlow,
  which: 'one domain' | 'a pattern',
): Choice<{ general: OutboundConnector; optional: OutboundConnector }> {
  for (const general of outbound.filter(({ to, tls }) => isPattern(to) && tls !== 'opportunistic'))
    for (const optional of outbound.filter(({ tls }) => tls === 'opportunistic'))
      if (
        isPattern(optional.to) === (which === 'a pattern') &&
        covers(general.to, optional.to.replace('*.', ''))
      )
        return { general, optional }
  return new NoConnector('outbound', 'connectors of which one makes TLS optional where another requires it')
}

const requiresTls = ({ from, tls, clientCertificate }: InboundConnector): boolean =>
  tls === 'required' && !clientCertificate && isPattern(from)

/** An inbound connector that requires TLS, and no certificate, of all senders below a name. */
export function required(flow: Choosable): Choice<InboundConnector> {
  return inbound(flow, requiresTls, 'requires TLS')
}

/** An inbound connector that requires TLS for domains that no outbound connector covers. */
export function requiredInboundAlone(flow: Choosable): Choice<InboundConnector> {
  const fits = (c: InboundConnector) => requiresTls(c) && !decisive(flow.outbound, c.from.replace('*', 'x'))
  return inbound(flow, fits, 'requires TLS while no outbound connector covers the same domain')
}

/** An inbound connector that requires TLS for the same domains as an outbound connector does. */
export function requiredBothWays(flow: Choosable): Choice<InboundConnector> {
  const sends = ({ from }: InboundConnector) =>
    flow.outbound.some(({ to, tls }) => to === from && tls !== 'opportunistic')
  const what = 'requires TLS for a domain that an outbound connector names as well'
  return inbound(flow, c => requiresTls(c) && sends(c), what)
}

/** An inbound connector that requires a certificate with one name, or with just the name that is given. */
export function certified(
  flow: Choosable,
  name?: string,
): Choice<InboundConnector & { clientCertificate: string }> {
  const fits = (c: InboundConnector): c is InboundConnector & { clientCertificate: string } =>
    c.clientCertificate !== undefined &&
    (name === undefined ? !isPattern(c.clientCertificate) : c.clientCertificate === name)
  const what = name === undefined ? 'with a name' : `for ${name}`
  return (
    turned(flow, flow.inbound.filter(fits)) ??
    new NoConnector('inbound', `connector that requires a certificate ${what}`)
  )
}

/**
 * Why a capability of connectors cannot be tested with the connectors of a gateway file: the line of the file that is
 * missing. Nothing when it can. `where` is the name of the file.
 */
export function missingConnector(flow: MailFlow, capability: Capability, where: string): string | undefined {
  switch (capability) {
    case 'encryption-only':
    case 'certificate-validation':
    case 'domain-validation': {
      if (
        [undefined, ...STATUS_DEMANDS].some(status => withLevel({ ...flow, status }, capability).length > 0)
      )
        return undefined
      // A domain of its own for each example can only be made up below a pattern.
      const one = flow.outbound.some(
        ({ tls, tlsDomain }) => tls === capability && !isPattern(tlsDomain ?? ''),
      )
      return `no outbound connector with ${one ? 'to: "*.…" and ' : ''}tls: ${capability} in ${where}`
    }
    case 'status-online':
      return flow.outbound.some(({ status }) => status !== undefined)
        ? undefined
        : `no outbound connector with status in ${where}`
    case 'status-required':
      return flow.outbound.some(({ status }) => status === 'required')
        ? undefined
        : `no outbound connector with status: required in ${where}`
    case 'tls-domain':
      return flow.outbound.some(({ to, tlsDomain }) => tlsDomain !== undefined && isPattern(to))
        ? undefined
        : `no outbound connector with to: "*.…" and tlsDomain in ${where}`
    case 'inbound-required': {
      if (!(required(flow) instanceof NoConnector)) return undefined
      const one = flow.inbound.some(
        ({ tls, clientCertificate }) => tls === 'required' && clientCertificate === undefined,
      )
      return `no inbound connector with ${one ? 'from: "*.…" and ' : ''}tls: required in ${where}`
    }
    case 'client-certificates':
      return flow.inbound.some(({ clientCertificate }) => clientCertificate !== undefined)
        ? undefined
        : `no inbound connector with clientCertificate in ${where}`
    default:
      return `a gateway file cannot claim ${capability}`
  }
}
