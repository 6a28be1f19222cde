import { recordedDeviation, staleDeviations, staleVerdicts } from './deviations.ts'
import { broken } from './observation.ts'
import type { RecordedVerdict } from './recorded-verdict.ts'
import { type Deviation, ENDED_BY_ITSELF, isBroken, judge, withoutReason } from './verdict.ts'

/**
 * The verdicts of a run as they are with other recorded deviations, of which `applicable` are those for the gateway's
 * version. `whole`: all examples were to run, so that an entry can be stale.
 */
export function rejudged(
  verdicts: readonly RecordedVerdict[],
  applicable: readonly Deviation[],
  { whole }: { whole: boolean },
): RecordedVerdict[] {
  const again = verdicts
    .filter(({ verdict }) => verdict !== 'stale')
    .map(one => (isBroken(one) ? withDeviation(one, applicable) : one))
  const stale = whole ? staleVerdicts(staleDeviations(applicable, again), again) : []
  return [...again, ...stale.map(one => ({ ...one, seen: { conversations: [], notes: [], steps: [] } }))]
}

function withDeviation(one: RecordedVerdict, applicable: readonly Deviation[]): RecordedVerdict {
  const { deviation: _, ...rest } = one
  const observation = broken(withoutReason(one.detail), one.symptom)
  const deviation = recordedDeviation(applicable, { ...observation, requirement: one.requirement })
  // No example may bring a mail server down, whatever the level of its requirement.
  const level = one.symptom === ENDED_BY_ITSELF ? 'must' : one.level
  return { ...rest, ...judge({ level, observation, ...(deviation ? { deviation } : {}) }) }
}
