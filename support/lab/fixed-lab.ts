import { freshDomain } from '../mailflow/domains.ts'
import { decisive, type OutboundLevel } from '../mailflow/mail-flow.ts'
import type { Pki } from '../pki/pki.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'
import { hostSpecs, type Lab, type PartnerOptions } from './lab.ts'
import { Partner } from './partner/partner.ts'
import { PartnerServer } from './partner/partner-server.ts'

/** Where a gateway delivers mail for the domains of one pattern: at any of these addresses, as it likes. */
export interface Route {
  to: string
  tls: OutboundLevel
  partner: readonly Endpoint[]
}

/** One address at which the gateway delivers; one partner has it at a time. */
interface Place {
  endpoint: Endpoint
  server: PartnerServer
  taken: boolean
}

/** Somebody who waits for all of these places at once. */
interface Wish {
  places: readonly Place[]
  grant: () => void
}

/** With what the system says. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen'
  readonly endpoint: Endpoint

  constructor(endpoint: Endpoint, cause: Error) {
    super(cause.message, { cause })
    this.endpoint = endpoint
  }
}

/**
 * The lab around a gateway that delivers to fixed addresses, as its administrator has set it up: the suite listens
 * there. A partner has all addresses of its domain's route, so that it is found wherever the gateway delivers; partners
 * whose routes share no address stand side by side, all others come one after another. A connection for the domain of
 * an earlier one is a stray, and evidence about that one.
 */
export class FixedLab implements Lab {
  readonly pki: Pki
  readonly port = 0
  readonly freshDomain = freshDomain
  /** Nothing leads the gateway to a second mail exchanger of a domain that was made up. */
  readonly room: 0 | 1
  readonly #routes: readonly { to: string; tls: OutboundLevel; places: readonly Place[] }[]
  readonly #places: readonly Place[]
  readonly #held = new Map<Partner, readonly Place[]>()
  /** By domain and host name, of all times. */
  readonly #known = new Map<string, Partner>()
  #wishes: Wish[] = []

  /** `sender`: of the messages that the gateway is asked to send on. */
  constructor(pki: Pki, routes: readonly Route[], sender = '') {
    this.pki = pki
    const turns = {
      ownerOf: (name: string) => this.#known.get(name.toLowerCase()),
      greetings: new Set<string>(),
      isOwnSender: (address: string) => sender !== '' && address.toLowerCase() === sender.toLowerCase(),
      isForced: (domain: string) =>
        (decisive(this.#routes, domain)?.tls ?? 'opportunistic') !== 'opportunistic',
      inTurn: (partner: Partner) => this.#held.has(partner),
    }
    const places = new Map<string, Place>()
    const placeAt = (endpoint: Endpoint) => {
      const key = JSON.stringify(endpoint)
      const place = places.get(key) ?? { endpoint, server: new PartnerServer(turns), taken: false }
      places.set(key, place)
      return place
    }
    this.#routes = routes.map(({ to, tls, partner }) => ({ to, tls, places: partner.map(placeAt) }))
    this.#places = [...places.values()]
    this.room = this.#places.length > 0 ? 1 : 0
  }

  get strays(): number {
    return this.#places.reduce((sum, { server }) => sum + server.strays, 0)
  }

  /** Rejects with CannotListen when an address cannot be listened on. */
  async start(): Promise<void> {
    await Promise.all(
      this.#places.map(({ server, endpoint }) =>
        server.listen(endpoint).catch(error => {
          throw new CannotListen(endpoint, error)
        }),
      ),
    )
  }

  async stop(): Promise<void> {
    await Promise.all(this.#places.map(({ server }) => server.stop()))
  }

  async partners(options: readonly PartnerOptions[]): Promise<Partner[]> {
    const count = options.reduce((sum, { hosts = [{}] }) => sum + hosts.length, 0)
    const [only] = options
    if (count > this.room || !only)
      throw new Error(`${count} mail exchangers asked for, with room for ${this.room}`)
    const places = this.#leadingTo(only.domain)
    const partner = new Partner(only.domain, await hostSpecs(this.pki, only, () => places[0]!.endpoint.host))
    await this.#take(places)
    for (const { server } of places) server.addForAll(partner.hosts[0])
    this.#held.set(partner, places)
    // Mail that no earlier partner got is in the gateway's queue still, for all that is known.
    partner.shared = [...this.#known.values()].some(
      ({ domain, conversations, messages }) =>
        this.#leadingTo(domain).some(place => places.includes(place)) &&
        conversations.length > 0 &&
        messages.length === 0,
    )
    for (const name of [partner.domain, ...partner.hosts.map(({ hostname }) => hostname)])
      this.#known.set(name.toLowerCase(), partner)
    return [partner]
  }

  release(partner: Partner): void {
    for (const place of this.#held.get(partner) ?? []) {
      place.server.addForAll(undefined)
      place.taken = false
    }
    this.#held.delete(partner)
    this.#grant()
  }

  #leadingTo(domain: string): readonly Place[] {
    return decisive(this.#routes, domain)?.places ?? this.#places
  }

  #take(places: readonly Place[]): Promise<void> {
    return new Promise(grant => {
      this.#wishes.push({ places, grant })
      this.#grant()
    })
  }

  /** First come, first served at each place: who waits for several is not overtaken at any of them. */
  #grant(): void {
    const wanted = new Set<Place>()
    this.#wishes = this.#wishes.filter(({ places, grant }) => {
      const granted = places.every(place => !place.taken && !wanted.has(place))
      if (granted) grant()
      for (const place of places) {
        if (granted) place.taken = true
        else wanted.add(place)
      }
      return !granted
    })
  }
}
