import { hasEnded, PLACE } from '../life.ts'

/** Labels on everything that a run makes, so that a later run finds what a killed one left. */
export const LABELS = {
  run: 'mail-tls.run',
  /** Of the process, as `life` has it. */
  pid: 'mail-tls.pid',
  /** Where that id means something: `PLACE`. */
  host: 'mail-tls.host',
  /** What a container is in its run: `postfix`, `lab`. */
  name: 'mail-tls.run.name',
  /** In ms since 1970. */
  since: 'mail-tls.since',
} as const

/** When the run that these labels name made what bears them, in ms since 1970. */
export const sinceOf = (labels: Record<string, string>): number => Number(labels[LABELS.since] ?? 0)

/** Whether the run that these labels name has ended without clearing up. */
export const isDead = (labels: Record<string, string>): boolean =>
  hasEnded({
    life: labels[LABELS.pid] ?? '',
    isHere: labels[LABELS.host] === PLACE,
    since: sinceOf(labels),
  })
