import type { SeenRequest } from '../evidence/web.ts'
import { pathTo } from '../mailflow/domains.ts'
import type { Pki } from '../pki/pki.ts'
import type { Party } from '../wire/conversation.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'
import type { Exchanger } from './dns/dns-server.ts'
import type { Behaviour } from './partner/behaviour.ts'
import type { HostSpec, Partner } from './partner/partner.ts'
import type { PartnerManner } from './partner/partner-manner.ts'
import { hostTls } from './partner/partner-tls-options.ts'
import type { HttpAnswer, WebIdentity } from './services/http-host.ts'
import type { TapChanges } from './tap/tap-changes.ts'

export interface PartnerOptions {
  domain: string
  /** The behaviour of each mail exchanger, in order of preference. Default: one that behaves well. */
  hosts?: readonly Behaviour[]
  /** Host names in place of mx.DOMAIN, mx2.DOMAIN, … */
  hostnames?: readonly string[]
  /** All hosts are addresses of the first host name, and certificates bear this one. Each greets with a name of its own. */
  oneName?: true
  /** More names for good certificates, beside the domain and the host name: Exchange's TlsDomain. */
  names?: readonly string[]
  /** Of each mail exchanger; default 200. */
  maxConnections?: number
  /** More domains whose mail the partner takes, at the same mail exchangers. */
  alsoFor?: readonly string[]
  /** Where addresses are few: before all partners that wait without this. */
  ahead?: boolean
}

/** A tap in front of a server. */
export interface TapRequest {
  /** Domain of the server that receives. */
  domain: string
  /** Where the lab reaches that server. */
  to: Endpoint
  /** Address of the server that sends. */
  from: string
  /** Which of the two servers is the gateway under test. */
  gatewayIs: Party
  does?: Interference
}

/** What a tap does to the traffic, on which connections, and with which TLS of its own. */
export type Interference = Pick<Behaviour, 'times' | 'spares' | 'tls'> & { faults?: TapChanges }

export function tapOptions(
  { domain, to, gatewayIs, does = {} }: TapRequest,
  others?: { from: string; to: Endpoint },
): PartnerOptions {
  const { faults, ...rest } = does
  const relay = { to, gatewayIs, ...faults, ...(others ? { others } : {}) }
  return { domain, hosts: [{ ...rest, relay }], hostnames: [pathTo(domain)] }
}

/** What is around a gateway, wherever the gateway runs: partners, taps and the names that lead to them. */
export interface Lab {
  readonly pki: Pki
  /** How many mail exchangers of partners there can be at a time. */
  readonly room: number
  /** Port on which all partners listen; 0 where they listen on several. */
  readonly port: number
  /** Mail for every domain that the lab makes up finds its partner, not just mail for the domains of connectors. */
  readonly leadsAll: boolean
  /** Mail for both domains comes to the same addresses, if one partner is for both. */
  leadsTogether(domain: string, other: string): boolean
  /** How many connections were for no partner. They count for nothing and are reported. */
  readonly strays: number
  /** A domain that nothing else in this run uses, under a connector's pattern such as `*.forced.test`. */
  freshDomain(pattern: string): string
  /** Where a partner can be, beside its first mail exchanger. */
  readonly places: readonly NonNullable<PartnerManner['place']>[]
  /** At which the author of a message is, so that what comes back is seen; absent where that is not so in every example. */
  readonly author?: Partner | undefined
  /** Makes all of these partners, or none. Waits until there is room for all. */
  partners(options: readonly PartnerOptions[]): Promise<Partner[]>
  /**
   * From the next connection on, the mail exchangers of a partner behave so, as if there had been no connection before.
   * `hosts` has as many behaviours as the partner has mail exchangers. Connections that are open go on as they began.
   */
  change(partner: Partner, hosts: readonly Behaviour[]): Promise<void>
  /**
   * The DNS server for a gateway with a tap in front of it: for other servers the gateway's domain leads to the tap,
   * and for the gateway itself to the mailbox. Absent where the suite starts no gateways.
   */
  resolverOf?(domain: string): Promise<string>
  /**
   * From now on, until the next call for the same domain, all mail for the domain of a server goes through this tap.
   * What the server accepts ends up at the inbox. Absent where the suite starts no gateways.
   */
  tap?(options: TapRequest): Promise<{ tap: Partner; inbox: Partner }>
  /** Absent where a gateway would not find them. */
  readonly web?: LabWeb | undefined
  /**
   * The next partner may have the addresses of this one, whose example is not over. What comes for this one then is evidence
   * about it as far as it is unencrypted. Absent where addresses are many.
   */
  handOn?(partner: Partner): void
  /** The example that asked for a partner is over. Where addresses are few, the next partner gets this one's. */
  release(partner: Partner): void
  stop(): Promise<void>
}

/** What a firewall or a name server may make of the way to a host. */
export type WayToHost = 'open' | 'refused' | 'dropped' | 'without a name'

/** Web hosts in the lab. */
export interface LabWeb {
  /** The URL of a path at a host, which the gateway can fetch from then on. */
  at(host: string, path: string): Promise<string>
  /** As `at`, over https; `identity` is told the URL. Absent where no gateway asks for it. */
  secureAt?(host: string, path: string, identity: (url: string) => Promise<WebIdentity>): Promise<string>
  /** From now on the way to the host of a URL is so; `open`: as it was at first. */
  way(url: string, is: WayToHost): Promise<void>
  /** Its hosts have names in the DNS, so that a gateway may not find one. */
  readonly named: boolean
  /**
   * A host below a domain of which the gateway, or its resolver, has asked for the address, where no request has come to any
   * host below the domain. Absent where nothing can be between the gateway and these hosts.
   */
  unreached?(domain: string): string | undefined
  /** From now on, these URLs answer so, whatever the method is. */
  serve(answers: ReadonlyMap<string, HttpAnswer>): Promise<void>
  /** What was asked for at hosts below a domain so far, oldest first. */
  requests(domain: string): Promise<SeenRequest[]>
}

/** The mail exchangers of a partner with their certificates; `address` is called once for each. */
export async function hostSpecs(
  pki: Pki,
  options: PartnerOptions,
  address: () => string,
): Promise<HostSpec[]> {
  const { domain, hosts = [{}], hostnames = [], names = [], maxConnections = 200, alsoFor = [] } = options
  const nameOf = (i: number) => hostnames[i] ?? `mx${i ? i + 1 : ''}.${domain}`
  return Promise.all(
    hosts.map((behaviour, i) => {
      const hostname = nameOf(i)
      const inDns = options.oneName ? nameOf(0) : hostname
      return withBehaviour(pki, behaviour, {
        hostname,
        ...(options.oneName ? { inDns } : {}),
        address: address(),
        preference: options.oneName ? 10 : 10 * (i + 1),
        maxConnections,
        names: [domain, inDns, ...alsoFor, ...names],
      })
    }),
  )
}

/** The mail exchangers of a partner, with other behaviours. */
export function changedSpecs(pki: Pki, partner: Partner, hosts: readonly Behaviour[]): Promise<HostSpec[]> {
  if (hosts.length !== partner.hosts.length)
    throw new Error(`${hosts.length} behaviours for ${partner.hosts.length} mail exchangers`)
  return Promise.all(partner.hosts.map(({ spec }, i) => withBehaviour(pki, hosts[i]!, spec)))
}

async function withBehaviour(
  pki: Pki,
  behaviour: Behaviour,
  host: Omit<HostSpec, 'behaviour' | 'tls'>,
): Promise<HostSpec> {
  const { names, address } = host
  const [faulty, good] = await Promise.all([
    hostTls(pki, names, behaviour.tls, behaviour.manner, address),
    hostTls(pki, names, behaviour.always?.tls, behaviour.manner, address),
  ])
  return { ...host, behaviour, tls: { faulty, good } }
}

/** Whether a partner is to have an IPv6 address. */
export const wantsIpv6 = ({ hosts = [] }: PartnerOptions): boolean =>
  hosts.length === 1 && hosts[0]!.manner?.place === 'at an IPv6 address'

/** Whether a partner, by its first mail exchanger, is to have another one before it, at which nobody listens. */
export const isSecondExchanger = (first: Behaviour | undefined): boolean =>
  first?.manner?.place === 'at its second mail exchanger'

/**
 * The mail exchangers of a partner as the DNS has them. Before those of a partner that is found at its second mail exchanger
 * there is one at which nobody listens. `closed` gives an address for that one.
 */
export function exchangersOf({ domain, hosts }: Partner, closed: () => string): Exchanger[] {
  const played = hosts.map(({ spec: { hostname, inDns = hostname, address, preference } }) => ({
    hostname: inDns,
    address,
    preference,
  }))
  return isSecondExchanger(hosts[0]?.spec.behaviour)
    ? [{ hostname: `mx0.${domain}`, address: closed(), preference: 5 }, ...played]
    : played
}
