import type { ReceivedMessage } from '../../evidence/mail.ts'
import { isAt, isMeantFor, type PartnerSeen } from '../../evidence/sent.ts'
import type { Conversation } from '../../wire/conversation.ts'
import type { Behaviour, Relay } from './behaviour.ts'
import type { HostTls } from './host-tls.ts'

/** One mail exchanger, as data. */
export interface HostSpec {
  hostname: string
  /** Under which the DNS has it, where that is another name. */
  inDns?: string
  address: string
  /** MX preference, RFC 5321 s5.1: lower is tried first. */
  preference: number
  behaviour: Behaviour
  /** Names in good certificates. */
  names: readonly string[]
  /** The lab closes further connections without reading: a gateway in a loop must not fill the memory. */
  maxConnections: number
  /** For connections on which the partner misbehaves, and for those on which it does not. */
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

  /** Counts a new connection, and says how the host serves it. */
  next(): { behaviour: Behaviour; tls: HostTls } {
    const { behaviour: all, tls } = this.spec
    const { times = Number.POSITIVE_INFINITY, spares = 0, always, manner, ...behaviour } = all
    this.connections++
    const good = this.connections > times || this.connections <= spares
    const does = good ? { ...always, ...wellBehaved(behaviour) } : behaviour
    return { behaviour: manner ? { ...does, manner } : does, tls: good ? tls.good : tls.faulty }
  }
}

/** Without its faults. A tap stays a tap. */
function wellBehaved({ relay }: Behaviour): Behaviour {
  if (!relay) return {}
  const { to, gatewayIs, others }: Relay = relay
  return { relay: { to, gatewayIs, ...(others ? { others } : {}) } }
}

/**
 * How much of one partner the lab keeps: of commands and replies in bytes, of content in bytes, and how many
 * messages. This is far more than any example needs. A report is several times as large as what is kept.
 */
const MAX_SAID = 512 * 1024
const MAX_CONTENT = 4 * 1024 * 1024
const MAX_MESSAGES = 100

/** A mail server that the suite plays, and all that was seen on its connections. */
export class Partner {
  readonly domain: string
  /** Its mail exchangers, in order of preference. */
  hosts: readonly PartnerHost[]
  /** More domains whose mail it takes. */
  readonly alsoFor: readonly string[]
  readonly conversations: Conversation[] = []
  /** Those of them that have not ended and may turn out to be for another partner, at an address that several use. */
  readonly unassigned = new Set<Conversation>()
  readonly messages: (ReceivedMessage & { host: string })[] = []
  /** More came to the partner than the lab serves or keeps: what was in it is not known. */
  flooded = false
  /**
   * The gateway may retry mail for earlier partners at the same address, on connections that cannot be told from
   * those for this partner.
   */
  shared = false
  /**
   * The gateway delivered mail for this partner at the address of another one, which refused it; where, in a
   * sentence.
   */
  misrouted: string | undefined
  /**
   * Waits until everything that has happened so far is in this object. A lab in a container reports it a moment
   * later.
   */
  upToDate: () => Promise<void> = async () => {}
  #watchers = new Set<() => void>()
  readonly #kept = { said: 0, content: 0 }

  constructor(domain: string, hosts: readonly HostSpec[], alsoFor: readonly string[] = []) {
    this.domain = domain
    this.alsoFor = alsoFor
    this.hosts = this.behave(hosts)
  }

  /** From the next connection on, its mail exchangers behave so. */
  behave(hosts: readonly HostSpec[]): readonly PartnerHost[] {
    this.hosts = hosts.map(spec => new PartnerHost(this, spec))
    return this.hosts
  }

  /** Counts `bytes` that are about to be kept. False where that is too much: the partner is flooded then. */
  keeps(what: 'said' | 'content', bytes: number): boolean {
    // The mailbox of a whole run has no limit.
    if (this.hosts.some(({ spec }) => spec.maxConnections >= Number.MAX_SAFE_INTEGER)) return true
    this.#kept[what] += bytes
    const { said, content } = this.#kept
    if (said > MAX_SAID || content > MAX_CONTENT || this.messages.length >= MAX_MESSAGES) this.flooded = true
    return !this.flooded
  }

  /** What is known of the partner at this moment, as plain data. */
  get seen(): PartnerSeen {
    const { domain, flooded, shared } = this
    return { domain, exchangers: this.hosts.map(({ hostname }) => hostname), flooded, shared }
  }

  /** Whether a recipient is at a domain of this partner. */
  expects(recipient: string): boolean {
    return [this.domain, ...this.alsoFor].some(domain => isAt(domain, recipient))
  }

  /** Whether a connection was meant for this partner, by its recipient or by the server name in its ClientHello. */
  isNamedIn(conversation: Conversation): boolean {
    return isMeantFor(this.seen, conversation)
  }

  /** Removes a connection that was for another partner: a retry of earlier mail, at an address that is used again. */
  disown(conversation: Conversation): void {
    const at = this.conversations.indexOf(conversation)
    if (at >= 0) this.conversations.splice(at, 1)
    this.unassigned.delete(conversation)
    this.changed()
  }

  changed(): void {
    for (const watcher of this.#watchers) watcher()
  }

  /** Calls `watcher` after every event on any of the partner's connections, until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }
}
