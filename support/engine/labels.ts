import type { Leftover } from '../leftovers.ts'
import { hasEnded, PID_SCOPE } from '../process-id.ts'

/** Labels on everything that a run makes in the engine, so that a later run finds what a killed run has left. */
export const LABELS = {
  run: 'mail-tls.run',
  /** The id of the run's process, from `uniqueProcessId`. */
  pid: 'mail-tls.pid',
  /** The scope of this id, which is `PID_SCOPE`. */
  host: 'mail-tls.host',
  /** What a container is in its run: `postfix`, `lab`. */
  name: 'mail-tls.run.name',
  /** In ms since 1970. */
  since: 'mail-tls.since',
} as const

/** Something on the engine that a killed run has left; `run` is the id of the run. */
export type EngineLeftover = Leftover & { run: string }

/** What killed runs have left, among all that has the label of a run. */
export function leftoversAmong(
  found: readonly (Pick<Leftover, 'kind' | 'name'> & {
    Labels?: Record<string, string> | null | undefined
  })[],
): EngineLeftover[] {
  return found.flatMap(({ kind, name, Labels }) => {
    const labels = Labels ?? {}
    if (!isDead(labels)) return []
    const what = labels[LABELS.name]
    const shown = what === undefined ? name : `${name} (${what})`
    return [{ kind, name: shown, since: sinceOf(labels), run: labels[LABELS.run]! }]
  })
}

/** When the run made what has these labels, in ms since 1970. */
const sinceOf = (labels: Record<string, string>): number => Number(labels[LABELS.since] ?? 0)

/** Whether the run that these labels name has ended. */
export const isDead = (labels: Record<string, string>): boolean =>
  hasEnded({
    id: labels[LABELS.pid] ?? '',
    isHere: labels[LABELS.host] === PID_SCOPE,
    since: sinceOf(labels),
  })
