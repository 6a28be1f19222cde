import type { ServiceText } from '../../mailflow/mail-flow.ts'
import type { Defect } from '../decisions/defect.ts'

/** A gateway with one defect, which the check of one requirement must find. */
export interface Mutant extends Defect {
  /** What the gateway does wrong, beginning with the verb: `delivers in clear …`. */
  name: string
  requirement: string
  /** The gateway stands in for the service as in this text. */
  as?: ServiceText
  /** Part of the verdict's detail: another failure does not count as found. */
  symptom: string | RegExp
  /** Other requirements that the defect breaks as well. */
  explains?: readonly string[]
  /** The suite finds it only by waiting in vain for what the gateway does not do. */
  waits?: true
}

/**
 * A gateway that does not do its work, so that the suite sees nothing forbidden. The suite must not call any refusal
 * under these requirements right.
 */
export interface Omission extends Defect {
  name: string
  requirements: readonly string[]
  /** Words of the steps with the refusals that come from this defect, where not all do. */
  refusals?: RegExp
}
