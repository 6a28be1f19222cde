import pc from 'picocolors'
import { BY_URGENCY, type Finding, type Findings } from '../report/findings.ts'
import { clipped, visibleLine } from '../report/visible.ts'
import { counted } from '../report/words.ts'
import { totals, type VerdictName, withoutReason } from '../verdicts/verdict.ts'

type Paint = ReturnType<typeof pc.createColors>

/** A terminal that says it is narrower than this, or has no width at all, is not believed. */
export const MIN_COLUMNS = 40
/** More than these belongs in the report. */
const LISTED = 20

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

const MEANS: Record<VerdictName, string> = {
  conformant: 'kept, and the wire shows it',
  'non-conformant': 'a must is broken, and that is not recorded',
  deviates: 'broken in the way that is recorded',
  stale: 'recorded as broken, but that no longer shows',
  declined: 'optional and not followed, or a fact that differs',
  inapplicable: 'not run: the gateway does not claim it',
  inconclusive: 'could not be decided',
  'lab-error': 'the lab failed, which says nothing of the gateway',
}

/** What an administrator reads at the end of a run, in lines of at most `columns`, or 40 where that is less. */
export function terminalSummary(
  findings: Findings,
  { colour, columns, report }: { colour: boolean; columns: number; report: string },
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
    unseen.length === 0
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

function countsTable({ counts }: Findings, width: number, paint: Paint): string {
  const given = BY_URGENCY.filter(verdict => counts[verdict] > 0)
  const digits = Math.max(...given.map(verdict => `${counts[verdict]}`.length))
  const words = Math.max(...given.map(verdict => verdict.length))
  const indent = digits + words + 6
  return given
    .map(verdict => {
      const word = painted(verdict, `${markOf(verdict)} ${verdict.padEnd(words)}`, paint)
      const count = `${counts[verdict]}`.padStart(digits)
      return `${count}  ${word}  ${wrapped(MEANS[verdict], width, indent)}`
    })
    .join('\n')
}

function attentionItem({ verdict, id, deciding }: Finding, width: number, paint: Paint): string {
  const name = fitted(visibleLine(id), 16)
  const mark = painted(verdict, `${markOf(verdict)} ${verdict}`, paint)
  const detail = visibleLine(clipped(withoutReason(deciding.judged.detail), 400))
  const start = verdict.length + columnsOf(name) + 5
  return `${mark} ${paint.bold(name)}: ${wrapped(detail, width, 4, start)}`
}

function exitLine({ exit, record }: Findings, width: number, paint: Paint): string {
  const status = (exit === 0 ? paint.green : exit === 1 ? paint.red : paint.magenta)(paint.bold(`${exit}`))
  return `${status}  ${wrapped(exitMeaning(exit, totals(record.verdicts), record.strict ?? false), width, 13, 16)}`
}

function exitMeaning(exit: 0 | 1 | 2, count: Record<VerdictName, number>, strict: boolean): string {
  if (exit === 0) return 'nothing that must hold is broken, except what is recorded.'
  if (exit === 1)
    return `${listed([
      ...(count['non-conformant'] > 0
        ? ['something that must hold is broken, and that is not recorded']
        : []),
      ...(count.stale > 0 ? ['a recorded deviation no longer shows, so its entry should go'] : []),
      ...(strict && count.declined + count.inconclusive > 0
        ? ['--strict allows nothing declined or inconclusive']
        : []),
    ])}.`
  if (count['lab-error'] > 0)
    return 'nothing can be said: the lab failed, and what else was found may be its fault too.'
  if (Object.values(count).every(n => n === 0)) return 'nothing can be said: no example ran.'
  return 'nothing can be said: no example applied and could be decided.'
}

const listed = (parts: string[]): string => parts.join('; ')

const each = (text: string, decorate: (line: string) => string): string =>
  text.split('\n').map(decorate).join('\n')

export const markOf = (verdict: VerdictName): string => LOOKS[verdict].mark

/** `text` in the colour of a verdict. */
export const painted = (verdict: VerdictName, text: string, paint: Paint): string =>
  paint[LOOKS[verdict].colour](text)

/** East Asian wide and full-width characters, and pictures. */
const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2329\u232a\u2630-\u2637\u268a-\u268f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d376}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]/u
/** Takes no room of its own; after U+FE0F the character before is drawn as a picture. */
const ATTACHED = /[[\p{Mn}\p{Me}]--\ufe0f]/v

/**
 * Columns that text without control characters takes at most. Terminals differ in a few characters; those count as
 * their widest.
 */
export function columnsOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let columns = 0
  for (const character of text) columns += WIDE.test(character) ? 2 : ATTACHED.test(character) ? 0 : 1
  return columns
}

/** Text that takes at most `columns`, ending in `…` where it was cut. */
export function fitted(text: string, columns: number): string {
  let used = 0
  let end = 0
  let cut = 0
  for (const character of text) {
    used += columnsOf(character)
    if (used > columns) return `${text.slice(0, cut)}…`
    end += character.length
    if (used < columns) cut = end
  }
  return text
}

/**
 * Lines of at most `columns`. The first goes on at column `start`; the others begin with `indent` blanks. A word that
 * is longer than a line is broken.
 */
export function wrapped(text: string, columns: number, indent = 0, start = indent): string {
  const lines = ['']
  let used = start
  const append = (piece: string, size: number) => {
    lines[lines.length - 1] += piece
    used += size
  }
  const next = () => {
    lines.push(' '.repeat(indent))
    used = indent
  }
  let blank = 0
  for (const word of text.trim().split(/\s+/)) {
    const size = columnsOf(word)
    if (used + blank + size > columns && used > indent) next()
    else if (blank) append(' ', 1)
    if (used + size <= columns) append(word, size)
    else
      for (const character of word) {
        const step = columnsOf(character)
        if (used + step > columns) next()
        append(character, step)
      }
    blank = 1
  }
  return lines.join('\n')
}
