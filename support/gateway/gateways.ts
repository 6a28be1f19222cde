import type { RunNetwork } from '../containers/run-network.ts'
import type { Pki } from '../pki/pki.ts'
import type { Gateway, GatewaySource, PeerKind } from './gateway.ts'
import type { MailFlow } from './mail-flow.ts'
import { type FlowVariant, peerFlow, standardFlow, variantOf } from './standard-flow.ts'

/** The running gateways of one run: one for each mail flow that scenarios ask for, shared by all that ask for it. */
export class Gateways {
  readonly source: GatewaySource
  readonly #flow: MailFlow
  readonly #pki: Pki
  readonly #network: RunNetwork | undefined
  readonly #running = new Map<FlowVariant, Promise<Gateway>>()
  readonly #peers = new Map<PeerKind, Promise<Gateway>>()
  readonly #own: Promise<Gateway>[] = []
  #peersOfOwn = 0
  /** Those that take mail for sending on from users alone. */
  readonly #withLogin = new WeakSet<Gateway>()
  readonly #resolverOf: ((domain: string) => Promise<string>) | undefined

  /** `network`: for gateways that run in containers. `resolverOf`: for those with a tap in front of them. */
  constructor(
    source: GatewaySource,
    flow: MailFlow,
    pki: Pki,
    around: { network?: RunNetwork; resolverOf?: (domain: string) => Promise<string> } = {},
  ) {
    this.source = source
    this.#flow = flow
    this.#pki = pki
    this.#network = around.network
    this.#resolverOf = around.resolverOf
  }

  /** Started at the first call. Throws GatewayFailure. */
  with(variant: FlowVariant): Promise<Gateway> {
    let gateway = this.#running.get(variant)
    if (!gateway) {
      gateway = this.#start(variant)
      this.#running.set(variant, gateway)
    }
    return gateway
  }

  /** One that nobody else uses, for a scenario that changes it. */
  ofOwn(variant: FlowVariant): Promise<Gateway> {
    const gateway = this.#start(variant)
    this.#own.push(gateway)
    return gateway
  }

  /**
   * The second server of a pair: one for all that ask, or one for each where a server remembers what it saw of others;
   * `dismiss` ends that. Throws GatewayFailure.
   */
  peer(kind: PeerKind): Promise<Gateway> {
    const source = this.source.peers?.[kind]?.()
    if (!source) return Promise.reject(new Error(`${this.source.name} has no second server of ${kind}`))
    if (this.source.remembers || source.remembers) {
      const own = this.#startPeer(source, { kind, number: ++this.#peersOfOwn })
      this.#own.push(own)
      return own
    }
    let peer = this.#peers.get(kind)
    if (!peer) {
      peer = this.#startPeer(source, { kind })
      this.#peers.set(kind, peer)
    }
    return peer
  }

  /** The example that a second server was for alone is over. */
  async dismiss(gateway: Gateway): Promise<void> {
    for (const [i, own] of this.#own.entries())
      if ((await own.catch(() => undefined)) === gateway) {
        this.#own.splice(i, 1)
        return gateway.stop()
      }
  }

  async #startPeer(source: GatewaySource, about: { kind: PeerKind; number?: number }): Promise<Gateway> {
    const flow = await standardFlow(source, { pki: this.#pki, network: this.#flow.network })
    return this.#started(source, await this.#tapped(await peerFlow(flow, about, this.#pki)))
  }

  async #start(variant: FlowVariant): Promise<Gateway> {
    const flow = await variantOf(this.#flow, variant, this.#pki)
    return this.#started(this.source, variant === 'belongs to a service' ? await this.#tapped(flow) : flow)
  }

  async #started(source: GatewaySource, flow: MailFlow): Promise<Gateway> {
    const gateway = await source.start(flow, this.#network)
    if (source.login) this.#withLogin.add(gateway)
    return gateway
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
    this.#own.length = 0
  }

  async stop(): Promise<void> {
    const started = await Promise.allSettled([
      ...this.#running.values(),
      ...this.#peers.values(),
      ...this.#own,
    ])
    await Promise.all(
      started.map(result => (result.status === 'fulfilled' ? result.value.stop() : undefined)),
    )
  }
}
