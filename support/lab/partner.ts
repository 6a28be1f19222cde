import type { Conversation } from '../wire/conversation.ts'
import type { Behaviour } from './behaviour.ts'
import type { ReceivedMessage } from './partner-session.ts'

/** One mail exchanger of a partner. */
export class PartnerHost {
  readonly partner: Partner
  readonly hostname: string
  readonly address: string
  readonly preference: number
  behaviour: Behaviour
  connections = 0

  constructor(partner: Partner, spec: HostSpec) {
    this.partner = partner
    this.hostname = spec.hostname
    this.address = spec.address
    this.preference = spec.preference
    this.behaviour = spec.behaviour
  }

  /** The behaviour for the connection that comes in now; counts it. */
  next(): Behaviour {
    this.connections++
    const { times, ...behaviour } = this.behaviour
    if (times === undefined) return behaviour
    if (times > 0) {
      this.behaviour = { ...this.behaviour, times: times - 1 }
      return behaviour
    }
    return {}
  }
}

interface HostSpec {
  hostname: string
  address: string
  preference: number
  behaviour: Behaviour
}

/** The other mail server, played by us, and all that it saw. */
export class Partner {
  readonly domain: string
  readonly hosts: PartnerHost[]
  readonly conversations: Conversation[] = []
  readonly messages: (ReceivedMessage & { host: string })[] = []
  #watchers = new Set<() => void>()

  constructor(domain: string, hosts: HostSpec[]) {
    this.domain = domain
    this.hosts = hosts.map(spec => new PartnerHost(this, spec))
  }

  /** From the next connection on, every host behaves so. */
  behave(behaviour: Behaviour): void {
    for (const host of this.hosts) host.behaviour = behaviour
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
