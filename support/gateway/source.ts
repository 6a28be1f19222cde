import type { RunNetwork } from '../engine/run-network.ts'
import type { Capability, SecondServerKind } from '../mailflow/capabilities.ts'
import type { Change } from '../mailflow/changes.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import type { Gateway } from './gateway.ts'

/** Starts the gateways of one product, and knows about them what is known before the start. */
export interface GatewaySource {
  readonly name: string
  readonly kind: Gateway['kind']
  /** File with the recorded deviations of the product, where it has any. */
  readonly deviations?: string
  /** The mail flow of a gateway that the suite did not start. */
  readonly flow?: MailFlow
  /** Profiles that are judged when the command line names none. Absent: the usual ones. */
  readonly profiles?: readonly string[]
  /**
   * The second servers that the suite can start for the gateway. The capabilities `pair` and `mixed-pair` mean these.
   */
  readonly secondServers?: Partial<Record<SecondServerKind, () => GatewaySource>>
  /** Why the gateway is not tested in a role, or nothing when it is. */
  untested?(role: 'sender' | 'receiver'): string | undefined
  /**
   * The gateway remembers what it saw of a domain's servers, so each example gets a second server that no other had.
   */
  readonly remembers?: boolean
  /** The gateway accepts mail for other domains from users alone, who log in inside TLS. */
  readonly login?: boolean
  /** Why the gateway cannot be run with a change of the standard mail flow, or nothing when it can. */
  refuses?(change: Change): string | undefined
  /** Why the product lacks a capability, or nothing when it has it. */
  lacks(capability: Capability): string | undefined
  /** Throws GatewayFailure when the gateway does not start. `network`: of a run with a lab in containers. */
  start(flow: MailFlow, network?: RunNetwork): Promise<Gateway>
}
