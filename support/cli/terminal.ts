import { styleText } from 'node:util'
import type pc from 'picocolors'
import type { VerdictName } from '../verdicts/verdict.ts'

/** How text looks where it is read. */
export interface Look {
  colour: boolean
  columns: number
}

export type Paint = ReturnType<typeof pc.createColors>

/** Text is never narrower, whatever the terminal says about its width. */
export const MIN_COLUMNS = 40
/** Where there is no colour, the mark tells verdicts apart. */
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

/**
 * Whether `out` gets colours, and how many columns it has: 80 where it does not say. Node.js decides on colours: a
 * terminal gets them and a pipe does not, except that NO_COLOR (https://no-color.org), FORCE_COLOR
 * (https://force-color.org) and TERM=dumb are obeyed. picocolors would also colour a pipe in CI.
 */
export function lookOf(out: NodeJS.WriteStream): Look {
  return { colour: styleText('red', 'x', { stream: out }) !== 'x', columns: out.columns ?? 80 }
}

/** Whether `out` is a terminal that can go back and write a line anew. */
export function canRedraw(out: NodeJS.WriteStream): boolean {
  return out.isTTY === true && process.env['TERM'] !== 'dumb' && out.columns > 0 && out.rows > 0
}

export const markOf = (verdict: VerdictName): string => LOOKS[verdict].mark

/** `text` in the colour of a verdict. */
export const painted = (verdict: VerdictName, text: string, paint: Paint): string =>
  paint[LOOKS[verdict].colour](text)
