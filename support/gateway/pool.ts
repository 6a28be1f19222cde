import type { RunNetwork } from '../engine/run-network.ts'
import type { GatewayFailure } from '../gateway-failure.ts'
import type { Capability, SecondServerKind } from '../mailflow/capabilities.ts'
import { type Change, changed, keyOf } from '../mailflow/changes.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { secondServerFlow } from '../mailflow/standard-flow.ts'
import type { Pki } from '../pki/pki.ts'
import { MAX_WAIT } from '../wire/patience.ts'
import { greets } from '../wire/smtp/greeting.ts'
import { until } from '../wire/until.ts'
import type { Gateway } from './gateway.ts'
import { SecondServers } from './second-servers.ts'
import type { GatewaySource } from './source.ts'
import { Turns } from './turns.ts'

/** An example has a gateway with a set of changes until it calls `leave`. */
export interface Turn {
  readonly gateway: Gateway
  /** No other example has the gateway meanwhile. */
  readonly alone: boolean
  /** Absent where other examples need not wait for this one. */
  readonly leave?: () => void
}

/** A gateway that ended by itself, and when, on the clock of `performance`. */
export interface UnaskedEnd {
  gateway: Gateway
  why: GatewayFailure
  at: number
}

/**
 * The running gateways of one run: one for each set of changes of the standard mail flow, shared by all examples that
 * ask for it. A gateway that ended by itself is replaced when an example asks for it again.
 */
export class Gateways {
  readonly source: GatewaySource
  readonly #flow: MailFlow
  readonly #pki: Pki
  readonly #network: RunNetwork | undefined
  /** By the key of their set of changes. */
  readonly #shared = new Map<string, Promise<Gateway>>()
  readonly #secondServers: SecondServers
  /** Of a gateway that is changed in place. */
  readonly #turns: Turns | undefined
  /** The sets of changes that examples have or wait for, by their keys. */
  readonly #sets = new Map<string, readonly Change[]>()
  #lastAlone = 0
  /** Each is one example's alone. */
  readonly #own = new Set<Gateway>()
  readonly #starting = new Set<Promise<Gateway>>()
  readonly #up = new Set<Gateway>()
  readonly #ends: UnaskedEnd[] = []
  #stopped = false
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
      /** Called for each gateway that ends by itself. */
      ended?: (why: GatewayFailure) => void
    } = {},
  ) {
    this.source = source
    this.#flow = flow
    this.#pki = pki
    this.#network = around.network
    this.#resolverOf = around.resolverOf
    this.#ended = around.ended
    if (source.changesInPlace) this.#turns = new Turns(key => this.#changeTo(key), keyOf([]))
    this.#secondServers = new SecondServers(source, {
      start: async (second, about) => this.#started(second, await secondServerFlow(flow, about, pki)),
      stop: server => this.#end(server),
    })
  }

  /**
   * The gateway with a set of changes, in whatever order they are given; without changes, the gateway as it is. The
   * first call starts it. Throws GatewayFailure.
   */
  with(changes: readonly Change[] = []): Promise<Gateway> {
    const key = keyOf(changes)
    const running = this.#shared.get(key)
    if (running) return running
    const made = this.#start(changes)
    this.#shared.set(key, made)
    made
      .then(gateway => onEnd(gateway, () => this.#shared.get(key) === made && this.#shared.delete(key)))
      .catch(() => {})
    return made
  }

  /**
   * The gateway with a set of changes, for one example; `alone`: no other example has it. Waits where the gateway has one set
   * of changes at a time. Throws GatewayFailure.
   */
  async turn(changes: readonly Change[], alone: boolean): Promise<Turn> {
    if (!this.#turns) return { gateway: await (alone ? this.ofOwn(changes) : this.with(changes)), alone }
    const key = `${keyOf(changes)}${alone ? ` (alone ${++this.#lastAlone})` : ''}`
    this.#sets.set(key, changes)
    const leave = await this.#turns.take(key)
    return { gateway: await this.with(), alone, leave }
  }

  async #changeTo(key: string): Promise<void> {
    const gateway = await this.with()
    await gateway.change(await changed(this.#flow, this.#sets.get(key)!, this.#pki))
  }

  /** A gateway that no other example uses, for an example that changes it while it runs. Throws GatewayFailure. */
  async ofOwn(changes: readonly Change[] = []): Promise<Gateway> {
    const gateway = await this.#start(changes)
    this.#own.add(gateway)
    return gateway
  }

  /** A second server that no other example has until `giveBack`. Throws GatewayFailure. */
  secondServer(kind: SecondServerKind): Promise<Gateway> {
    return this.#secondServers.take(kind)
  }

  /** Why an example cannot have what it needs, or nothing when it can. */
  lacks(capability: Capability): string | undefined {
    return SecondServers.decides(capability)
      ? this.#secondServers.lacks(capability)
      : this.source.lacks(capability)
  }

  /** The gateways that ended by themselves so far, oldest first. */
  get ends(): readonly UnaskedEnd[] {
    return this.#ends
  }

  /** The example that had a second server or a gateway to itself is over. Does nothing for a shared gateway. */
  async giveBack(gateway: Gateway): Promise<void> {
    if (this.#secondServers.has(gateway)) await this.#secondServers.giveBack(gateway)
    else if (this.#own.delete(gateway)) await this.#end(gateway)
  }

  async #end(gateway: Gateway): Promise<void> {
    this.#up.delete(gateway)
    await gateway.stop()
  }

  async #start(changes: readonly Change[]): Promise<Gateway> {
    return this.#started(this.source, await changed(this.#flow, changes, this.#pki))
  }

  async #started(source: GatewaySource, wanted: MailFlow): Promise<Gateway> {
    const flow = await this.#tapped(wanted)
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

  /** The user who hands mail over to a gateway that takes it from its users alone; nothing for other gateways. */
  userOf(gateway: Gateway): MailFlow['users'][number] | undefined {
    return this.#withLogin.has(gateway) ? gateway.flow.users[0] : undefined
  }

  /**
   * A server of the service has a tap in front of it: its own domain leads it to the mailbox, and others to the tap.
   */
  async #tapped(flow: MailFlow): Promise<MailFlow> {
    if (flow.domain === this.#flow.domain) return flow
    const resolver = await this.#resolverOf?.(flow.domain)
    return resolver ? { ...flow, network: { ...flow.network, resolver } } : flow
  }

  /** Stops all gateways. An example that asks afterwards gets a new one. */
  async renew(): Promise<void> {
    await this.stop()
    this.#shared.clear()
    this.#secondServers.forget()
    this.#own.clear()
    this.#stopped = false
  }

  /** Whether one example has the gateway alone. */
  isOwn(gateway: Gateway): boolean {
    return this.#own.has(gateway)
  }

  /** A gateway that does not greet any more may be about to end: waits a moment for that, so that `ends` has it. */
  async awaitEnds(): Promise<void> {
    const started = [...this.#up].filter(({ kind }) => kind !== 'external')
    await Promise.all(
      started.map(async gateway => {
        const hasEnded = () => gateway.end !== undefined
        if (!hasEnded() && !(await greets(gateway.inbound))) await until(hasEnded, [gateway], MAX_WAIT)
      }),
    )
  }

  /** Stops the gateways that one example had alone; all such examples are over. */
  async stopOwn(): Promise<void> {
    await Promise.all([...this.#own].map(gateway => this.giveBack(gateway)))
  }

  /** Stops all gateways, also those that are still starting. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.allSettled(this.#starting)
    const up = [...this.#up]
    this.#up.clear()
    await Promise.all(up.map(gateway => gateway.stop()))
  }
}

/** Calls `told` once when the gateway ends by itself, at once where it has. */
function onEnd(gateway: Gateway, told: (why: GatewayFailure) => void): void {
  const look = () => {
    if (!gateway.end) return
    unwatch()
    told(gateway.end)
  }
  const unwatch = gateway.watch(look)
  look()
}
