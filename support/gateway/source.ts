import type { RunNetwork } from '../engine/run-network.ts'
import type { Capability, SecondServerKind } from '../mailflow/capabilities.ts'
import type { Change } from '../mailflow/changes.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import type { Gateway } from './gateway.ts'

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
  readonly secondServers?: Partial<Record<SecondServerKind, () => GatewaySource>>
  /** Why nothing is tested of it in a role, or nothing when it is. */
  untested?(role: 'sender' | 'receiver'): string | undefined
  /**
   * It keeps what it saw of a domain's servers for later messages, so each example has a second server of its own.
   */
  readonly remembers?: boolean
  /** It takes mail for sending on from users alone, who log in inside TLS. */
  readonly login?: boolean
  /** Why the gateway cannot be run with a change of the standard mail flow, or nothing when it can. */
  refuses?(change: Change): string | undefined
  /** Why the product lacks a capability of its own, or nothing when it has it. */
  lacks(capability: Capability): string | undefined
  /** Throws GatewayFailure when it does not come up. `network`: of the run, where its lab is in containers. */
  start(flow: MailFlow, network?: RunNetwork): Promise<Gateway>
}
