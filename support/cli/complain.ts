import { clipped, visible } from '../report/visible.ts'

/** Of one message, in characters. */
const LONGEST = 4_000

/** What went wrong, on standard error: every line under our name, and nothing in it that a terminal would obey. */
export function complain(message: string): void {
  console.error(visible(clipped(message, LONGEST)).replace(/^/gm, 'mail-tls: '))
}
