import { pathTo } from '../mailflow/domains.ts'
import type { Pki } from '../pki/pki.ts'
import type { Party } from '../wire/conversation.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'
import type { Behaviour, RelayFaults } from './partner/behaviour.ts'
import type { HostSpec, Partner } from './partner/partner.ts'
import { hostTls } from './partner/partner-tls.ts'

export interface PartnerOptions {
  domain: string
  /** The behaviour of each mail exchanger, in order of preference. Default: one that behaves well. */
  hosts?: readonly Behaviour[]
  /** Host names in place of mx.DOMAIN, mx2.DOMAIN, … */
  hostnames?: readonly string[]
  /** More names for good certificates, beside the domain and the host name: Exchange's TlsDomain. */
  names?: readonly string[]
  /** Of each mail exchanger; default 200. */
  maxConnections?: number
}

/** A tap in front of a server. */
export interface TapRequest {
  /** Domain of the server that receives. */
  domain: string
  /** Where the lab reaches that server. */
  to: Endpoint
  /** Which of the two servers is the gateway under test. */
  gatewayIs: Party
  does?: Interference
}

/** What a tap does to the traffic, on which connections, and with which TLS of its own. */
export type Interference = Pick<Behaviour, 'times' | 'spares' | 'tls'> & { faults?: RelayFaults }

export function tapOptions(
  { domain, to, gatewayIs, does = {} }: TapRequest,
  own?: { from: string; to: Endpoint },
): PartnerOptions {
  const { faults, ...rest } = does
  const relay = { to, gatewayIs, ...faults, ...(own ? { own } : {}) }
  return { domain, hosts: [{ ...rest, relay }], hostnames: [pathTo(domain)] }
}

/** What is around a gateway, wherever the gateway runs: partners, taps and the names that lead to them. */
export interface Lab {
  readonly pki: Pki
  /** How many mail exchangers of partners there can be at a time. */
  readonly room: number
  /** Port on which all partners listen; 0 where they listen on several. */
  readonly port: number
  /** How many connections were for no partner. They count for nothing and are reported. */
  readonly strays: number
  /** A domain that nothing else in this run uses, under a connector's pattern such as `*.forced.test`. */
  freshDomain(pattern: string): string
  /** Makes all of these partners, or none. Waits until there is room for all. */
  partners(options: readonly PartnerOptions[]): Promise<Partner[]>
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
  /** The example that asked for a partner is over. Where addresses are few, the next partner gets this one's. */
  release(partner: Partner): void
  stop(): Promise<void>
}

/** The mail exchangers of a partner with their certificates. `address` is called once for each of them. */
export async function hostSpecs(
  pki: Pki,
  { domain, hosts = [{}], hostnames = [], names: more = [], maxConnections = 200 }: PartnerOptions,
  address: () => string,
): Promise<HostSpec[]> {
  return Promise.all(
    hosts.map(async (behaviour, i) => {
      const hostname = hostnames[i] ?? `mx${i ? i + 1 : ''}.${domain}`
      const names = [domain, hostname, ...more]
      const [faulty, good] = await Promise.all([
        hostTls(pki, names, behaviour.tls, behaviour.manner),
        hostTls(pki, names, behaviour.always?.tls, behaviour.manner),
      ])
      return {
        hostname,
        address: address(),
        preference: 10 * (i + 1),
        behaviour,
        maxConnections,
        tls: { faulty, good },
      }
    }),
  )
}
