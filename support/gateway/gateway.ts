import type { Endpoint } from '../wire/smtp.ts'
import type { Capability, DeliveryEvent } from './adapter.ts'
import type { MailFlow } from './mail-flow.ts'

/** A running gateway, whatever it is made of. */
export interface Gateway {
  readonly name: string
  readonly version: string
  /** TLS library with version, as far as it is known. */
  readonly library: string
  readonly kind: 'container' | 'embedded' | 'external'
  readonly flow: MailFlow
  readonly inbound: Endpoint
  readonly submission: Endpoint
  /** Why it lacks a capability, or nothing when it has it. */
  lacks(capability: Capability): string | undefined
  /** Everything it said about recipients so far, oldest first. */
  readonly events: readonly DeliveryEvent[]
  watch(watcher: (event: DeliveryEvent) => void): () => void
  /** The product's own log lines that mention `text`, newest last, at most `max`. */
  log(text: string, max?: number): string[]
  /** Asks for another attempt for what is queued for a domain. */
  retry(domain: string): Promise<void>
  stop(): Promise<void>
}

/** The gateway did not start or went away by itself: the run can say nothing about it. */
export class GatewayFailure extends Error {
  override name = 'GatewayFailure'
}
