import type { SeenRequest } from '../../evidence/web.ts'
import type { LabWeb, WayToHost } from '../lab.ts'
import { DeafHost } from './deaf-host.ts'
import { type HttpAnswer, HttpHost } from './http-host.ts'

/** One web host: a port of its own, at which it is `open`, or nobody is, or somebody takes no connection. */
class Place {
  readonly name: string
  readonly host = new HttpHost()
  is: WayToHost = 'open'
  readonly #address: string
  readonly #deaf = new DeafHost()

  constructor(name: string, address: string) {
    this.name = name
    this.#address = address
  }

  async listen(): Promise<this> {
    await this.host.listen(this.#address)
    return this
  }

  async become(is: WayToHost): Promise<void> {
    if (is === this.is) return
    const { port } = this.host
    await this.stop()
    this.is = is
    if (is === 'open') await this.host.listen(this.#address, port)
    if (is === 'dropped') await this.#deaf.listen(this.#address, port)
  }

  async stop(): Promise<void> {
    if (this.is === 'open') await this.host.close()
    await this.#deaf.stop()
  }
}

/**
 * The web hosts of a lab that answers no DNS: each has a port of its own at one address of this machine, and its URL names
 * them in place of the host.
 */
export class AddressWeb implements LabWeb {
  readonly named = false
  readonly #address: string
  readonly #places = new Map<string, Promise<Place>>()

  constructor(address: string) {
    this.#address = address
  }

  async at(host: string, path: string): Promise<string> {
    const place = this.#places.get(host) ?? new Place(host, this.#address).listen()
    this.#places.set(host, place)
    const { port } = (await place).host
    return `http://${this.#address.includes(':') ? `[${this.#address}]` : this.#address}:${port}${path}`
  }

  async way(url: string, is: WayToHost): Promise<void> {
    if (is === 'without a name') throw new Error('hosts without names have no names to lose')
    await (await this.#placeOf(url)).become(is)
  }

  async serve(answers: ReadonlyMap<string, HttpAnswer>): Promise<void> {
    for (const [url, answer] of answers) (await this.#placeOf(url)).host.serve(new URL(url).pathname, answer)
  }

  async requests(domain: string): Promise<SeenRequest[]> {
    const places = (await this.#all()).filter(({ name }) => name.endsWith(`.${domain}`))
    return places
      .flatMap(({ name, host: { requests } }) => requests.map(one => ({ ...one, host: name })))
      .sort((one, other) => one.at - other.at)
  }

  async stop(): Promise<void> {
    await Promise.all((await this.#all()).map(place => place.stop()))
  }

  #all(): Promise<Place[]> {
    return Promise.all(this.#places.values())
  }

  async #placeOf(url: string): Promise<Place> {
    const port = Number(new URL(url).port)
    const found = (await this.#all()).find(({ host }) => host.port === port)
    if (!found) throw new Error(`the lab has no web host at ${url}`)
    return found
  }
}
