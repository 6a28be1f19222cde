import { isIPv6 } from 'node:net'
import { createServer, Packet } from 'dns2'

export interface Exchanger {
  /** MX preference, RFC 5321 s5.1: lower is tried first. */
  preference: number
  hostname: string
  address: string
}

/**
 * The DNS server of the lab without containers: authoritative for every domain that it was given, NXDOMAIN for all
 * others. It never asks another server. Case does not matter in domains and host names.
 */
export class Names {
  /** Answers for the names that this server does not have. */
  readonly #fallback: Names | undefined
  readonly #exchangers = new Map<string, Exchanger[]>()
  readonly #addresses = new Map<string, string>()
  readonly #server = createServer({
    udp: { type: 'udp4' as const },
    handle: (request, send) => {
      const response = Packet.createResponseFromRequest(request)
      const question = request.questions[0]
      if (question) this.#answer(question, response)
      send(response)
    },
  })

  constructor(fallback?: Names) {
    this.#fallback = fallback
  }

  /** Starts on a free port of 127.0.0.1. Returns the port. */
  async start(): Promise<number> {
    const { udp } = await this.#server.listen({ udp: { port: 0, address: '127.0.0.1' } })
    if (!udp) throw new Error('the lab has no address for its DNS server')
    return (udp as { port: number }).port
  }

  async stop(): Promise<void> {
    await this.#server.close()
  }

  setMx(domain: string, exchangers: Exchanger[]): void {
    this.#exchangers.set(domain.toLowerCase(), exchangers)
    for (const { hostname, address } of exchangers) this.#addresses.set(hostname.toLowerCase(), address)
  }

  #exchangersOf(name: string): Exchanger[] | undefined {
    return this.#exchangers.get(name) ?? (this.#fallback ? this.#fallback.#exchangersOf(name) : undefined)
  }

  #addressOf(name: string): string | undefined {
    return this.#addresses.get(name) ?? (this.#fallback ? this.#fallback.#addressOf(name) : undefined)
  }

  #answer(question: Question, response: Packet): void {
    const name = question.name.toLowerCase()
    response.header.aa = 1
    const exchangers = this.#exchangersOf(name)
    const address = this.#addressOf(name)
    if (!exchangers && !address) response.header.rcode = 3
    else if (exchangers && question.type === Packet.TYPE.MX)
      for (const { preference, hostname } of exchangers)
        response.answers.push(record(question, { exchange: hostname, priority: preference }))
    else if (address && question.type === Packet.TYPE[isIPv6(address) ? 'AAAA' : 'A'])
      response.answers.push(record(question, { address }))
  }
}

type Question = Packet['questions'][number]

/** With a lifetime of 0: an example may give the same name another answer. */
function record(question: Question, data: { address: string } | { exchange: string; priority: number }) {
  return Packet.createResourceFromQuestion(question, { ttl: 0, ...data })
}
