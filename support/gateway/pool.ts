import type { RunNetwork } from '../engine/run-network.ts'
import type { GatewayFailure } from '../gateway-failure.ts'
import type { Capability, SecondServerKind } from '../mailflow/capabilities.ts'
import { type FlowVariant, variantOf } from '../mailflow/changes.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { peerFlow } from '../mailflow/standard-flow.ts'
import type { Pki } from '../pki/pki.ts'
import { MAX_WAIT } from '../wire/patience.ts'
import { greets } from '../wire/smtp/greeting.ts'
import { until } from '../wire/until.ts'
import type { Gateway } from './gateway.ts'
import type { GatewaySource } from './source.ts'

/** Second servers of a kind at a time: enough that nobody waits long while one is listened to for what comes late. */
const PEERS = 3

/** Not the gateway's own to claim: the suite has a second server for it or has none. */
const PAIRED: Partial<Record<Capability, SecondServerKind>> = {
  pair: 'the same kind',
  'mixed-pair': 'another kind',
}

/** Second servers of one kind: nobody shares one, so that what comes late can be told apart. */
interface Peers {
  free: Gateway[]
  /** Up, starting or ending. */
  count: number
  /** First come, first served. */
  readonly waiting: ((free?: Gateway) => void)[]
}

/** A gateway that ended by itself, and when, on the clock of `performance`. */
export interface End {
  gateway: Gateway
  why: GatewayFailure
  at: number
}

/**
 * The running gateways of one run: one for each mail flow that scenarios ask for, shared by all that ask for it. When
 * one ends by itself, whoever asks next gets another.
 */
export class Gateways {
  readonly source: GatewaySource
  readonly #flow: MailFlow
  readonly #pki: Pki
  readonly #network: RunNetwork | undefined
  readonly #running = new Map<FlowVariant, Promise<Gateway>>()
  readonly #peers = new Map<SecondServerKind, Peers>()
  readonly #kindOf = new Map<Gateway, SecondServerKind>()
  /** Each is one example's alone. */
  readonly #own = new Set<Gateway>()
  readonly #starting = new Set<Promise<Gateway>>()
  readonly #up = new Set<Gateway>()
  readonly #ends: End[] = []
  #stopped = false
  #lastPeer = 0
  /** Those that take mail for sending on from users alone. */
  readonly #withLogin = new WeakSet<Gateway>()
  readonly #ended: ((why: GatewayFailure) => void) | undefined
  readonly #resolverOf: ((domain: string) => Promise<string>) | undefined

  /** `network`: for gateways that run in containers. `resolverOf`: for those with a tap in front of them. */
  constructor(
    source: GatewaySource,
    flow: MailFlow,
    pki: Pki,
    around: {
      network?: RunNetwork
      resolverOf?: (domain: string) => Promise<string>
      /** Told of each that ends by itself. */
      ended?: (why: GatewayFailure) => void
    } = {},
  ) {
    this.source = source
    this.#flow = flow
    this.#pki = pki
    this.#network = around.network
    this.#resolverOf = around.resolverOf
    this.#ended = around.ended
  }

  /** Started at the first call. Throws GatewayFailure. */
  with(variant: FlowVariant): Promise<Gateway> {
    return this.#shared(this.#running, variant, () => this.#start(variant))
  }

  /** One that nobody else uses, for a scenario that changes it. */
  async ofOwn(variant: FlowVariant): Promise<Gateway> {
    const gateway = await this.#start(variant)
    this.#own.add(gateway)
    return gateway
  }

  /**
   * A second server that nobody else has until it is dismissed. Somebody may have had it before, except where a server
   * remembers what it saw of others. Throws GatewayFailure.
   */
  async peer(kind: SecondServerKind): Promise<Gateway> {
    const source = this.source.peers?.[kind]?.()
    if (!source) throw new Error(`the suite has no second server of ${kind} for ${this.source.name}`)
    const peers = this.#peers.get(kind) ?? { free: [], count: 0, waiting: [] }
    this.#peers.set(kind, peers)
    const { free, waiting } = peers
    let peer = free.pop()
    if (!peer && peers.count < PEERS) peers.count++
    else peer ??= await new Promise(resolve => waiting.push(resolve))
    if (peer && !peer.end) return peer
    try {
      const made = await this.#startPeer(source, { kind, number: ++this.#lastPeer })
      this.#kindOf.set(made, kind)
      return made
    } catch (error) {
      passOn(peers)
      throw error
    }
  }

  #shared<Key>(all: Map<Key, Promise<Gateway>>, key: Key, start: () => Promise<Gateway>): Promise<Gateway> {
    const shared = all.get(key)
    if (shared) return shared
    const made = start()
    all.set(key, made)
    // Whoever asks once it has ended gets another.
    made.then(gateway => onEnd(gateway, () => all.get(key) === made && all.delete(key))).catch(() => {})
    return made
  }

  /** Why a scenario cannot have what it needs, or nothing when it can. */
  lacks(capability: Capability): string | undefined {
    const kind = PAIRED[capability]
    if (!kind) return this.source.lacks(capability)
    return this.source.peers?.[kind]
      ? undefined
      : `the suite has no second server of ${kind} for ${this.source.name}`
  }

  /** Those of the gateways so far that ended by themselves, oldest first. */
  get ends(): readonly End[] {
    return this.#ends
  }

  /** Nothing more can come of the example that had a gateway to itself. */
  async dismiss(gateway: Gateway): Promise<void> {
    const kind = this.#kindOf.get(gateway)
    if (kind === undefined) return this.#own.delete(gateway) ? this.#end(gateway) : undefined
    const peers = this.#peers.get(kind)!
    if (!this.#remembers(kind)) return passOn(peers, gateway)
    this.#kindOf.delete(gateway)
    await this.#end(gateway).finally(() => passOn(peers))
  }

  async #end(gateway: Gateway): Promise<void> {
    this.#up.delete(gateway)
    await gateway.stop()
  }

  #remembers(kind: SecondServerKind): boolean {
    return Boolean(this.source.remembers || this.source.peers?.[kind]?.().remembers)
  }

  async #startPeer(
    source: GatewaySource,
    about: { kind: SecondServerKind; number: number },
  ): Promise<Gateway> {
    return this.#started(source, await this.#tapped(await peerFlow(this.#flow, about, this.#pki)))
  }

  async #start(variant: FlowVariant): Promise<Gateway> {
    const flow = await variantOf(this.#flow, variant, this.#pki)
    return this.#started(this.source, variant === 'belongs to a service' ? await this.#tapped(flow) : flow)
  }

  async #started(source: GatewaySource, flow: MailFlow): Promise<Gateway> {
    this.#mustNotBeStopped()
    const start = source.start(flow, this.#network)
    this.#starting.add(start)
    const gateway = await start.finally(() => this.#starting.delete(start))
    this.#up.add(gateway)
    if (source.login) this.#withLogin.add(gateway)
    onEnd(gateway, why => {
      this.#ends.push({ gateway, why, at: performance.now() })
      this.#ended?.(why)
    })
    this.#mustNotBeStopped()
    return gateway
  }

  #mustNotBeStopped(): void {
    if (this.#stopped) throw new Error('the run is over: no gateway is started any more')
  }

  /** Who hands mail over to a gateway that takes it from its users alone; nobody for the others. */
  userOf(gateway: Gateway): MailFlow['users'][number] | undefined {
    return this.#withLogin.has(gateway) ? gateway.flow.users[0] : undefined
  }

  async #tapped(flow: MailFlow): Promise<MailFlow> {
    const resolver = await this.#resolverOf?.(flow.domain)
    return resolver ? { ...flow, network: { ...flow.network, resolver } } : flow
  }

  /** Stops all; whoever asks next gets new ones. */
  async renew(): Promise<void> {
    await this.stop()
    this.#running.clear()
    this.#peers.clear()
    this.#kindOf.clear()
    this.#own.clear()
    this.#stopped = false
  }

  /** Whether one example has it alone. */
  isOwn(gateway: Gateway): boolean {
    return this.#own.has(gateway)
  }

  /** Who does not greet any more may be about to end, which is known in a moment. */
  async lookAlive(): Promise<void> {
    const started = [...this.#up].filter(({ kind }) => kind !== 'external')
    await Promise.all(
      started.map(async gateway => {
        const hasEnded = () => gateway.end !== undefined
        if (!hasEnded() && !(await greets(gateway.inbound))) await until(hasEnded, [gateway], MAX_WAIT)
      }),
    )
  }

  /** Stops those that one example had alone; all such examples are over. */
  async stopOwn(): Promise<void> {
    await Promise.all([...this.#own].map(gateway => this.dismiss(gateway)))
  }

  /** Those that are still starting, too. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.allSettled(this.#starting)
    const up = [...this.#up]
    this.#up.clear()
    await Promise.all(up.map(gateway => gateway.stop()))
  }
}

/** Whoever waits gets it, or the room to start one. */
function passOn(peers: Peers, gateway?: Gateway): void {
  const next = peers.waiting.shift()
  if (next) next(gateway)
  else if (gateway) peers.free.push(gateway)
  else peers.count--
}

/** Calls `told` once when it ends by itself, at once where it has. */
function onEnd(gateway: Gateway, told: (why: GatewayFailure) => void): void {
  const look = () => {
    if (!gateway.end) return
    unwatch()
    told(gateway.end)
  }
  const unwatch = gateway.watch(look)
  look()
}
