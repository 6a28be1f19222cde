import { randomInt } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import type { DeliveryEvent, SessionWord } from '../evidence/gateway-words.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { GatewaySource } from '../gateway/source.ts'
import { standIn } from '../gateway/stand-in.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import type { MailFlow, ServiceText } from '../mailflow/mail-flow.ts'
import type { Identity } from '../pki/pki.ts'
import { printable } from '../wire/printable.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'
import { type Defect, overridden } from './decisions/defect.ts'
import { CORRECT_QUEUE } from './decisions/queue.ts'
import { CORRECT_RECEIVER, type ReceiverDecisions, type ReceiverSituation } from './decisions/receiver.ts'
import { CORRECT_SENDER } from './decisions/sender.ts'
import { CORRECT_WORDS, type WordsDecisions } from './decisions/words.ts'
import { Log } from './log.ts'
import { type Mail, Queue } from './queue.ts'
import { AddressHistory, serve } from './receiver.ts'
import { Sender } from './sender.ts'
import { Channel } from './smtp-connection.ts'

const VERSION = '1'

/**
 * A mail gateway of our own, inside this process, on a loopback address of its own. Without a defect it keeps every
 * requirement, and shows whether a check is too strict. With a defect it shows whether a check is too lax.
 */
export class ReferenceGateway implements Gateway {
  readonly name = 'reference'
  readonly version = VERSION
  readonly library = `OpenSSL ${process.versions.openssl} (Node ${process.versions.node})`
  readonly kind = 'embedded'
  /** It answers within milliseconds, or never. */
  readonly patience = 4_000
  readonly events: DeliveryEvent[] = []
  readonly #receiver: ReceiverDecisions
  readonly #words: WordsDecisions
  readonly #server: number
  readonly #log: Log
  readonly #queue: Queue
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  readonly #watchers = new Set<(event?: DeliveryEvent) => void>()
  #flow: MailFlow
  /** What the gateway was told to show, oldest first. */
  readonly #identities: Identity[]
  #connections = 0
  /** The gateway has accepted no message since the last change. */
  #changed = false
  inbound!: Endpoint
  alsoAt: readonly Endpoint[] = []
  submission!: Endpoint
  submissions!: Endpoint
  end: GatewayFailure | undefined

  private constructor(flow: MailFlow, { receiver, sender, queue, words }: Defect, server: number) {
    this.#flow = flow
    this.#identities = [flow.identity]
    this.#server = server
    this.#receiver = overridden(CORRECT_RECEIVER, receiver)
    this.#words = overridden(CORRECT_WORDS, words)
    this.#log = new Log(this.#words)
    const about = { flow: () => this.#flow, log: this.#log }
    const outbound = new Sender({ ...about, decisions: overridden(CORRECT_SENDER, sender) })
    this.#queue = new Queue({
      ...about,
      decisions: overridden(CORRECT_QUEUE, queue),
      send: delivery => outbound.deliver(delivery),
      tell: event => this.#tell(event),
      failed: error => this.#fail(error),
    })
  }

  /** `server`: 1 for the gateway that a run starts first, 2 for the next one. Throws GatewayFailure. */
  static async start(flow: MailFlow, defect: Defect = {}, server = 1): Promise<ReferenceGateway> {
    const gateway = new ReferenceGateway(flow, defect, server)
    const host = `127.${randomInt(1, 63)}.${randomInt(256)}.${randomInt(1, 255)}`
    try {
      gateway.inbound = await gateway.#listen(host, 'inbound')
      gateway.alsoAt = await gateway.#listenOnIpv6()
      gateway.submission = await gateway.#listen(host, 'submission')
      const beginsWithTls = await gateway.#listen(host, 'submission', true)
      gateway.submissions = { ...beginsWithTls, implicitTls: {} }
    } catch (error) {
      await gateway.stop()
      throw new GatewayFailure(`the reference gateway cannot listen on ${host}: ${(error as Error).message}`)
    }
    return gateway
  }

  /** None where the machine has no IPv6. */
  async #listenOnIpv6(): Promise<Endpoint[]> {
    try {
      return [await this.#listen('::1', 'inbound')]
    } catch {
      this.#servers.pop()
      return []
    }
  }

  async #listen(host: string, role: ReceiverSituation['role'], implicit = false): Promise<Endpoint> {
    const history = new AddressHistory()
    const server = createServer(socket => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      void serve(new Channel(socket), {
        ...{ role, implicit, history, server: this.#server, connection: this.#connections++ },
        ...{ flow: () => this.#flow, identities: this.#identities, log: this.#log },
        ...{ decisions: this.#receiver, words: this.#words },
        accept: (mail, recipients) => this.#accept(mail, recipients),
        failed: error => this.#fail(error),
      })
    })
    this.#servers.push(server)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port: 0 }, resolve)
    })
    return { host, port: (server.address() as { port: number }).port }
  }

  get flow(): MailFlow {
    return this.#flow
  }

  #accept(mail: Mail, recipients: string[]): void {
    const firstSinceChange = this.#changed
    this.#changed = false
    this.#queue.put(mail, recipients, { firstSinceChange })
  }

  #tell({ kind, recipient, reason }: DeliveryEvent): void {
    const event = { kind, recipient, reason: printable(reason, 300) }
    this.#log.say(`${event.kind} to=<${event.recipient}> ${event.reason}`)
    this.events.push(event)
    for (const watcher of this.#watchers) watcher(event)
  }

  watch(watcher: (event?: DeliveryEvent) => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  log(text: string, max = 40): string[] {
    return this.#log.lines(text, max)
  }

  sessions(text: string): SessionWord[] {
    return this.#log.sessions(text)
  }

  async retry(domain: string): Promise<void> {
    this.#queue.retry(domain)
  }

  async change(flow: MailFlow): Promise<void> {
    this.#changed = true
    this.#flow = flow
    this.#identities.push(flow.identity)
  }

  /** The gateway ends as if its process had died: it closes its listeners and connections and says nothing more. */
  #fail(error: unknown): void {
    if (this.end) return
    this.#log.say(`an error of the gateway itself: ${(error as Error).stack}`)
    this.end = new GatewayFailure(`${this.name} ended by itself`)
    for (const server of this.#servers) server.close()
    for (const socket of this.#sockets) socket.destroy()
    this.#queue.stop()
    for (const watcher of this.#watchers) watcher()
  }

  async stop(): Promise<void> {
    this.#queue.stop()
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(
      this.#servers
        .filter(({ listening }) => listening)
        .map(server => new Promise(resolve => server.close(resolve))),
    )
  }
}

/** Reference gateways with this defect; without one they keep every requirement. `as`: they stand in for the service. */
export function reference(defect: Defect = {}, as?: ServiceText): GatewaySource {
  let started = 0
  const source: GatewaySource = {
    name: 'reference',
    kind: 'embedded',
    // The second server has no defect: what goes wrong comes from the gateway under test.
    secondServers: { 'the same kind': () => reference() },
    lacks: () => undefined,
    standsIn: true,
    start: flow => ReferenceGateway.start(flow, defect, ++started),
  }
  return as ? standIn(source, as) : source
}
