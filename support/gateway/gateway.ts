import type { DeliveryEvent, SessionWord } from '../evidence/gateway-words.ts'
import type { GatewayFailure } from '../gateway-failure.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'

/** A running gateway: a container, a process of this machine, or a server that the suite did not start. */
export interface Gateway {
  readonly name: string
  readonly version: string
  /** TLS library with its version, as far as that is known. */
  readonly library: string
  readonly kind: 'container' | 'embedded' | 'external'
  readonly flow: MailFlow
  /** Where the gateway accepts mail from other servers. */
  readonly inbound: Endpoint
  /** Other addresses at which the gateway accepts mail from other servers. */
  readonly alsoAt?: readonly Endpoint[]
  /** Where the lab reaches the gateway, if that is another address than `inbound`. */
  readonly inside?: Endpoint
  /** Where the gateway accepts mail that it has to send. */
  readonly submission: Endpoint
  /** Where it accepts mail of users whose TLS begins with the connection: RFC 8314 s3.3. Absent: nowhere. */
  readonly submissions?: Endpoint | undefined
  /**
   * For a gateway that says nothing about its queue: how long after the end of a session with the partner a message
   * counts as held back, in ms.
   */
  readonly settle?: number | undefined
  /**
   * Longest wait for a sign of what becomes of a message, for each attempt, in ms; absent: long enough for any
   * product.
   */
  readonly patience?: number
  /** Everything that the gateway said about recipients so far, oldest first. */
  readonly events: readonly DeliveryEvent[]
  /** Why the gateway ended, if nobody asked it to. */
  readonly end?: GatewayFailure | undefined
  /** Why the suite cannot hear any more what the gateway says, which is no fault of the gateway. */
  readonly fault?: GatewayFailure | undefined
  /** Calls `watcher` after each word about a recipient, and when the gateway ends by itself. */
  watch(watcher: (event?: DeliveryEvent) => void): () => void
  /** What the log says about the TLS of the sessions that mention a text, such as a domain. Oldest first. */
  sessions(text: string): SessionWord[]
  /** The log lines that mention a text, at most `max`, the newest last. */
  log(text: string, max?: number): string[]
  /**
   * Whether a message from or for an address is in the queue; nothing where the suite cannot tell. Absent where it cannot
   * look into the queue.
   */
  holds?(address: string): Promise<boolean | undefined>
  /** Asks the gateway to try queued mail for a domain now. */
  retry(domain: string): Promise<void>
  /** Asks the gateway to give up and return queued mail for a recipient now. Absent: it does so after `flow.attempts`. */
  expire?(recipient: string): Promise<void>
  /** What its file of trusted roots holds now, in PEM. Absent where the suite cannot look: as `flow.trust` says. */
  trusted?(): Promise<string>
  /**
   * The machine of the gateway fetches its trusted roots from a URL, as the updates of a system do, and has the gateway read
   * them; where there are no roots, it keeps those that it has. Absent: its machine is that of the suite.
   */
  refreshRoots?(url: string): Promise<void>
  /** Gives the running gateway another mail flow. Its addresses and its queue stay. */
  change(flow: MailFlow): Promise<void>
  stop(): Promise<void>
}
