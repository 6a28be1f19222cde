import pc from 'picocolors'
import { jsonText } from '../json-text.ts'
import { counted } from '../quantities.ts'
import { CHANGE_KINDS, type Change, DIFFERENCE_TITLES, type Difference, difference } from '../report/diff.ts'
import { verdictsIn } from '../report/read.ts'
import type { VerdictsDocument } from '../report/run-record.ts'
import { clipped, visibleLine } from '../report/visible.ts'
import { withoutReason } from '../verdicts/verdict.ts'
import { wrapped } from './columns.ts'
import { complain } from './complain.ts'
import { type Look, lookOf, MIN_COLUMNS, type Paint, painted } from './terminal.ts'

/**
 * Prints what changed from one report to a later one. Returns the exit status: 1 where something got worse, 2 where one of
 * the runs says nothing about its gateway. Throws InputError for a folder that is no report.
 */
export function diff(before: string, after: string, { json = false }: { json?: boolean }): 0 | 1 | 2 {
  const [old, now] = [verdictsIn(before), verdictsIn(after)]
  for (const [dir, { partial, exit }] of [
    [before, old],
    [after, now],
  ] as const)
    if (partial || exit === 2)
      complain(`${dir}: ${partial ? 'this report is partial' : 'this run says nothing about its gateway'}`)
  const found = difference(old, now)
  const exit = old.exit === 2 || now.exit === 2 ? 2 : found.worse.length > 0 ? 1 : 0
  process.stdout.write(
    json
      ? jsonText({ schema: 1, exit, before: headOf(old), after: headOf(now), ...found })
      : differenceText(found, lookOf(process.stdout)),
  )
  return exit
}

const headOf = ({ gateway, suite, startedAt, totals }: VerdictsDocument) => ({
  gateway,
  suite,
  startedAt,
  totals,
})

/** In lines of at most `columns`, but of at least 40. Names at most so many examples of each kind. */
export function differenceText(
  found: Difference,
  { colour, columns, most = Number.POSITIVE_INFINITY }: Look & { most?: number },
): string {
  const paint = pc.createColors(colour)
  const width = Math.max(columns, MIN_COLUMNS)
  const blocks = CHANGE_KINDS.filter(kind => found[kind].length > 0).map(kind => {
    const all = kind === 'gained' ? [] : found[kind]
    return [
      paint.bold(`${DIFFERENCE_TITLES[kind]}: ${counted(found[kind].length, 'example')}`),
      ...all.slice(0, most).map(change => line(change, width, paint)),
      ...(all.length > most ? [paint.dim(`and ${all.length - most} more in the report`)] : []),
    ].join('\n')
  })
  return `${blocks.length > 0 ? blocks.join('\n\n') : 'Nothing changed.'}\n`
}

function line({ requirement, title, before, after }: Change, width: number, paint: Paint) {
  const word = (one: Change['before']) =>
    one ? painted(one.verdict, one.verdict, paint) : paint.dim('not in the run')
  const seen = after ?? before!
  const told = [title, withoutReason(seen.detail)].filter(Boolean).join(': ')
  const text = visibleLine(clipped(told, 400))
  return wrapped(
    `${paint.bold(visibleLine(requirement))}  ${word(before)} → ${word(after)}  ${text}`,
    width,
    4,
  )
}
