import { freshDomain } from '../mailflow/domains.ts'
import { decisive, type OutboundLevel } from '../mailflow/mail-flow.ts'
import type { Pki } from '../pki/pki.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'
import { changedSpecs, hostSpecs, type Lab, type PartnerOptions } from './lab.ts'
import type { Behaviour } from './partner/behaviour.ts'
import { Partner, type PartnerHost } from './partner/partner.ts'
import { PartnerServer } from './partner/partner-server.ts'

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
  grant: () => void
}

/** The suite cannot listen at an address; the message is that of the system. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen'
  readonly endpoint: Endpoint

  constructor(endpoint: Endpoint, cause: Error) {
    super(cause.message, { cause })
    this.endpoint = endpoint
  }
}

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
  readonly freshDomain = freshDomain
  /** At most one: the gateway cannot find a second mail exchanger of a domain that the suite has made up. */
  readonly room: 0 | 1
  readonly #routes: readonly { to: string; tls: OutboundLevel; addresses: readonly Address[] }[]
  readonly #addresses: readonly Address[]
  readonly #held = new Map<Partner, readonly Address[]>()
  /** All partners so far, by domain and by host name. */
  readonly #known = new Map<string, Partner>()
  /**
   * The mail server of those who write the messages that the gateway is to send: what comes back is seen there. It has the
   * addresses of its route whenever no partner has them. Absent where no connector leaves TLS to the gateway.
   */
  author: Partner | undefined
  #waiting: Waiting[] = []

  /** `sender`: of the messages that the gateway is asked to send. */
  constructor(pki: Pki, routes: readonly Route[], sender = '') {
    this.pki = pki
    const shared = {
      ownerOf: (name: string) => this.#known.get(name.toLowerCase()),
      greetings: new Set<string>(),
      isOwnSender: (address: string) =>
        (sender !== '' && address.toLowerCase() === sender.toLowerCase()) ||
        (this.author?.expects(address) ?? false),
      author: () => this.author,
      isForced: (domain: string) =>
        (decisive(this.#routes, domain)?.tls ?? 'opportunistic') !== 'opportunistic',
      hasAddress: (partner: Partner) => this.#held.has(partner),
    }
    const addresses = new Map<string, Address>()
    const addressAt = (endpoint: Endpoint) => {
      const key = JSON.stringify(endpoint)
      const address = addresses.get(key) ?? { endpoint, server: new PartnerServer(shared), taken: false }
      addresses.set(key, address)
      return address
    }
    this.#routes = routes.map(({ to, tls, partner }) => ({ to, tls, addresses: partner.map(addressAt) }))
    this.#addresses = [...addresses.values()]
    this.room = this.#addresses.length > 0 ? 1 : 0
  }

  get strays(): number {
    return this.#addresses.reduce((sum, { server }) => sum + server.strays, 0)
  }

  /** Throws CannotListen. */
  async start(): Promise<void> {
    await Promise.all(
      this.#addresses.map(({ server, endpoint }) =>
        server.listen(endpoint).catch(error => {
          throw new CannotListen(endpoint, error)
        }),
      ),
    )
    await this.#settleAuthor()
  }

  async #settleAuthor(): Promise<void> {
    const route = this.#routes.find(({ to, tls }) => tls === 'opportunistic' && to.startsWith('*.'))
    if (!route) return
    const domain = freshDomain(route.to)
    if (this.#leadingTo(domain) !== route.addresses) return
    const { host } = route.addresses[0]!.endpoint
    const about = { domain, maxConnections: Number.MAX_SAFE_INTEGER }
    this.author = new Partner(domain, await hostSpecs(this.pki, about, () => host))
    for (const address of route.addresses) address.server.addForAll(this.#resident(address))
  }

  /** Who has an address when no partner has it. */
  #resident(address: Address): PartnerHost | undefined {
    const { author } = this
    return author && this.#leadingTo(author.domain).includes(address) ? author.hosts[0] : undefined
  }

  async stop(): Promise<void> {
    await Promise.all(this.#addresses.map(({ server }) => server.stop()))
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
    await this.#take(addresses)
    for (const { server } of addresses) server.addForAll(partner.hosts[0])
    this.#held.set(partner, addresses)
    // Mail that an earlier partner has not received may still be in the gateway's queue.
    partner.shared = [...this.#known.values()].some(
      ({ domain, conversations, messages }) =>
        this.#leadingTo(domain).some(address => addresses.includes(address)) &&
        conversations.length > 0 &&
        messages.length === 0,
    )
    const names = [partner.domain, ...partner.alsoFor, ...partner.hosts.map(({ hostname }) => hostname)]
    for (const name of names) this.#known.set(name.toLowerCase(), partner)
    return [partner]
  }

  async change(partner: Partner, hosts: readonly Behaviour[]): Promise<void> {
    const [host] = partner.behave(await changedSpecs(this.pki, partner, hosts))
    for (const { server } of this.#held.get(partner) ?? []) server.addForAll(host)
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

  #take(addresses: readonly Address[]): Promise<void> {
    return new Promise(grant => {
      this.#waiting.push({ addresses, grant })
      this.#grant()
    })
  }

  /**
   * Gives addresses out in the order of asking: a partner that waits for several addresses is overtaken at none of
   * them.
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
