import { pathTo } from '../mailflow/domains.ts'
import type { Pki } from '../pki/pki.ts'
import type { Party } from '../wire/conversation.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'
import type { Behaviour, RelayFaults } from './partner/behaviour.ts'
import type { HostSpec, Partner } from './partner/partner.ts'
import { hostTls } from './partner/partner-tls.ts'

export interface PartnerOptions {
  domain: string
  /** One entry per mail exchanger, in order of preference. Default: one well-behaved host. */
  hosts?: readonly Behaviour[]
  /** Host names in place of mx.DOMAIN, mx2.DOMAIN, … */
  hostnames?: readonly string[]
  /** Names in good certificates beside those of the domain and the host: Exchange's TlsDomain. */
  names?: readonly string[]
  /** For each host; default 200. */
  maxConnections?: number
}

/** A place on the path to a gateway. */
export interface TapRequest {
  /** Of the gateway that receives. */
  domain: string
  /** Where the lab reaches it. */
  to: Endpoint
  /** Which of the two servers is the gateway under test. */
  gatewayIs: Party
  does?: Interference
}

/** What somebody on the path does, on which connections, and with which TLS of its own. */
export type Interference = Pick<Behaviour, 'times' | 'spares' | 'tls'> & { faults?: RelayFaults }

export function tapOptions(
  { domain, to, gatewayIs, does = {} }: TapRequest,
  own?: { from: string; to: Endpoint },
): PartnerOptions {
  const { faults, ...rest } = does
  const relay = { to, gatewayIs, ...faults, ...(own ? { own } : {}) }
  return { domain, hosts: [{ ...rest, relay }], hostnames: [pathTo(domain)] }
}

/** Everything around a gateway, wherever it runs. */
export interface Lab {
  readonly pki: Pki
  /** How many mail exchangers there can be at a time. */
  readonly room: number
  /** Port on which all partners listen, where there is one for all. */
  readonly port: number
  /** Connections that no partner was made for. They count for nothing and are reported. */
  readonly strays: number
  /** A domain that nothing else in this run uses, under a connector's pattern such as `*.forced.test`. */
  freshDomain(pattern: string): string
  /** All or none, once there is room for them. */
  partners(options: readonly PartnerOptions[]): Promise<Partner[]>
  /**
   * For a gateway with a tap in front of it: the resolver that leads its own domain to the mailbox, whatever it leads to
   * for others. Absent where the suite starts no gateways.
   */
  resolverOf?(domain: string): Promise<string>
  /**
   * All mail for the domain of a gateway goes through a tap from now on, until there is another one. What the gateway
   * takes ends up at the inbox.
   */
  tap?(options: TapRequest): Promise<{ tap: Partner; inbox: Partner }>
  /** The example that asked for a partner is over; where addresses are few, the next one gets its place. */
  release(partner: Partner): void
  stop(): Promise<void>
}

/** The mail exchangers of a partner with their certificates; `address` is called once for each. */
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
