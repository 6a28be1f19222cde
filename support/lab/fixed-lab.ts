import type { Pki } from '../pki/pki.ts'
import type { Endpoint } from '../wire/smtp.ts'
import { freshDomain, hostSpecs, type Lab, type PartnerOptions } from './lab.ts'
import { Partner } from './partner.ts'
import { PartnerServer } from './partner-server.ts'

/** One address at which the gateway delivers; one mail exchanger has it at a time. */
interface Place {
  endpoint: Endpoint
  server: PartnerServer
  taken: boolean
}

/**
 * The lab around a gateway that delivers to fixed addresses, as its administrator has set it up: the suite listens
 * there. Partners have them one after another; a connection for the domain of an earlier one is a stray, and evidence
 * about that one.
 */
export class FixedLab implements Lab {
  readonly pki: Pki
  readonly port = 0
  readonly freshDomain = freshDomain
  readonly #places: Place[]
  readonly #held = new Map<Partner, Place[]>()
  /** By domain and host name, of all times. */
  readonly #known = new Map<string, Partner>()
  /** Of who asked last: the next one waits until that one is served. */
  #turn: Promise<unknown> = Promise.resolve()
  #released = () => {}

  constructor(pki: Pki, endpoints: readonly Endpoint[]) {
    this.pki = pki
    const turns = {
      ownerOf: (name: string) => this.#known.get(name.toLowerCase()),
      greetings: new Set<string>(),
    }
    this.#places = endpoints.map(endpoint => ({ endpoint, server: new PartnerServer(turns), taken: false }))
  }

  get room(): number {
    return this.#places.length
  }

  get strays(): number {
    return this.#places.reduce((sum, { server }) => sum + server.strays, 0)
  }

  /** Rejects with what the system says when an address cannot be listened on. */
  async start(): Promise<void> {
    await Promise.all(this.#places.map(({ server, endpoint }) => server.start(endpoint)))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#places.map(({ server }) => server.stop()))
  }

  async partners(options: readonly PartnerOptions[]): Promise<Partner[]> {
    const sizes = options.map(({ hosts = [{}] }) => hosts.length)
    const places = await this.#take(sizes.reduce((sum, size) => sum + size, 0))
    return Promise.all(
      options.map(async (one, index) => {
        const mine = places.splice(0, sizes[index])
        const addresses = mine.map(({ endpoint }) => endpoint.host)
        const partner = new Partner(one.domain, await hostSpecs(this.pki, one, () => addresses.shift()!))
        for (const [i, host] of partner.hosts.entries()) mine[i]!.server.addForAll(host)
        this.#held.set(partner, mine)
        // Mail that no earlier partner got is in the gateway's queue still, for all that is known.
        partner.shared = [...this.#known.values()].some(
          ({ conversations, messages }) => conversations.length > 0 && messages.length === 0,
        )
        for (const name of [partner.domain, ...partner.hosts.map(({ hostname }) => hostname)])
          this.#known.set(name.toLowerCase(), partner)
        return partner
      }),
    )
  }

  release(partner: Partner): void {
    for (const place of this.#held.get(partner) ?? []) {
      place.server.addForAll(undefined)
      place.taken = false
    }
    this.#held.delete(partner)
    this.#released()
  }

  /** First come, first served: who needs several has them before anybody who asked later has one. */
  #take(count: number): Promise<Place[]> {
    const taken = this.#turn.then(() => this.#taken(count))
    this.#turn = taken.catch(() => {})
    return taken
  }

  async #taken(count: number): Promise<Place[]> {
    if (count > this.room) throw new Error(`${count} mail exchangers asked for, with room for ${this.room}`)
    for (;;) {
      const free = this.#places.filter(({ taken }) => !taken).slice(0, count)
      if (free.length === count) {
        for (const place of free) place.taken = true
        return free
      }
      await new Promise<void>(resolve => {
        this.#released = resolve
      })
    }
  }
}
