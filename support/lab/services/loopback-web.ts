import type { SeenRequest } from '../../evidence/web.ts'
import type { LabWeb, WayToHost } from '../lab.ts'
import { DeafHost } from './deaf-host.ts'
import { type HttpAnswer, HttpHost, type WebIdentity } from './http-host.ts'

/** Addresses of this machine. */
export interface WebPlaces {
  /** Where the web hosts are. */
  open: string
  /** Where nobody listens at the port of the web hosts. */
  refused: string
  /** Where somebody takes no connection at this port. */
  dropped: string
}

/**
 * For a gateway of the user's: the web hosts have port 80, if the suite may listen there and nobody else does. There may be a
 * firewall between. `asked`: the hosts below a domain for whose addresses somebody has asked.
 */
export interface OwnPlaces {
  places: WebPlaces
  asked: (domain: string) => string[]
}

const LOOPBACK: WebPlaces = { open: '127.0.0.1', refused: '127.0.0.2', dropped: '127.0.0.3' }
/** A firewall in front of a gateway of the user's may allow no other port. */
const HTTP_PORT = 80

/** The web hosts of the lab without containers: one server on this machine, which starts when it is needed. */
export class LoopbackWeb implements LabWeb {
  readonly named = true
  readonly #lead: (host: string, address: string | undefined) => void
  readonly #places: WebPlaces
  readonly #deaf = new DeafHost()
  /** Those of https, by their names. */
  readonly #secure = new Map<string, HttpHost>()
  readonly #host = new HttpHost()
  readonly #own: OwnPlaces | undefined
  /** Ports that are tried. */
  readonly #ports: readonly number[]
  #started: Promise<void> | undefined

  /** `lead`: the name leads to the address from then on, or does not exist. */
  constructor(lead: (host: string, address: string | undefined) => void, own?: OwnPlaces) {
    this.#lead = lead
    this.#own = own
    this.#places = own?.places ?? LOOPBACK
    this.#ports = own ? [HTTP_PORT, 0] : [0]
  }

  async at(host: string, path: string): Promise<string> {
    this.#started ??= this.#listen()
    await this.#started
    this.#lead(host, this.#places.open)
    const { port } = this.#host
    return `http://${host}${port === HTTP_PORT ? '' : `:${port}`}${path}`
  }

  async #listen(): Promise<void> {
    for (const port of this.#ports)
      try {
        return await this.#host.listen(this.#places.open, port)
      } catch (error) {
        if (port === this.#ports.at(-1)) throw error
      }
  }

  async secureAt(
    host: string,
    path: string,
    identity: (url: string) => Promise<WebIdentity>,
  ): Promise<string> {
    const secure = new HttpHost('later')
    this.#secure.set(host, secure)
    await secure.listen(this.#places.open)
    const url = `https://${host}:${secure.port}${path}`
    secure.identify(await identity(url))
    this.#lead(host, this.#places.open)
    return url
  }

  async way(url: string, is: WayToHost): Promise<void> {
    if (is === 'dropped') await this.#deaf.listen(this.#places.dropped, this.#host.port)
    this.#lead(new URL(url).hostname, is === 'without a name' ? undefined : this.#places[is])
  }

  async serve(answers: ReadonlyMap<string, HttpAnswer>): Promise<void> {
    for (const [url, answer] of answers) {
      const { hostname, pathname } = new URL(url)
      ;(this.#secure.get(hostname) ?? this.#host).serve(pathname, answer)
    }
  }

  async requests(domain: string): Promise<SeenRequest[]> {
    return this.#requests(domain)
  }

  unreached(domain: string): string | undefined {
    return this.#requests(domain).length > 0 ? undefined : this.#own?.asked(domain)[0]
  }

  #requests(domain: string): SeenRequest[] {
    const all = [this.#host, ...this.#secure.values()].flatMap(({ requests }) => requests)
    return all.filter(({ host }) => host.endsWith(`.${domain}`))
  }

  async stop(): Promise<void> {
    await this.#started
    await this.#deaf.stop()
    await Promise.all([...this.#secure.values()].map(host => host.close()))
    if (this.#started) await this.#host.close()
  }
}
