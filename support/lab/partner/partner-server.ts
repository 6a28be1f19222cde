import { type AddressInfo, createServer, isIPv4, type Server, type Socket } from 'node:net'
import { commands, firstReturnPath, greetedAs } from '../../evidence/facts.ts'
import type { ReceivedMessage } from '../../evidence/mail.ts'
import type { Conversation } from '../../wire/conversation.ts'
import { Recorder } from '../../wire/recorder.ts'
import type { Endpoint } from '../../wire/smtp/smtp.ts'
import { CannotListen } from '../cannot-listen.ts'
import { forward } from '../tap/forward.ts'
import { TapSession } from '../tap/tap.ts'
import type { Relay } from './behaviour.ts'
import { serverOptions } from './host-tls.ts'
import type { Partner, PartnerHost } from './partner.ts'
import { PartnerSession } from './partner-session.ts'

/** So many connections may be open at a time on one server. The server closes further ones without reading. */
const MAX_OPEN = 2_000

/** So many connections are kept of a partner that has its address no more. */
const MAX_LATE = 200

/** Where several partners use one address, one after another: how to find out for which partner a connection is. */
export interface SharedAddresses {
  /** The partner, past or present, with this domain or host name. */
  ownerOf(name: string): Partner | undefined
  /** The names in EHLO on all connections that carried mail for a partner. */
  readonly greetings: Set<string>
  /** At any address, this partner gets its mail too. */
  author?(): Partner | undefined
  /** Whether an address is the sender of the suite's own messages, which no other mail has. */
  isOwnSender(address: string): boolean
  /** Whether a connector requires TLS for mail to a domain. */
  isForced(domain: string): boolean
  /** Whether a partner has an address now, this one or another. */
  hasAddress(partner: Partner): boolean
}

/**
 * The server of all partners on one port. It knows by the local address of a connection for which partner the
 * connection is. The server listens at one address for all partners, or at the address of each partner.
 */
export class PartnerServer {
  readonly #hosts = new Map<string, PartnerHost>()
  readonly #sockets = new Set<Socket>()
  /** Connections on which the partner's greeting left nothing to say. They count as the partner's, whose fault came about. */
  readonly #turnedAway = new WeakSet<Conversation>()
  readonly #listeners = new Map<string, Server>()
  #only: PartnerHost | undefined
  /**
   * All hosts that were `#only` at any time, or have an address that another partner had: a connection may end after its
   * host has the address no more.
   */
  readonly #shared = new WeakSet<PartnerHost>()
  port = 0
  /**
   * How many connections were for no partner, or for another one than the partner at the address. They count for
   * nothing.
   */
  strays = 0
  readonly #addresses: SharedAddresses

  constructor(addresses: SharedAddresses = NOT_SHARED) {
    this.#addresses = addresses
  }

  /**
   * Listens at one more address, unless it does so already. Port 0 takes a free one. `port` is that of the first address.
   * Throws CannotListen.
   */
  async listen({ host, port }: Endpoint): Promise<void> {
    if (this.#listeners.has(host)) return
    const server = createServer(socket => this.#accept(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, backlog: 1024 }, resolve)
    }).catch(error => {
      throw new CannotListen({ host, port }, error)
    })
    this.#listeners.set(host, server)
    this.port ||= (server.address() as AddressInfo).port
  }

  /** From now on refuses connections to an address. Those that are open go on. */
  leave(host: string): void {
    this.#listeners.get(host)?.close()
    this.#listeners.delete(host)
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all([...this.#listeners.values()].map(server => new Promise(done => server.close(done))))
  }

  /** Serves this host at its address. Where another partner had the address before, connections may still be for that one. */
  add(host: PartnerHost): void {
    const before = this.#hosts.get(host.address)
    if (before && (before.partner !== host.partner || this.#shared.has(before))) this.#shared.add(host)
    this.#hosts.set(host.address, host)
  }

  /**
   * From now on serves every connection as this host, whatever its local address. Without a host, refuses all
   * connections.
   */
  addForAll(host: PartnerHost | undefined): void {
    if (host) this.#shared.add(host)
    this.#only = host
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    const host = this.#only ?? this.#hosts.get(plain(socket.localAddress ?? ''))
    if (!host) this.#refuse(socket)
    else if (
      host.partner.flooded ||
      host.connections >= host.spec.maxConnections ||
      this.#sockets.size > MAX_OPEN
    ) {
      host.partner.flooded = true
      socket.destroy()
    } else if (host.spec.behaviour.relay) this.#relay(socket, host, host.spec.behaviour.relay)
    else this.#serve(socket, host)
  }

  #relay(socket: Socket, host: PartnerHost, { others }: Relay): void {
    if (others && plain(socket.remoteAddress ?? '') !== others.from) {
      forward(socket, others.to)
      return
    }
    const { partner, hostname, spec } = host
    const { behaviour, tls } = host.next()
    const { legs } = new TapSession(socket, {
      relay: behaviour.relay!,
      hostname,
      tls: { gateway: serverOptions(tls), other: serverOptions(spec.tls.good) },
      keeps: (what, bytes) => partner.keeps(what, bytes),
      onEvent: () => partner.changed(),
    })
    partner.conversations.push(...legs)
    partner.changed()
  }

  /** Answers a retry of earlier mail, or monitoring, with a temporary refusal, which does no harm. */
  #refuse(socket: Socket): void {
    this.strays++
    if (this.#sockets.size > MAX_OPEN) {
      socket.destroy()
      return
    }
    socket.end('421 4.3.2 Nobody is here at the moment\r\n')
    socket.resume()
    socket.setTimeout(1_000, () => socket.destroy())
  }

  #serve(socket: Socket, host: PartnerHost): void {
    const { partner } = host
    const { behaviour, tls } = host.next()
    const recorder = new Recorder({
      gatewayIs: 'sender',
      sender: 'gateway',
      receiver: host.hostname,
      onEvent: () => partner.changed(),
    })
    const { conversation } = recorder
    partner.conversations.push(conversation)
    if (this.#shared.has(host)) partner.unassigned.add(conversation)
    new PartnerSession(socket, {
      hostname: host.hostname,
      behaviour,
      recorder,
      tls: async () => tls,
      keeps: (what, bytes) => partner.keeps(what, bytes),
      shared: this.#shared.has(host),
      // Only at an address that several partners use, one after another, can a connection be for another partner.
      isForeign: recipient =>
        this.#shared.has(host) && !partner.expects(recipient) && !this.#isForAuthor(recipient),
      onForeign: (recipient, carried) => this.#foreign(conversation, host, { recipient, carried }),
      // The record has what the gateway said after the partner had closed.
      onEnd: () => {
        if (behaviour.greeting && commands(conversation).length === 0) this.#turnedAway.add(conversation)
        if (this.#shared.has(host)) this.#assign(conversation, host)
        partner.unassigned.delete(conversation)
        partner.changed()
      },
      onMessage: message => {
        if (message.to.some(to => this.#isForAuthor(to))) {
          this.#takeForAuthor(message)
          return
        }
        partner.messages.push({ ...message, host: host.hostname })
        this.#learnGreeting(conversation, host)
        partner.changed()
      },
    })
  }

  #isForAuthor(recipient: string): boolean {
    return this.#addresses.author?.()?.expects(recipient) ?? false
  }

  #takeForAuthor(message: ReceivedMessage): void {
    const author = this.#addresses.author!()!
    author.messages.push({ ...message, host: author.hosts[0]!.hostname })
    author.changed()
  }

  /**
   * A recipient of another partner, on a new connection, or (`carried`) on one that has carried mail for this
   * partner.
   */
  #foreign(
    conversation: Conversation,
    host: PartnerHost,
    { recipient, carried }: { recipient: string; carried: boolean },
  ): void {
    const domain = recipient.split('@').at(-1)!
    const owner = this.#addresses.ownerOf(domain)
    if (!carried) {
      // That partner has other addresses now: the gateway should have delivered its mail there.
      if (owner && this.#addresses.hasAddress(owner))
        owner.misrouted ??= `the gateway delivered at port ${this.port} of ${host.address}, which is another partner's address`
      this.#giveAway(conversation, host, owner)
    } else if (owner && this.#addresses.isForced(domain) && owner.conversations.length < MAX_LATE) {
      owner.conversations.push(lastTransaction(conversation))
      owner.changed()
    }
  }

  /** Only the gateway carries mail for a partner: earlier connections that greeted otherwise were of somebody else. */
  #learnGreeting(conversation: Conversation, host: PartnerHost): void {
    const { greetings } = this.#addresses
    const greeting = greetedAs(conversation)
    if (greeting === undefined || greetings.has(greeting)) return
    greetings.add(greeting)
    if (!this.#shared.has(host)) return
    for (const earlier of [...host.partner.conversations]) if (earlier.closed) this.#assign(earlier, host)
  }

  /** A connection that is not for this partner becomes evidence about the partner whom it names, or about none. */
  #giveAway(conversation: Conversation, host: PartnerHost, owner?: Partner): void {
    this.strays++
    host.connections--
    host.partner.disown(conversation)
    if (!owner || owner.conversations.length >= MAX_LATE) return
    if (owner === this.#addresses.author?.() || tellsOfItself(conversation))
      owner.conversations.push(conversation)
    else owner.misrouted ??= 'the gateway came again when another partner had the address'
    owner.changed()
  }

  /**
   * Finds out whose a connection was that ended before a recipient was named: perhaps a retry of earlier mail, or
   * monitoring.
   */
  #assign(conversation: Conversation, host: PartnerHost): void {
    const { partner } = host
    if (!partner.conversations.includes(conversation)) return
    const { greetings } = this.#addresses
    const ownerOf = (name: string) => this.#addresses.ownerOf(name)
    const greeting = greetedAs(conversation)
    if (partner.isNamedIn(conversation) || this.#turnedAway.has(conversation)) return
    const author = this.#addresses.author?.()
    if (author?.isNamedIn(conversation)) {
      this.#giveAway(conversation, host, author)
      return
    }
    const serverName = conversation.handshake?.offered?.serverName
    const name = [...(serverName ? [serverName] : []), ...namesIn(conversation)].find(ownerOf)
    if (name !== undefined) {
      if (ownerOf(name) !== partner) this.#giveAway(conversation, host, ownerOf(name))
      return
    }
    if (this.#addresses.isOwnSender(firstReturnPath(conversation) ?? '')) return
    if (commands(conversation).length === 0 || (greetings.size > 0 && !greetings.has(greeting ?? '')))
      this.#giveAway(conversation, host)
  }
}

/** Where a gateway does after a handshake what it does, the certificate of the partner who answered may be the reason. */
const tellsOfItself = (conversation: Conversation): boolean =>
  conversation.handshake === undefined ||
  commands(conversation).some(({ verb, secured }) => !secured && (verb === 'MAIL' || verb === 'RCPT'))

const NOT_SHARED: SharedAddresses = {
  ownerOf: () => undefined,
  greetings: new Set(),
  isOwnSender: () => false,
  isForced: () => false,
  hasAddress: () => false,
}

/** The last transaction of a connection that has carried mail for one partner and then names another. */
function lastTransaction(conversation: Conversation): Conversation {
  const at = conversation.events.findLastIndex(
    event => event.from === 'sender' && event.kind === 'command' && event.verb === 'MAIL',
  )
  return {
    ...conversation,
    id: `${conversation.id}-${conversation.events.length}`,
    events: conversation.events.slice(at),
    clear: { ...conversation.clear },
    closed: true,
  }
}

/** Everything that looks like a domain name in the lines of the gateway, whether they are commands or not. */
const namesIn = (conversation: Conversation): string[] =>
  commands(conversation).flatMap(({ text }) => text.match(/[a-z\d_-]+(?:\.[a-z\d_-]+)+/gi) ?? [])

/** An address without the prefix that a dual-stack socket puts in front of IPv4. */
function plain(address: string): string {
  const inner = address.replace(/^::ffff:/i, '')
  return isIPv4(inner) ? inner : address
}
