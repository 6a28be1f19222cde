import { randomInt } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import type { DeliveryEvent, SessionWord } from '../evidence/words.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { GatewaySource } from '../gateway/source.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import { SERVICE } from '../mailflow/domains.ts'
import { covers, type MailFlow } from '../mailflow/mail-flow.ts'
import { printable } from '../wire/printable.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'
import { Channel } from './channel.ts'
import type { Defects, ReceiverDefects, SenderDefects } from './defects.ts'
import { notification } from './dsn.ts'
import { tomorrows } from './identity.ts'
import { Log } from './log.ts'
import { type Mail, Queue } from './queue.ts'
import { serve } from './receiver.ts'
import { Sender } from './sender.ts'

const VERSION = '1'

/**
 * A mail gateway of our own, inside this process, on a loopback address of its own. Without defects it keeps every
 * requirement, and so tells whether a check is too strict; with one it tells whether a check is too lax.
 */
export class ReferenceGateway implements Gateway {
  readonly name = 'reference'
  readonly version = VERSION
  readonly library = `OpenSSL ${process.versions.openssl} (Node ${process.versions.node})`
  readonly kind = 'embedded'
  /** It answers within milliseconds or never. */
  readonly patience = 4_000
  readonly events: DeliveryEvent[] = []
  readonly #defects: Defects
  readonly #log: Log
  readonly #queue: Queue
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  readonly #watchers = new Set<(event?: DeliveryEvent) => void>()
  #flow: MailFlow
  /** For `alternatesCertificates`. */
  #formerFlow: MailFlow | undefined
  #connections = 0
  /** No message has come in since the last change. */
  #changed = false
  inbound!: Endpoint
  alsoAt: readonly Endpoint[] = []
  submission!: Endpoint
  end: GatewayFailure | undefined

  private constructor(flow: MailFlow, defects: Defects) {
    this.#flow = flow
    this.#defects = defects
    this.#log = new Log(defects.words ?? {})
    const { amongServers } = defects
    const sender = (more: SenderDefects = {}) =>
      new Sender({
        flow: () => this.#flow,
        log: this.#log,
        crash: () => this.#crash(),
        defects: { ...defects.sender, ...more },
        words: defects.words ?? {},
      })
    const senders = { all: sender(), amongServers: sender(amongServers?.sender) }
    this.#queue = new Queue({
      send: delivery => senders[isOfService(delivery.domain) ? 'amongServers' : 'all'].deliver(delivery),
      tell: event => this.#tell(event),
      giveUp: (mail, failures) => this.#giveUp(mail, failures),
      patience: () => this.#flow.attempts,
      defects: defects.queue ?? {},
    })
  }

  static async start(flow: MailFlow, defects: Defects = {}): Promise<ReferenceGateway> {
    const gateway = new ReferenceGateway(flow, defects)
    const host = `127.${randomInt(1, 63)}.${randomInt(256)}.${randomInt(1, 255)}`
    try {
      gateway.inbound = await gateway.#listen(host, 'inbound')
      gateway.alsoAt = await gateway.#listenOnIpv6()
      gateway.submission = await gateway.#listen(host, 'submission')
    } catch (error) {
      await gateway.stop()
      throw new GatewayFailure(`the reference gateway cannot listen on ${host}: ${(error as Error).message}`)
    }
    return gateway
  }

  /** Nowhere where the machine has none. */
  async #listenOnIpv6(): Promise<Endpoint[]> {
    try {
      return [await this.#listen('::1', 'inbound', this.#defects.ipv6)]
    } catch {
      this.#servers.pop()
      return []
    }
  }

  async #listen(host: string, role: 'inbound' | 'submission', more: ReceiverDefects = {}): Promise<Endpoint> {
    const { words = {}, amongServers } = this.#defects
    const receiver = { ...this.#defects.receiver, ...more }
    const memory = { authenticated: new Set<string>(), greylisted: new Set<string>(), taken: 0, asked: 0 }
    const server = createServer(socket => {
      const former = this.#connections++ % 2 === 0 ? this.#formerFlow : undefined
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      void serve(new Channel(socket), {
        flow: () => former ?? this.#flow,
        role,
        memory,
        log: this.#log,
        accept: (mail, recipients) => this.#accept(mail, recipients),
        crash: () => this.#crash(),
        defects: receiver,
        words,
        wordsAbout: addresses =>
          addresses.some(address => isOfService(domainOf(address)))
            ? { ...words, ...amongServers?.words }
            : words,
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
    const { losesAtChange = false, keepsAtChange = false } = this.#defects.queue ?? {}
    const first = this.#changed
    this.#changed = false
    if (!(first && losesAtChange)) this.#queue.put(mail, recipients, { waits: first && keepsAtChange })
  }

  #tell({ kind, recipient, reason }: DeliveryEvent): void {
    const event = { kind, recipient, reason: printable(reason, 300) }
    this.#log.say(`${event.kind} to=<${event.recipient}> ${event.reason}`)
    this.events.push(event)
    for (const watcher of this.#watchers) watcher(event)
    if (kind === 'deferred' && this.#defects.queue?.crashesAfterHolding) setTimeout(() => this.#crash(), 300)
  }

  /** One notification with a null return path; none about what has itself no author. RFC 5321 s4.5.5, s6.1. */
  #giveUp(mail: Mail, failures: { recipient: string; reason: string }[]): void {
    const { tellsNobody, tellsNullSenders } = this.#defects.queue ?? {}
    const replyTo = /^Reply-To: <(.*)>/im.exec(mail.content.toString('latin1'))?.[1]
    const author = mail.from || (tellsNullSenders && replyTo)
    if (!author || tellsNobody) return
    const content = notification({ hostname: this.#flow.hostname, author, content: mail.content, failures })
    const from = this.#defects.queue?.notifiesWithSender ? `postmaster@${this.#flow.domain}` : ''
    this.#queue.put({ id: `${mail.id}-dsn`, from, content, secured: false }, [author])
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
    const { receiver = {} } = this.#defects
    this.#changed = true
    if (receiver.alternatesCertificates) this.#formerFlow = this.#flow
    const identity = receiver.keepsCertificate
      ? this.#flow.identity
      : receiver.showsTomorrowsCertificate
        ? tomorrows(flow)
        : flow.identity
    this.#flow = { ...flow, identity }
  }

  /** As if the process had died: nobody listens any more, every connection is gone, nothing more is said. */
  #crash(): void {
    if (this.end) return
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

const domainOf = (address: string): string => address.split('@').at(-1)!.toLowerCase()

const isOfService = (domain: string): boolean => covers(`*.${SERVICE}`, domain)

/** Gateways that keep every requirement but for the defects that are planted in them. */
export function reference(defects: Defects = {}): GatewaySource {
  const { otherServers, ...first } = defects
  const other = { ...first, receiver: { ...first.receiver, ...otherServers } }
  let started = 0
  return {
    name: 'reference',
    kind: 'embedded',
    // The second server is without defect: what goes wrong is the doing of the gateway under test.
    secondServers: { 'the same kind': () => reference() },
    lacks: () => undefined,
    start: flow => ReferenceGateway.start(flow, started++ === 0 || !otherServers ? first : other),
  }
}
