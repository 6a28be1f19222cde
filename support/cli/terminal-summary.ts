import pc from 'picocolors'
import { counted } from '../quantities.ts'
import { triedIn } from '../report/circumstances.ts'
import { BY_URGENCY, type Finding, type Findings } from '../report/findings.ts'
import { clipped, visibleLine } from '../report/visible.ts'
import { SHORT_MEANINGS } from '../report/words.ts'
import { totals, type VerdictName, withoutReason } from '../verdicts/verdict.ts'
import { fitted, wrapped } from './columns.ts'
import { type Look, MIN_COLUMNS, markOf, type Paint, painted } from './terminal.ts'

/** The terminal lists so many requirements; the report has all. */
const LISTED = 20

/**
 * What a person reads at the end of a run, in lines of at most `columns`, but of at least 40. With `chosen`, the person
 * has chosen the requirements and knows that others did not run.
 */
export function terminalSummary(
  findings: Findings,
  { colour, columns, report, chosen = false }: Look & { report: string; chosen?: boolean },
): string {
  const paint = pc.createColors(colour)
  const width = Math.max(columns, MIN_COLUMNS)
  const { headline, attention, unseen } = findings
  const more = attention.length - LISTED
  const blocks = [
    each(wrapped(`${visibleLine(clipped(headline, 500))}.`, width), paint.bold),
    countsTable(findings, width, paint),
    attention.length === 0
      ? ''
      : [
          paint.bold('What needs attention'),
          ...attention.slice(0, LISTED).map(finding => attentionItem(finding, width, paint)),
          ...(more > 0 ? [paint.dim(`and ${more} more in the report`)] : []),
        ].join('\n'),
    circumstances(findings, width, paint),
    unseen.length === 0 || chosen
      ? ''
      : wrapped(
          `${counted(unseen.length, 'requirement')} of these profiles ${unseen.length === 1 ? 'was' : 'were'} not part of this run.`,
          width,
        ),
    [
      `${paint.dim('Exit status')}  ${exitLine(findings, width, paint)}`,
      `${paint.dim('Report')}       ${wrapped(visibleLine(report), width, 13)}`,
    ].join('\n'),
  ]
  return `\n${blocks.filter(Boolean).join('\n\n')}\n`
}

function circumstances({ record }: Findings, width: number, paint: Paint): string {
  const told = triedIn(record).join(' ')
  return told === '' ? '' : wrapped(`${paint.dim('Circumstances')}  ${visibleLine(told)}`, width)
}

function countsTable({ counts }: Findings, width: number, paint: Paint): string {
  const given = BY_URGENCY.filter(verdict => counts[verdict] > 0)
  const digits = Math.max(...given.map(verdict => `${counts[verdict]}`.length))
  const words = Math.max(...given.map(verdict => verdict.length))
  const indent = digits + words + 6
  return given
    .map(verdict => {
      const word = painted(verdict, `${markOf(verdict)} ${verdict.padEnd(words)}`, paint)
      const count = `${counts[verdict]}`.padStart(digits)
      return `${count}  ${word}  ${wrapped(SHORT_MEANINGS[verdict], width, indent)}`
    })
    .join('\n')
}

function attentionItem({ verdict, id, deciding }: Finding, width: number, paint: Paint): string {
  const name = fitted(visibleLine(id), 16)
  const mark = painted(verdict, `${markOf(verdict)} ${verdict}`, paint)
  const { title, detail: told } = deciding.judged
  const detail = visibleLine(clipped(`${title ? `${title}: ` : ''}${withoutReason(told)}`, 400))
  return wrapped(`${mark} ${paint.bold(name)}  ${detail}`, width, 4)
}

function exitLine({ exit, record, interrupted }: Findings, width: number, paint: Paint): string {
  const status = (exit === 0 ? paint.green : exit === 1 ? paint.red : paint.magenta)(paint.bold(`${exit}`))
  return wrapped(
    `${status}  ${interrupted ? 'Nothing can be said about the gateway: the run was interrupted.' : exitMeaning(exit, totals(record.verdicts), record.strict)}`,
    width,
    13,
  )
}

function exitMeaning(exit: 0 | 1 | 2, count: Record<VerdictName, number>, strict: boolean): string {
  if (exit === 0) return 'The gateway breaks no must, except what is recorded.'
  if (exit === 1)
    return [
      ...(count['non-conformant'] > 0 ? ['The gateway breaks a must, and that is not recorded.'] : []),
      ...(count.stale > 0 ? ['A recorded deviation no longer shows: remove its entry.'] : []),
      ...(strict && count.declined + count.inconclusive > 0
        ? ['With --strict, nothing may be declined or inconclusive.']
        : []),
    ].join(' ')
  return `Nothing can be said about the gateway: ${whyNothing(count)}`
}

function whyNothing(count: Record<VerdictName, number>): string {
  if (count['lab-error'] > 0) return 'the lab failed, and this may have caused the other findings, too.'
  if (Object.values(count).every(n => n === 0)) return 'no example ran.'
  return 'no example applied and could be decided.'
}

const each = (text: string, decorate: (line: string) => string): string =>
  text.split('\n').map(decorate).join('\n')
