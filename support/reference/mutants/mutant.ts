import type { Defects } from '../defects.ts'

/** A gateway with one planted defect, which a check of one requirement must find. */
export interface Mutant {
  /** What it does wrong, as the subject's verb: `delivers in clear …`. */
  name: string
  requirement: string
  defects: Defects
  /** Part of the verdict's detail: the wrong failure is not found. */
  symptom: string | RegExp
  /** Even the example in which everything is well is broken by it. */
  breaksControl?: true
  /** Other requirements that the defect honestly breaks as well. */
  explains?: readonly string[]
  /** It is found only by waiting in vain for what it leaves undone. */
  waits?: true
}

/**
 * A gateway that fails to do its work, so that nothing forbidden is seen. None of the refusals of these requirements may
 * be taken for a right one.
 */
export interface Omission {
  name: string
  requirements: readonly string[]
  defects: Defects
  /** Refusals that are this defect's, where not all are: words of their steps. */
  refusals?: RegExp
}
