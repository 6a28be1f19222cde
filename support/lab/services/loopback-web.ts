import type { SeenRequest } from '../../evidence/web.ts'
import type { LabWeb, WayToHost } from '../lab.ts'
import { DeafHost } from './deaf-host.ts'
import { type HttpAnswer, HttpHost, type WebIdentity } from './http-host.ts'

const HOST = '127.0.0.1'
/** Here nobody listens at the port of the web hosts, and here somebody takes no connection. */
const NOBODY = '127.0.0.2'
const DEAF = '127.0.0.3'

/** The web hosts of the lab without containers: one server on this machine, which starts when it is needed. */
export class LoopbackWeb implements LabWeb {
  readonly #lead: (host: string, address: string | undefined) => void
  readonly #deaf = new DeafHost()
  /** Those of https, by their names. */
  readonly #secure = new Map<string, HttpHost>()
  readonly #host = new HttpHost()
  #started: Promise<void> | undefined

  /** `lead`: the name leads to the address from then on, or does not exist. */
  constructor(lead: (host: string, address: string | undefined) => void) {
    this.#lead = lead
  }

  async at(host: string, path: string): Promise<string> {
    this.#started ??= this.#host.listen(HOST)
    await this.#started
    this.#lead(host, HOST)
    return `http://${host}:${this.#host.port}${path}`
  }

  async secureAt(
    host: string,
    path: string,
    identity: (url: string) => Promise<WebIdentity>,
  ): Promise<string> {
    const secure = new HttpHost('later')
    this.#secure.set(host, secure)
    await secure.listen(HOST)
    const url = `https://${host}:${secure.port}${path}`
    secure.identify(await identity(url))
    this.#lead(host, HOST)
    return url
  }

  async way(host: string, is: WayToHost): Promise<void> {
    if (is === 'dropped') await this.#deaf.listen(DEAF, this.#host.port)
    const addresses = { open: HOST, refused: NOBODY, dropped: DEAF, 'without a name': undefined }
    this.#lead(host, addresses[is])
  }

  async serve(answers: ReadonlyMap<string, HttpAnswer>): Promise<void> {
    for (const [url, answer] of answers) {
      const { hostname, pathname } = new URL(url)
      ;(this.#secure.get(hostname) ?? this.#host).serve(pathname, answer)
    }
  }

  async requests(domain: string): Promise<SeenRequest[]> {
    const all = [this.#host, ...this.#secure.values()].flatMap(({ requests }) => requests)
    return all.filter(({ host }) => host.endsWith(`.${domain}`))
  }

  async stop(): Promise<void> {
    await this.#started
    this.#deaf.stop()
    await Promise.all([...this.#secure.values()].map(host => host.close()))
    if (this.#started) await this.#host.close()
  }
}
