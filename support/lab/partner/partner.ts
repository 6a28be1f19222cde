import type { ReceivedMessage } from '../../evidence/mail.ts'
import { isAt, isMeantFor, type PartnerSeen } from '../../evidence/sent.ts'
import type { Conversation } from '../../wire/conversation.ts'
import type { Behaviour, Relay } from './behaviour.ts'
import type { HostTls } from './partner-tls.ts'

/** One mail exchanger, as data. */
export interface HostSpec {
  hostname: string
  address: string
  /** MX preference, RFC 5321 s5.1: lower is tried first. */
  preference: number
  behaviour: Behaviour
  /** More connections than this are closed unread: a gateway in a loop must not drown the run. */
  maxConnections: number
  /** For connections on which it misbehaves, and for those after that. */
  tls: { faulty: HostTls; good: HostTls }
}

/** One mail exchanger of a partner. */
export class PartnerHost {
  readonly partner: Partner
  readonly spec: HostSpec
  connections = 0

  constructor(partner: Partner, spec: HostSpec) {
    this.partner = partner
    this.spec = spec
  }

  get hostname(): string {
    return this.spec.hostname
  }

  get address(): string {
    return this.spec.address
  }

  /** How the connection that comes in now is served; counts it. */
  next(): { behaviour: Behaviour; tls: HostTls } {
    const { behaviour: all, tls } = this.spec
    const { times = Number.POSITIVE_INFINITY, spares = 0, always, manner, ...behaviour } = all
    this.connections++
    const good = this.connections > times || this.connections <= spares
    const does = good ? { ...always, ...wellBehaved(behaviour) } : behaviour
    return { behaviour: manner ? { ...does, manner } : does, tls: good ? tls.good : tls.faulty }
  }
}

/** A tap without its faults is a tap still. */
function wellBehaved({ relay }: Behaviour): Behaviour {
  if (!relay) return {}
  const { to, gatewayIs, own }: Relay = relay
  return { relay: { to, gatewayIs, ...(own ? { own } : {}) } }
}

/**
 * What is kept of one partner, of what was said and of what was sent, in bytes, and in messages. Far more than any
 * example needs; a report is several times as large.
 */
const MAX_SAID = 512 * 1024
const MAX_CONTENT = 4 * 1024 * 1024
const MAX_MESSAGES = 100

/** The other mail server, played by us, and all that it saw. */
export class Partner {
  readonly domain: string
  readonly hosts: readonly PartnerHost[]
  readonly conversations: Conversation[] = []
  readonly messages: (ReceivedMessage & { host: string })[] = []
  /** There was more than is served or kept: what was in it is not known. */
  flooded = false
  /** Mail for earlier partners at its address may be tried again, on connections that cannot be told from its own. */
  shared = false
  /** Where else the gateway delivered its mail: at an address that is not its own, and that turned it away. */
  misrouted: string | undefined
  /** Resolves once all that has happened by now is here. A lab elsewhere tells of it a moment later. */
  caughtUp: () => Promise<void> = async () => {}
  #watchers = new Set<() => void>()
  readonly #kept = { said: 0, content: 0 }

  constructor(domain: string, hosts: HostSpec[]) {
    this.domain = domain
    this.hosts = hosts.map(spec => new PartnerHost(this, spec))
  }

  /** Counts what is kept of its connections; false, and it is flooded, once that is too much. */
  keeps(what: 'said' | 'content', bytes: number): boolean {
    // The mailbox of a whole run has no limits.
    if (this.hosts.some(({ spec }) => spec.maxConnections >= Number.MAX_SAFE_INTEGER)) return true
    this.#kept[what] += bytes
    const { said, content } = this.#kept
    if (said > MAX_SAID || content > MAX_CONTENT || this.messages.length >= MAX_MESSAGES) this.flooded = true
    return !this.flooded
  }

  /** As plain data, up to now. */
  get seen(): PartnerSeen {
    const { domain, flooded, shared } = this
    return { domain, exchangers: this.hosts.map(({ hostname }) => hostname), flooded, shared }
  }

  /** Whether a recipient is at this partner's domain. */
  expects(recipient: string): boolean {
    return isAt(this.domain, recipient)
  }

  /** Whether a connection was meant for this partner, by its recipient or by the server name in its ClientHello. */
  isNamedIn(conversation: Conversation): boolean {
    return isMeantFor(this.seen, conversation)
  }

  /** A connection that turned out to be somebody else's: a retry of earlier mail on an address that is used again. */
  disown(conversation: Conversation): void {
    const at = this.conversations.indexOf(conversation)
    if (at >= 0) this.conversations.splice(at, 1)
    this.changed()
  }

  changed(): void {
    for (const watcher of this.#watchers) watcher()
  }

  /** Calls `watcher` after every event on any of its connections, until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }
}
