import type { Capability, SecondServerKind } from '../mailflow/capabilities.ts'
import type { Gateway } from './gateway.ts'
import type { GatewaySource } from './source.ts'

/**
 * So many second servers of a kind run at a time. One is kept for a while after its example, for mail that comes
 * late.
 */
const MOST = 3

/** Not the gateway's own to claim: the suite has a second server for it or has none. */
const NEEDS: Partial<Record<Capability, SecondServerKind>> = {
  pair: 'the same kind',
  'mixed-pair': 'another kind',
}

/** The second servers of one kind. */
interface OfOneKind {
  free: Gateway[]
  /** How many run, start or end. */
  count: number
  /** Who waits for one, in the order of asking. */
  readonly waiting: ((free?: Gateway) => void)[]
}

/**
 * The second servers of a run. An example has one to itself from `take` to `giveBack`, so that mail which comes late
 * belongs to that example.
 */
export class SecondServers {
  readonly #source: GatewaySource
  readonly #start: (
    source: GatewaySource,
    about: { kind: SecondServerKind; number: number },
  ) => Promise<Gateway>
  readonly #stop: (server: Gateway) => Promise<void>
  readonly #kinds = new Map<SecondServerKind, OfOneKind>()
  readonly #kindOf = new Map<Gateway, SecondServerKind>()
  #lastNumber = 0

  /** `source`: of the gateway under test, which names its second servers. */
  constructor(
    source: GatewaySource,
    how: {
      start: (source: GatewaySource, about: { kind: SecondServerKind; number: number }) => Promise<Gateway>
      stop: (server: Gateway) => Promise<void>
    },
  ) {
    this.#source = source
    this.#start = how.start
    this.#stop = how.stop
  }

  /**
   * Waits for a second server that no example has. Another example may have had it before, unless the gateway or the
   * second server remembers what it saw of other servers. Throws GatewayFailure when a new one does not come up.
   */
  async take(kind: SecondServerKind): Promise<Gateway> {
    const source = this.#source.secondServers?.[kind]?.()
    if (!source) throw new Error(this.#none(kind))
    const all = this.#kinds.get(kind) ?? { free: [], count: 0, waiting: [] }
    this.#kinds.set(kind, all)
    let server = all.free.pop()
    if (!server && all.count < MOST) all.count++
    else server ??= await new Promise(resolve => all.waiting.push(resolve))
    if (server && !server.end) return server
    try {
      const made = await this.#start(source, { kind, number: ++this.#lastNumber })
      this.#kindOf.set(made, kind)
      return made
    } catch (error) {
      passOn(all)
      throw error
    }
  }

  /** The next example may have the server. One that remembers is stopped instead. */
  async giveBack(server: Gateway): Promise<void> {
    const kind = this.#kindOf.get(server)!
    const all = this.#kinds.get(kind)!
    if (!this.#remembers(kind)) return passOn(all, server)
    this.#kindOf.delete(server)
    await this.#stop(server).finally(() => passOn(all))
  }

  has(server: Gateway): boolean {
    return this.#kindOf.has(server)
  }

  /** Why a capability that needs a second server is missing, or nothing. */
  lacks(capability: Capability): string | undefined {
    const kind = NEEDS[capability]
    return kind && !this.#source.secondServers?.[kind] ? this.#none(kind) : undefined
  }

  /** Whether a second server alone decides about a capability. */
  static decides(capability: Capability): boolean {
    return NEEDS[capability] !== undefined
  }

  /** All second servers were stopped: `take` starts new ones. */
  forget(): void {
    this.#kinds.clear()
    this.#kindOf.clear()
  }

  #none(kind: SecondServerKind): string {
    return `the suite has no second server of ${kind} for ${this.#source.name}`
  }

  #remembers(kind: SecondServerKind): boolean {
    return Boolean(this.#source.remembers || this.#source.secondServers?.[kind]?.().remembers)
  }
}

/** Gives the server to the example that waits first, or without a server the right to start one. */
function passOn(all: OfOneKind, server?: Gateway): void {
  const next = all.waiting.shift()
  if (next) next(server)
  else if (server) all.free.push(server)
  else all.count--
}
