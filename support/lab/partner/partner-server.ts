import { type AddressInfo, createServer, isIPv4, type Server, type Socket } from 'node:net'
import { commands, firstReturnPath, greetedAs } from '../../evidence/facts.ts'
import type { Conversation } from '../../wire/conversation.ts'
import { Recorder } from '../../wire/recorder.ts'
import type { Endpoint } from '../../wire/smtp/smtp.ts'
import { TapSession } from '../path/tap.ts'
import { passUnseen } from '../path/unseen.ts'
import type { Relay } from './behaviour.ts'
import type { Partner, PartnerHost } from './partner.ts'
import { PartnerSession } from './partner-session.ts'

/** Connections that may be open at a time on one server; more are closed unread. */
const MAX_OPEN = 2_000

/** Connections that are kept of a partner whose turn is over. */
const MAX_LATE = 200

/** Where partners have an address in turn: what tells whose connection one is. */
export interface Turns {
  /** The partner, of any time, whose domain it is or who bears it as a host name. */
  ownerOf(name: string): Partner | undefined
  /** Names in EHLO of connections that carried mail for a partner. */
  readonly greetings: Set<string>
  /** Whether it is the sender of the suite's own messages: no connection of others names it. */
  isOwnSender(address: string): boolean
  /** Whether the gateway must not say anything in clear about mail for a domain. */
  isForced(domain: string): boolean
  /** Whether it is a partner's turn, here or at another address. */
  inTurn(partner: Partner): boolean
}

/**
 * The server of all partners on one port. The local address that a gateway dialled tells which partner it means. The
 * server listens at one address for all partners, or at the address of each partner.
 */
export class PartnerServer {
  readonly #hosts = new Map<string, PartnerHost>()
  readonly #sockets = new Set<Socket>()
  readonly #listeners: Server[] = []
  #only: PartnerHost | undefined
  /** All that were `#only` at any time: a connection may end after the turn of its partner. */
  readonly #inTurn = new WeakSet<PartnerHost>()
  port = 0
  /** Connections that no partner was made for, or that turned out to be somebody else's. They count for nothing. */
  strays = 0
  readonly #turns: Turns

  constructor(turns: Turns = NO_TURNS) {
    this.#turns = turns
  }

  /**
   * Listens at one more address. Port 0 takes a free one. `port` is that of the first address. Rejects with what the
   * system says when the server cannot listen there.
   */
  async listen({ host, port }: Endpoint): Promise<void> {
    const server = createServer(socket => this.#accept(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, backlog: 1024 }, resolve)
    })
    this.#listeners.push(server)
    this.port ||= (server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(this.#listeners.map(server => new Promise(resolve => server.close(resolve))))
  }

  add(host: PartnerHost): void {
    this.#hosts.set(host.address, host)
  }

  /** Serves every connection as this host, whatever address was dialled; nothing: turns all away. */
  addForAll(host: PartnerHost | undefined): void {
    if (host) this.#inTurn.add(host)
    this.#only = host
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    const host = this.#only ?? this.#hosts.get(plain(socket.localAddress ?? ''))
    if (!host) this.#turnAway(socket)
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

  #relay(socket: Socket, host: PartnerHost, { own }: Relay): void {
    if (own && plain(socket.remoteAddress ?? '') === own.from) {
      passUnseen(socket, own.to)
      return
    }
    const { partner, hostname, spec } = host
    const { behaviour, tls } = host.next()
    const { legs } = new TapSession(socket, {
      relay: behaviour.relay!,
      hostname,
      tls: { gateway: tls, other: spec.tls.good },
      keeps: (what, bytes) => partner.keeps(what, bytes),
      onEvent: () => partner.changed(),
    })
    partner.conversations.push(...legs)
    partner.changed()
  }

  /** Retries of earlier mail, monitoring: told to come back later, so that they do no harm. */
  #turnAway(socket: Socket): void {
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
    new PartnerSession(socket, {
      hostname: host.hostname,
      behaviour,
      recorder,
      tls: async () => tls,
      keeps: (what, bytes) => partner.keeps(what, bytes),
      // Only an address that several partners have in turn can be dialled for another one.
      isForeign: recipient => this.#inTurn.has(host) && !partner.expects(recipient),
      onForeign: (recipient, carried) => this.#foreign(conversation, host, { recipient, carried }),
      // What the sender said after we had closed is in the record by then.
      onEnd: () => {
        if (this.#inTurn.has(host)) this.#sort(conversation, host)
        partner.changed()
      },
      onMessage: message => {
        const greeting = greetedAs(conversation)
        if (greeting !== undefined) this.#turns.greetings.add(greeting)
        partner.messages.push({ ...message, host: host.hostname })
        partner.changed()
      },
    })
  }

  /** A recipient of somebody else, on a connection of its own or on one that the gateway has kept. */
  #foreign(
    conversation: Conversation,
    host: PartnerHost,
    { recipient, carried }: { recipient: string; carried: boolean },
  ): void {
    const domain = recipient.split('@').at(-1)!
    const owner = this.#turns.ownerOf(domain)
    if (!carried) {
      this.#giveAway(conversation, host, domain)
      // A partner who has the turn has it at other addresses: its mail should have come there.
      if (owner && this.#turns.inTurn(owner))
        owner.misrouted ??= `the gateway delivered at port ${this.port} of ${host.address}, where the file names another address`
    } else if (owner && this.#turns.isForced(domain) && owner.conversations.length < MAX_LATE) {
      owner.conversations.push(lastTransaction(conversation))
      owner.changed()
    }
  }

  /** Not this partner's: evidence about the one whom it names, or about nobody. */
  #giveAway(conversation: Conversation, host: PartnerHost, name?: string): void {
    this.strays++
    host.connections--
    host.partner.disown(conversation)
    const owner = name === undefined ? undefined : this.#turns.ownerOf(name)
    if (!owner || owner.conversations.length >= MAX_LATE) return
    owner.conversations.push(conversation)
    owner.changed()
  }

  /** A connection that ended before its recipient was known may be a retry of earlier mail, or monitoring. */
  #sort(conversation: Conversation, host: PartnerHost): void {
    const { partner } = host
    if (!partner.conversations.includes(conversation)) return
    const { greetings, ownerOf } = this.#turns
    const greeting = greetedAs(conversation)
    if (partner.isNamedIn(conversation)) return
    const serverName = conversation.handshake?.offered?.serverName
    const name = [...(serverName ? [serverName] : []), ...namesIn(conversation)].find(ownerOf)
    if (name !== undefined) {
      if (ownerOf(name) !== partner) this.#giveAway(conversation, host, name)
      return
    }
    if (this.#turns.isOwnSender(firstReturnPath(conversation) ?? '')) return
    if (commands(conversation).length === 0 || (greetings.size > 0 && !greetings.has(greeting ?? '')))
      this.#giveAway(conversation, host)
  }
}

const NO_TURNS: Turns = {
  ownerOf: () => undefined,
  greetings: new Set(),
  isOwnSender: () => false,
  isForced: () => false,
  inTurn: () => false,
}

/** What a connection that has carried mail for one partner says for another, from its last MAIL on. */
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

/** Whatever looks like a name in the lines of the client, whether they are commands or not. */
const namesIn = (conversation: Conversation): string[] =>
  commands(conversation).flatMap(({ text }) => text.match(/[a-z\d_-]+(?:\.[a-z\d_-]+)+/gi) ?? [])

/** Without the prefix that a dual-stack socket puts in front of IPv4. */
function plain(address: string): string {
  const inner = address.replace(/^::ffff:/i, '')
  return isIPv4(inner) ? inner : address
}
