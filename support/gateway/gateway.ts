import type { RunNetwork } from '../engine/run-network.ts'
import type { GatewayFailure } from '../gateway-failure.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import type { FlowVariant } from '../mailflow/standard-flow.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'
import type { Capability, DeliveryEvent, SessionWord } from './adapter.ts'

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
  /** Longest wait for a sign of what becomes of a message, for each attempt, in ms; absent: long enough for any product. */
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

/** Kinds of a second server, in the words of the features. */
export const PEER_KINDS = ['the same kind', 'another kind'] as const
export type PeerKind = (typeof PEER_KINDS)[number]

/** Where the gateways of one product come from. */
export interface GatewaySource {
  readonly name: string
  readonly kind: Gateway['kind']
  /** File with the recorded deviations of the product, where it has any. */
  readonly deviations?: string
  /** What the gateway is told already, where the suite does not tell it. */
  readonly flow?: MailFlow
  /** Profiles to judge when the command line names none; absent: the usual ones. */
  readonly profiles?: readonly string[]
  /** Second servers with which it exchanges mail; from them alone follow the capabilities `pair` and `mixed-pair`. */
  readonly peers?: Partial<Record<PeerKind, () => GatewaySource>>
  /** Why nothing is tested of it in a role, or nothing when it is. */
  untested?(role: 'sender' | 'receiver'): string | undefined
  /** It keeps what it saw of a domain's servers for later messages, so each example has a second server of its own. */
  readonly remembers?: boolean
  /** It takes mail for sending on from users alone, who log in inside TLS. */
  readonly login?: boolean
  /** Why it cannot be run with a variant of the standard flow, or nothing when it can. */
  refuses?(variant: FlowVariant): string | undefined
  /** Why the product lacks a capability of its own, or nothing when it has it. */
  lacks(capability: Capability): string | undefined
  /** Throws GatewayFailure when it does not come up. `network`: of the run, where its lab is in containers. */
  start(flow: MailFlow, network?: RunNetwork): Promise<Gateway>
}
