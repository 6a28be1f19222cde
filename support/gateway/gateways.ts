import type { RunNetwork } from '../containers/run-network.ts'
import type { Pki } from '../pki/pki.ts'
import type { Gateway, GatewaySource } from './gateway.ts'
import type { MailFlow } from './mail-flow.ts'
import { type FlowVariant, variantOf } from './standard-flow.ts'

/** The running gateways of one run: one for each mail flow that scenarios ask for, shared by all that ask for it. */
export class Gateways {
  readonly source: GatewaySource
  readonly #flow: MailFlow
  readonly #pki: Pki
  readonly #network: RunNetwork | undefined
  readonly #running = new Map<FlowVariant, Promise<Gateway>>()
  readonly #own: Promise<Gateway>[] = []

  /** `network`: for gateways that run in containers. */
  constructor(source: GatewaySource, flow: MailFlow, pki: Pki, network?: RunNetwork) {
    this.source = source
    this.#flow = flow
    this.#pki = pki
    this.#network = network
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

  async #start(variant: FlowVariant): Promise<Gateway> {
    return this.source.start(await variantOf(this.#flow, variant, this.#pki), this.#network)
  }

  /** Stops all; whoever asks next gets new ones. */
  async renew(): Promise<void> {
    await this.stop()
    this.#running.clear()
    this.#own.length = 0
  }

  async stop(): Promise<void> {
    const started = await Promise.allSettled([...this.#running.values(), ...this.#own])
    await Promise.all(
      started.map(result => (result.status === 'fulfilled' ? result.value.stop() : undefined)),
    )
  }
}
