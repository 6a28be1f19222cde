import type { ImageSource } from '../engine/image.ts'
import type { RunNetwork } from '../engine/run-network.ts'
import type { Capability, SecondServerKind } from '../mailflow/capabilities.ts'
import type { Change } from '../mailflow/changes.ts'
import type { MailFlow, ServiceText } from '../mailflow/mail-flow.ts'
import type { Gateway } from './gateway.ts'
import type { SubmitTls } from './login.ts'

/** Starts the gateways of one product, and knows about them what is known before the start. */
export interface GatewaySource {
  readonly name: string
  readonly kind: Gateway['kind']
  /** What the image of a gateway in a container is built from. */
  image?(): ImageSource
  /** File with the recorded deviations of the product, where it has any. */
  readonly deviations?: string
  /** The mail flow of a gateway that the suite did not start. */
  readonly flow?: MailFlow
  /** It can stand in for the mail service; see `stand-in.ts`. */
  readonly standsIn?: boolean
  /** The text of the service for which it stands in. */
  readonly service?: ServiceText
  /** The text of the service that partners and clients play. */
  readonly peersAs?: ServiceText
  /** Profiles that are judged when the command line names none. Absent: the usual ones. */
  readonly profiles?: readonly string[]
  /**
   * The second servers that the suite can start for the gateway. The capabilities `pair` and `mixed-pair` mean these.
   */
  readonly secondServers?: Partial<Record<SecondServerKind, () => GatewaySource>>
  /** Why the gateway is not tested in a role, or nothing when it is. */
  untested?(role: 'sender' | 'receiver'): string | undefined
  /** Why the suite knows no recipient for whom the gateway accepts mail. Absent: it knows one. */
  readonly recipientUnknown?: string
  /**
   * The gateway remembers what it saw of a domain's servers, so each example gets a second server that no other had.
   */
  readonly remembers?: boolean
  /** The gateway accepts mail for other domains from users alone, who log in inside TLS. */
  readonly login?: boolean
  /** How messages are handed to it, where that is said. */
  readonly submitTls?: SubmitTls
  /** It gives a message up when it is asked to, in place of a number of attempts. */
  readonly expires?: boolean
  /** There is one gateway, which is changed while it runs, and has one set of changes at a time. */
  readonly changesInPlace?: true
  /** Why the gateway cannot be run with a change of the standard mail flow, or nothing when it can. */
  refuses?(change: Change): string | undefined
  /** Why the product lacks a capability, or nothing when it has it. */
  lacks(capability: Capability): string | undefined
  /** Throws GatewayFailure when the gateway does not start. `network`: of a run with a lab in containers. */
  start(flow: MailFlow, network?: RunNetwork): Promise<Gateway>
}
