import { isIPv6, type Server, type Socket } from 'node:net'
import { createServer, Packet } from 'dns2'
import { decisive } from '../../mailflow/mail-flow.ts'
import type { Endpoint } from '../../wire/smtp/smtp.ts'
import { CannotListen } from '../cannot-listen.ts'

export interface Exchanger {
  /** MX preference, RFC 5321 s5.1: lower is tried first. */
  preference: number
  hostname: string
  address: string
}

/** So many DNS clients may be connected over TCP at a time. */
const MAX_CONNECTIONS = 100

/**
 * The DNS server of a lab without containers: authoritative for every domain that it was given, NXDOMAIN for all others. It
 * never asks another server. Case does not matter in domains and host names.
 */
export class Names {
  /** Answers for the names that this server does not have. */
  readonly #fallback: Names | undefined
  readonly #exchangers = new Map<string, Exchanger[]>()
  readonly #addresses = new Map<string, readonly string[]>()
  /** Names below which there are others: a resolver that asks for them first is not told that nothing is there (RFC 8020 s2). */
  readonly #above = new Set<string>()
  /** Host names that have got an address alone. */
  readonly #hosts = new Set<string>()
  /** Those of whose addresses somebody has asked. */
  readonly #asked = new Set<string>()
  #admitted: { patterns: { to: string }[]; address: string } | undefined
  #server: DnsServer | undefined
  #listens = false
  readonly #connections = new Set<Socket>()

  constructor(fallback?: Names) {
    this.#fallback = fallback
  }

  /**
   * Starts at an address, on UDP and TCP (RFC 7766 s5); by default on a free port of 127.0.0.1, on UDP alone. Returns the
   * port. Throws CannotListen.
   */
  async start({ host, port }: Endpoint = { host: '127.0.0.1', port: 0 }): Promise<number> {
    const server = createServer({
      udp: { type: isIPv6(host) ? ('udp6' as const) : ('udp4' as const) },
      tcp: port !== 0,
      handle: (request, send) => {
        const response = Packet.createResponseFromRequest(request)
        const question = request.questions[0]
        if (question) this.#answer(question, response)
        // Who has left needs no answer.
        void Promise.resolve(send(response)).catch(() => {})
      },
    })
    const { tcp } = (server as unknown as { servers: { tcp?: Server } }).servers
    if (tcp) {
      tcp.maxConnections = MAX_CONNECTIONS
      tcp.on('connection', (socket: Socket) => {
        this.#connections.add(socket)
        socket.on('close', () => this.#connections.delete(socket))
      })
    }
    const failed = new Promise<never>((_, reject) => {
      server.on('error', error => reject(new CannotListen({ host, port }, error)))
    })
    failed.catch(() => {})
    const at = { port, address: host }
    this.#server = server
    const { udp } = await Promise.race([server.listen({ udp: at, tcp: at }), failed])
    this.#listens = true
    return (udp as { port: number }).port
  }

  async stop(): Promise<void> {
    for (const socket of this.#connections) socket.destroy()
    // Where one of the two could not listen, the end of both is not reported.
    const closed = this.#server?.close()
    if (this.#listens) await closed
  }

  setMx(domain: string, exchangers: Exchanger[]): void {
    // A name with several addresses is one mail exchanger.
    const once = new Map(exchangers.map(one => [one.hostname.toLowerCase(), one]))
    this.#exchangers.set(domain.toLowerCase(), [...once.values()])
    for (const name of once.keys()) {
      const own = exchangers.filter(({ hostname }) => hostname.toLowerCase() === name)
      this.#addresses.set(
        name,
        own.map(({ address }) => address),
      )
    }
    for (const name of [domain, ...exchangers.map(({ hostname }) => hostname)]) this.#noteAbove(name)
  }

  /** From now on, every name of these patterns that has no records of its own has this address, and so do names alone. */
  admit(patterns: readonly string[], address: string): void {
    this.#admitted = { patterns: patterns.map(to => ({ to })), address }
    for (const pattern of patterns) this.#noteAbove(pattern)
  }

  #noteAbove(name: string): void {
    const labels = name.toLowerCase().split('.')
    for (let i = 1; i < labels.length; i++) this.#above.add(labels.slice(i).join('.'))
  }

  /** Without an address: the name does not exist from now on. */
  setAddress(hostname: string, address: string | undefined): void {
    this.#hosts.add(hostname.toLowerCase())
    if (address === undefined) this.#addresses.delete(hostname.toLowerCase())
    else this.#addresses.set(hostname.toLowerCase(), [address])
  }

  /** The hosts below a domain, of those that have got an address of their own, for whose address somebody has asked. */
  askedBelow(domain: string): string[] {
    return [...this.#asked].filter(name => name.endsWith(`.${domain.toLowerCase()}`))
  }

  #exchangersOf(name: string): Exchanger[] | undefined {
    return this.#exchangers.get(name) ?? (this.#fallback ? this.#fallback.#exchangersOf(name) : undefined)
  }

  #addressesOf(name: string): readonly string[] {
    return this.#addresses.get(name) ?? (this.#fallback ? this.#fallback.#addressesOf(name) : [])
  }

  /** The address of a name that has no records of its own. */
  #addressOfAdmitted(name: string): readonly string[] {
    return this.#admitted && decisive(this.#admitted.patterns, name) ? [this.#admitted.address] : []
  }

  #isAbove(name: string): boolean {
    return this.#above.has(name) || (this.#fallback ? this.#fallback.#isAbove(name) : false)
  }

  #answer(question: Question, response: Packet): void {
    const name = question.name.toLowerCase()
    response.header.aa = 1
    const exchangers = this.#exchangersOf(name)
    const own = this.#addressesOf(name)
    if (own.length > 0 && this.#hosts.has(name)) this.#asked.add(name)
    const addresses = own.length > 0 || exchangers ? own : this.#addressOfAdmitted(name)
    if (!exchangers && addresses.length === 0) response.header.rcode = this.#isAbove(name) ? 0 : 3
    else if (exchangers && question.type === Packet.TYPE.MX)
      for (const { preference, hostname } of exchangers)
        response.answers.push(record(question, { exchange: hostname, priority: preference }))
    else
      for (const address of addresses)
        if (question.type === Packet.TYPE[isIPv6(address) ? 'AAAA' : 'A'])
          response.answers.push(record(question, { address }))
  }
}

type DnsServer = ReturnType<typeof createServer>
type Question = Packet['questions'][number]

/** With a lifetime of 0: an example may give the same name another answer. */
function record(question: Question, data: { address: string } | { exchange: string; priority: number }) {
  return Packet.createResourceFromQuestion(question, { ttl: 0, ...data })
}
