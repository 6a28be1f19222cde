import { clipped, visible } from '../report/visible.ts'

/** In characters. */
const LONGEST = 4_000

/**
 * Prints what went wrong on standard error. Every line begins with the name of the command, and no control character
 * reaches the terminal.
 */
export function complain(message: string): void {
  console.error(visible(clipped(message, LONGEST)).replace(/^/gm, 'mail-tls: '))
}
