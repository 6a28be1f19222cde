import { isIPv4 } from 'node:net'
import { freshDomain } from '../mailflow/domains.ts'
import { decisive, type OutboundLevel } from '../mailflow/mail-flow.ts'
import type { Pki } from '../pki/pki.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'
import { changedSpecs, hostSpecs, type Lab, type LabWeb, type PartnerOptions } from './lab.ts'
import type { Behaviour } from './partner/behaviour.ts'
import { authorsDomain, mayComeAgain, Owners } from './partner/owners.ts'
import { Partner, type PartnerHost } from './partner/partner.ts'
import { PartnerServer } from './partner/partner-server.ts'
import { AddressWeb } from './services/address-web.ts'

/** The addresses at which a gateway delivers mail for the domains of one pattern. It may choose any of them. */
export interface Route {
  to: string
  tls: OutboundLevel
  partner: readonly Endpoint[]
}

/** One address at which the gateway delivers. One partner has it at a time. */
interface Address {
  endpoint: Endpoint
  server: PartnerServer
  taken: boolean
}

/** A partner that waits until it can have all of these addresses. */
interface Waiting {
  addresses: readonly Address[]
  ahead: boolean
  grant: () => void
}

/** The gateway delivers to this machine itself. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))

/**
 * The lab around a gateway that delivers to fixed addresses, as its administrator has set it up. The suite listens at
 * these addresses. A partner has all addresses of its domain's route, so that the gateway finds it at whichever it
 * chooses. Partners whose routes share no address exist side by side, all others one after another. A connection for
 * the domain of an earlier partner is a stray, and evidence about that partner.
 */
export class FixedLab implements Lab {
  readonly pki: Pki
  readonly port = 0
  /** What addresses partners have is up to the administrator. */
  readonly places = []
  readonly leadsAll = false
  readonly freshDomain = freshDomain
  /** At most one: the gateway cannot find a second mail exchanger of a domain that the suite has made up. */
  readonly room: 0 | 1
  readonly #routes: readonly { to: string; tls: OutboundLevel; addresses: readonly Address[] }[]
  readonly #addresses: readonly Address[]
  readonly #held = new Map<Partner, readonly Address[]>()
  readonly #owners: Owners
  /**
   * The mail server of those who write the messages that the gateway is to send: what comes back is seen there. It has the
   * addresses of its route whenever no partner has them. Absent where no connector leaves TLS to the gateway.
   */
  author: Partner | undefined
  readonly #web: AddressWeb | undefined
  #waiting: Waiting[] = []

  /** `sender`: of the messages that the gateway is asked to send. */
  constructor(pki: Pki, routes: readonly Route[], sender?: string) {
    this.pki = pki
    this.#owners = new Owners(
      { ...(sender === undefined ? {} : { sender }), connectors: routes },
      { author: () => this.author, hasAddress: partner => this.#held.has(partner) },
    )
    const addresses = new Map<string, Address>()
    const addressAt = (endpoint: Endpoint) => {
      const key = JSON.stringify(endpoint)
      const address = addresses.get(key) ?? {
        endpoint,
        server: new PartnerServer(this.#owners),
        taken: false,
      }
      addresses.set(key, address)
      return address
    }
    this.#routes = routes.map(({ to, tls, partner }) => ({ to, tls, addresses: partner.map(addressAt) }))
    this.#addresses = [...addresses.values()]
    this.room = this.#addresses.length > 0 ? 1 : 0
    const hosts = this.#addresses.map(({ endpoint }) => endpoint.host)
    // A gateway on another machine may not reach other ports than those that its administrator has opened.
    if (hosts.length > 0 && hosts.every(isLoopback))
      this.#web = new AddressWeb(hosts[0] === 'localhost' ? '127.0.0.1' : hosts[0]!)
  }

  get web(): LabWeb | undefined {
    return this.#web
  }

  get strays(): number {
    return this.#addresses.reduce((sum, { server }) => sum + server.strays, 0)
  }

  /** Throws CannotListen. */
  async start(): Promise<void> {
    await Promise.all(this.#addresses.map(({ server, endpoint }) => server.listen(endpoint)))
    await this.#settleAuthor()
  }

  async #settleAuthor(): Promise<void> {
    const domain = authorsDomain(this.#routes)
    if (domain === undefined) return
    const addresses = this.#leadingTo(domain)
    const { host } = addresses[0]!.endpoint
    const about = { domain, maxConnections: Number.MAX_SAFE_INTEGER }
    this.author = new Partner(domain, await hostSpecs(this.pki, about, () => host))
    for (const address of addresses) address.server.addForAll(this.#resident(address))
  }

  /** Who has an address when no partner has it. */
  #resident(address: Address): PartnerHost | undefined {
    const { author } = this
    return author && this.#leadingTo(author.domain).includes(address) ? author.hosts[0] : undefined
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#addresses.map(({ server }) => server.stop()), this.#web?.stop()])
  }

  async partners(options: readonly PartnerOptions[]): Promise<Partner[]> {
    const count = options.reduce((sum, { hosts = [{}] }) => sum + hosts.length, 0)
    const [only] = options
    if (count > this.room || !only)
      throw new Error(`${count} mail exchangers asked for, with room for ${this.room}`)
    const addresses = this.#leadingTo(only.domain)
    const partner = new Partner(
      only.domain,
      await hostSpecs(this.pki, only, () => addresses[0]!.endpoint.host),
      only.alsoFor,
    )
    await this.#take(addresses, only.ahead)
    for (const { server } of addresses) server.addForAll(partner.hosts[0])
    this.#held.set(partner, addresses)
    partner.shared = [...this.#owners.all].some(
      other =>
        mayComeAgain(other) && this.#leadingTo(other.domain).some(address => addresses.includes(address)),
    )
    this.#owners.add(partner)
    return [partner]
  }

  leadsTogether(domain: string, other: string): boolean {
    const [one, two] = [domain, other].map(name => decisive(this.#routes, name)?.addresses)
    return one !== undefined && two !== undefined && new Set(one).symmetricDifference(new Set(two)).size === 0
  }

  async change(partner: Partner, hosts: readonly Behaviour[]): Promise<void> {
    const [host] = partner.behave(await changedSpecs(this.pki, partner, hosts))
    for (const { server } of this.#held.get(partner) ?? []) server.addForAll(host)
  }

  handOn(partner: Partner): void {
    this.release(partner)
  }

  release(partner: Partner): void {
    for (const address of this.#held.get(partner) ?? []) {
      address.server.addForAll(this.#resident(address))
      address.taken = false
    }
    this.#held.delete(partner)
    this.#grant()
  }

  #leadingTo(domain: string): readonly Address[] {
    return decisive(this.#routes, domain)?.addresses ?? this.#addresses
  }

  #take(addresses: readonly Address[], ahead = false): Promise<void> {
    return new Promise(grant => {
      const others = this.#waiting.findIndex(one => ahead && !one.ahead)
      this.#waiting.splice(others < 0 ? this.#waiting.length : others, 0, { addresses, ahead, grant })
      this.#grant()
    })
  }

  /**
   * Gives addresses out in the order of waiting: a partner that waits for several addresses is overtaken at none of
   * them by one that is behind it.
   */
  #grant(): void {
    const wanted = new Set<Address>()
    this.#waiting = this.#waiting.filter(({ addresses, grant }) => {
      const granted = addresses.every(address => !address.taken && !wanted.has(address))
      if (granted) grant()
      for (const address of addresses) {
        if (granted) address.taken = true
        else wanted.add(address)
      }
      return !granted
    })
  }
}
