import type { Conversation } from '../wire/conversation.ts'
import type { Behaviour } from './behaviour.ts'
import type { ReceivedMessage } from './partner-session.ts'
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
    const { times, ...behaviour } = all
    this.connections++
    const over = times !== undefined && this.connections > times
    return over ? { behaviour: {}, tls: tls.good } : { behaviour, tls: tls.faulty }
  }
}

/** The other mail server, played by us, and all that it saw. */
export class Partner {
  readonly domain: string
  readonly hosts: readonly PartnerHost[]
  readonly conversations: Conversation[] = []
  readonly messages: (ReceivedMessage & { host: string })[] = []
  /** There were more connections than are served: what was in them is not known. */
  flooded = false
  #watchers = new Set<() => void>()

  constructor(domain: string, hosts: HostSpec[]) {
    this.domain = domain
    this.hosts = hosts.map(spec => new PartnerHost(this, spec))
  }

  /** Whether a recipient is at this partner's domain. */
  expects(recipient: string): boolean {
    return recipient.toLowerCase().endsWith(`@${this.domain.toLowerCase()}`)
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
