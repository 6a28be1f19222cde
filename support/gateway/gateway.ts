import type { DeliveryEvent, SessionWord } from '../evidence/words.ts'
import type { GatewayFailure } from '../gateway-failure.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'

/** A running gateway, whatever it is made of. */
export interface Gateway {
  readonly name: string
  readonly version: string
  /** TLS library with version, as far as it is known. */
  readonly library: string
  readonly kind: 'container' | 'embedded' | 'external'
  readonly flow: MailFlow
  /** Where it takes mail from other servers. */
  readonly inbound: Endpoint
  /** Other addresses at which it does. */
  readonly alsoAt?: readonly Endpoint[]
  /** Where the lab reaches `inbound`, when that is elsewhere than for this process. */
  readonly inside?: Endpoint
  /** Where it takes mail that it is to send on. */
  readonly submission: Endpoint
  /**
   * For a gateway that says nothing about its queue: how long after the end of a session with the partner a message
   * counts as held back, in ms.
   */
  readonly settle?: number
  /**
   * Longest wait for a sign of what becomes of a message, for each attempt, in ms; absent: long enough for any
   * product.
   */
  readonly patience?: number
  /** Everything it said about recipients so far, oldest first. */
  readonly events: readonly DeliveryEvent[]
  /** Why it is not there any more, though nobody asked it to end. */
  readonly end?: GatewayFailure | undefined
  /** Calls `watcher` after each word on a recipient, and when it ends by itself. */
  watch(watcher: (event?: DeliveryEvent) => void): () => void
  /** What its log says about the TLS of sessions that the text singles out: a domain, a host name. Oldest first. */
  sessions(text: string): SessionWord[]
  /** The product's own log lines that mention `text`, newest last, at most `max`. */
  log(text: string, max?: number): string[]
  /** Whether a message from or for an address is in its queue; absent where nobody can look into that. */
  holds?(address: string): Promise<boolean>
  /** Asks for another attempt for what is queued for a domain. */
  retry(domain: string): Promise<void>
  /** Goes on with another mail flow in the same place; what is queued stays. */
  change(flow: MailFlow): Promise<void>
  stop(): Promise<void>
}
