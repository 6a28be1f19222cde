import type pc from 'picocolors'
import type { VerdictName } from '../verdicts/verdict.ts'

/** How text is to look where it is read. */
export interface Look {
  colour: boolean
  columns: number
}

export type Paint = ReturnType<typeof pc.createColors>

/** A terminal that says it is narrower than this, or has no width at all, is not believed. */
export const MIN_COLUMNS = 40
/** The mark tells verdicts apart where there is no colour. */
const LOOKS: Record<VerdictName, { mark: string; colour: 'red' | 'yellow' | 'green' | 'magenta' | 'dim' }> = {
  conformant: { mark: '✓', colour: 'green' },
  'non-conformant': { mark: '✗', colour: 'red' },
  deviates: { mark: '≈', colour: 'yellow' },
  stale: { mark: '✗', colour: 'red' },
  declined: { mark: '~', colour: 'yellow' },
  inapplicable: { mark: '-', colour: 'dim' },
  inconclusive: { mark: '?', colour: 'yellow' },
  'lab-error': { mark: '!', colour: 'magenta' },
}

/** Colour on a terminal alone, and not where NO_COLOR is set (https://no-color.org); 80 columns where nobody says. */
export function lookOf(out: NodeJS.WriteStream): Look {
  // A pipe has no `isTTY` at all, and for a colour that is not said picocolors decides: in CI it says yes.
  return { colour: out.isTTY === true && !process.env['NO_COLOR'], columns: out.columns ?? 80 }
}

export const markOf = (verdict: VerdictName): string => LOOKS[verdict].mark

/** `text` in the colour of a verdict. */
export const painted = (verdict: VerdictName, text: string, paint: Paint): string =>
  paint[LOOKS[verdict].colour](text)
