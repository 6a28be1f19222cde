import { lives, PLACE } from '../life.ts'

/** Labels on everything that a run makes, so that a later run finds what a killed one left. */
export const LABELS = {
  run: 'mail-tls.run',
  /** Of the process, as `life` has it. */
  pid: 'mail-tls.pid',
  /** Where that id means something: `PLACE`. */
  host: 'mail-tls.host',
  /** In ms since 1970. */
  since: 'mail-tls.since',
} as const

/** Of a run in another place nobody here can tell whether it lives; it is taken for dead after this long, in ms. */
const DAY = 24 * 60 * 60 * 1000

/** Whether the run that these labels name has ended without clearing up. */
export function isDead(labels: Record<string, string>): boolean {
  if (labels[LABELS.host] !== PLACE) return Date.now() - Number(labels[LABELS.since] ?? 0) > DAY
  return !lives(labels[LABELS.pid] ?? '')
}
