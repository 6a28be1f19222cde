import { totals, type Verdict } from './verdict.ts'

/**
 * Exit status of a run (README.md).
 *
 * - 2: nothing can be said. The run is `partial`; or nothing was judged; or the lab failed anywhere, because then what
 *   else was found may be its fault too, so not even a non-conformance is reported as 1; or every example was
 *   inapplicable or inconclusive, `strict` or not.
 * - 1: a non-conformance that is not recorded, or a recorded one that no longer shows; with `strict` also anything
 *   declined or inconclusive.
 * - 0: all else.
 */
export function exitStatus(
  verdicts: readonly Pick<Verdict, 'verdict'>[],
  { strict, partial = false }: { strict: boolean; partial?: boolean },
): 0 | 1 | 2 {
  const count = totals(verdicts)
  if (partial) return 2
  if (count['lab-error'] > 0) return 2
  if (count.inapplicable + count.inconclusive === verdicts.length) return 2
  if (count['non-conformant'] + count.stale > 0) return 1
  if (strict && count.declined + count.inconclusive > 0) return 1
  return 0
}
