import pc from 'picocolors'
import { linesOf } from '../catalogue/remedies.ts'
import { counted } from '../quantities.ts'
import { triedIn } from '../report/circumstances.ts'
import type { CauseFinding, Finding, Findings } from '../report/findings.ts'
import { toDoAbout } from '../report/remedy.ts'
import type { RunRecord } from '../report/run-record.ts'
import { sinceTold } from '../report/since.ts'
import { clipped, visibleLine } from '../report/visible.ts'
import { SHORT_MEANINGS } from '../report/words.ts'
import { expectedOf } from '../verdicts/expected-outcome.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { BY_URGENCY, isBroken, totals, type VerdictName, withoutReason } from '../verdicts/verdict.ts'
import { fitted, wrapped } from './columns.ts'
import { differenceText } from './diff.ts'
import { type Look, MIN_COLUMNS, markOf, type Paint, painted } from './terminal.ts'

/** The terminal lists so many requirements; the report has all. */
const LISTED = 20

/** Of each kind of change. */
const CHANGES = 10

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
  const { headline, causes, unexplained, unseen, record, again } = findings
  const { gateway } = record
  const more = unexplained.length - LISTED
  // What is in the way was said when the run ended.
  const setUp = record.setUp !== undefined
  const blocks = [
    setUp ? '' : each(wrapped(`${visibleLine(clipped(headline, 500))}.`, width), paint.bold),
    countsTable(findings, width, paint),
    setUp || causes.length + unexplained.length === 0
      ? ''
      : [
          paint.bold('What needs attention'),
          ...causes.map(cause => causeItem(cause, gateway.name, width, paint)),
          ...unexplained.slice(0, LISTED).map(finding => attentionItem(finding, gateway.name, width, paint)),
          ...(more > 0 ? [paint.dim(`and ${more} more in the report`)] : []),
        ].join('\n'),
    again === undefined ? '' : wrapped(visibleLine(clipped(again, 600)), width),
    since(findings, { colour, columns }, width, paint),
    circumstances(findings, width, paint),
    setUp || unseen.length === 0 || chosen
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

function since({ record: { since } }: Findings, look: Look, width: number, paint: Paint): string {
  if (!since) return ''
  const title = wrapped(`${visibleLine(clipped(sinceTold(since), 400))}:`, width)
  return [each(title, paint.bold), differenceText(since.changes, { ...look, most: CHANGES }).trimEnd()].join(
    '\n',
  )
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

function attentionItem(
  { verdict, id, deciding, requirement }: Finding,
  gateway: string,
  width: number,
  paint: Paint,
): string {
  const name = fitted(visibleLine(id), 16)
  const mark = painted(verdict, `${markOf(verdict)} ${verdict}`, paint)
  const { title, control } = deciding.judged
  const told = `${control ? 'the control fails: ' : ''}${visibleLine(clipped(title, 200))}`
  return [
    wrapped(`${mark} ${paint.bold(name)}  ${told}`, width, 4),
    ...apart(deciding.judged, width, paint),
    // Where a control fails, the requirement is not what is broken: its statement may say the opposite.
    ...(requirement && !control && verdict !== 'deviates' && isBroken(deciding.judged)
      ? [labelled('required', requirement.statement, width, paint)]
      : []),
    ...toDo(deciding.judged, gateway, width, paint),
  ].join('\n')
}

/** Of what stands behind a label. */
const INDENT = 14

/** What to do about it, with the lines for the files of a product that comes with the suite. */
function toDo(judged: RecordedVerdict, gateway: string, width: number, paint: Paint): string[] {
  const found = toDoAbout(judged, gateway)
  if (!found) return []
  const { sentence, settings, own } = found
  const lines = (own ? settings : []).flatMap(linesOf)
  return [
    labelled('to do', sentence, width, paint),
    ...lines.map(line => `${' '.repeat(INDENT)}${wrapped(line, width, INDENT)}`),
  ]
}

/** What was expected, and what was seen. */
function apart(judged: RecordedVerdict, width: number, paint: Paint): string[] {
  const expected = expectedOf(judged)
  return [
    ...(expected === undefined ? [] : [labelled('expected', expected, width, paint)]),
    labelled('seen', withoutReason(judged.detail), width, paint),
  ]
}

const labelled = (label: string, text: string, width: number, paint: Paint): string =>
  `    ${paint.dim(label.padEnd(8))}  ${wrapped(visibleLine(clipped(text, 400)), width, INDENT)}`

/** The cause first, then the requirements that it explains. */
function causeItem(
  { sentence, word, looks, kind, examples }: CauseFinding,
  gateway: string,
  width: number,
  paint: Paint,
): string {
  const mark = painted(looks, `${markOf(looks)} ${word}`, paint)
  const item = wrapped(`${mark}  ${paint.bold(visibleLine(clipped(sentence, 600)))}`, width, 4)
  const ids = examples.map(({ judged }) => visibleLine(judged.requirement)).join(' ')
  const [first] = examples
  if (kind === 'warning' || !first) return item
  return [
    item,
    paint.dim(`    ${wrapped(ids, width, 4)}`),
    ...apart(first.judged, width, paint),
    ...toDo(first.judged, gateway, width, paint),
  ].join('\n')
}

function exitLine({ exit, record, interrupted, cautions }: Findings, width: number, paint: Paint): string {
  const good = cautions.length > 0 ? paint.yellow : paint.green
  const status = (exit === 0 ? good : exit === 1 ? paint.red : paint.magenta)(paint.bold(`${exit}`))
  const meaning = interrupted
    ? `Nothing can be said about the gateway: ${record.missing ? 'a part of the run is missing' : 'the run was interrupted'}.`
    : exitMeaning(exit, record)
  return wrapped(
    [`${status}  ${meaning}`, ...cautions.map(one => `But ${visibleLine(one)}.`)].join(' '),
    width,
    13,
  )
}

function exitMeaning(exit: 0 | 1 | 2, { setUp, strict, verdicts }: RunRecord): string {
  if (setUp !== undefined) return 'Nothing can be said about the gateway: its set-up is in the way.'
  const count = totals(verdicts)
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
