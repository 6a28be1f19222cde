import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AREAS, type Requirement } from '../catalogue/catalogue.ts'
import { counted, day } from '../quantities.ts'
import { BY_URGENCY, type VerdictName } from '../verdicts/verdict.ts'
import { CHANGE_KINDS, CHANGE_WORDS, type Difference } from './diff.ts'
import { endsOf } from './headline.ts'
import type { VerdictsDocument } from './run-record.ts'
import { sinceInShort } from './since.ts'
import { markdown, markup } from './templates.ts'
import { clipped } from './visible.ts'
import { AREA_TITLES, MEANINGS, OUTCOMES } from './words.ts'

/** One gateway of a matrix: its verdicts, or why there are none. */
export type Column = { name: string; folder: string } & ({ document: VerdictsDocument } | { failure: string })

export interface Cell {
  /** Absent where the requirement was not judged for this gateway. */
  verdict?: VerdictName
  detail?: string
  /** Leads to the requirement in the gateway's own report; relative to the matrix. */
  link?: string
  /** What became of its examples since the earlier run, the worst; absent where nothing did, or no run was named. */
  change?: keyof Difference
}

export interface Row {
  id: string
  area: string
  level: string
  statement: string
  /** Whether the gateways that it was judged for have different verdicts. */
  differs: boolean
  cells: Cell[]
}

export interface Matrix {
  suite: { name: string; version: string; commit: string }
  /** `2026-11-24` */
  day: string
  columns: {
    name: string
    version: string
    library: string
    folder: string
    exit: 0 | 1 | 2
    /** Whether declined and inconclusive verdicts fail the run. Absent where there is no run. */
    strict?: boolean
    profiles?: string[]
    /** `passed`, `not passed`, `no result`, or `partial` of a run that was interrupted. */
    outcome: string
    failure?: string
    /** What changed since the earlier run, in the middle of a sentence; absent where none was named. */
    since?: string
    /** What is said first of a gateway that ended by itself, in a sentence. */
    ended?: string
  }[]
  /** Rows that fail a run come first, then rows in which gateways differ; rows alike are in the order of their areas. */
  rows: Row[]
}

/** Requirements by gateways. As in a report, the most urgent verdict among its examples decides for a requirement. */
export function matrixOf(
  columns: readonly Column[],
  requirements: readonly Requirement[],
  about: { suite: Matrix['suite']; at: Date },
): Matrix {
  const judged = columns.map(column => ('document' in column ? worstOf(column) : new Map<string, Cell>()))
  const rows = requirements.flatMap(({ id, area, level, statement }) => {
    const cells = judged.map(cells => cells.get(id) ?? {})
    const verdicts = new Set(cells.flatMap(({ verdict }) => verdict ?? []))
    return verdicts.size === 0 ? [] : [{ id, area, level, statement, differs: verdicts.size > 1, cells }]
  })
  return {
    suite: about.suite,
    day: about.at.toISOString().slice(0, 10),
    columns: columns.map(column => ({
      name: column.name,
      folder: column.folder,
      version: 'document' in column ? column.document.gateway.version : '',
      library: 'document' in column ? column.document.gateway.library : '',
      ...outcomeOf(column),
      ...('document' in column ? { strict: column.document.strict, profiles: column.document.profiles } : {}),
      ...('failure' in column ? { failure: column.failure } : { ...sinceOf(column), ...endOf(column) }),
    })),
    rows: rows.sort((a, b) => rank(a) - rank(b) || area(a) - area(b)),
  }
}

function sinceOf({ document: { since } }: Column & { document: VerdictsDocument }): { since?: string } {
  return since ? { since: sinceInShort(since) } : {}
}

function endOf({ name, document }: Column & { document: VerdictsDocument }): { ended?: string } {
  const [ended] = endsOf(name, document.verdicts)
  return ended === undefined ? {} : { ended }
}

function outcomeOf(column: Column): { exit: 0 | 1 | 2; outcome: string } {
  const exit = 'document' in column ? column.document.exit : 2
  return { exit, outcome: 'document' in column && column.document.partial ? 'partial' : OUTCOMES[exit] }
}

/** Verdicts that fail a run. */
const FAILING: readonly VerdictName[] = BY_URGENCY.slice(0, 3)

function rank({ cells, differs }: Row): number {
  const verdicts = new Set(cells.flatMap(({ verdict }) => verdict ?? []))
  const failing = FAILING.findIndex(verdict => verdicts.has(verdict))
  if (failing >= 0) return failing
  // A gateway that lacks a capability differs less than one that does something else.
  verdicts.delete('inapplicable')
  return FAILING.length + (verdicts.size > 1 ? 0 : differs ? 1 : 2)
}

function area({ area }: Row): number {
  return (AREAS as readonly string[]).indexOf(area)
}

function worstOf({ folder, document }: Column & { document: VerdictsDocument }): Map<string, Cell> {
  const cells = new Map<string, Cell>()
  const changeOf = (id: string) => {
    const change = CHANGE_KINDS.find(kind =>
      document.since?.changes[kind].some(one => one.requirement === id),
    )
    return change === undefined ? {} : { change }
  }
  const urgency = (verdict: VerdictName) => BY_URGENCY.indexOf(verdict)
  for (const { requirement, verdict, detail } of document.verdicts) {
    const before = cells.get(requirement)?.verdict
    if (before === undefined || urgency(verdict) < urgency(before))
      cells.set(requirement, {
        verdict,
        detail: clipped(detail, 300),
        link: `${encodeURIComponent(folder)}/report.html#${requirement}`,
        ...changeOf(requirement),
      })
  }
  return cells
}

/** One HTML page that needs no other file; its links lead to the gateways' own reports, in the same folder. */
export function matrixHtml(matrix: Matrix): string {
  const differing = matrix.rows.filter(({ differs }) => differs).length
  const size = [counted(matrix.rows.length, 'requirement'), counted(matrix.columns.length, 'gateway')]
  // Nothing is more urgent than a gateway that ends by itself.
  const ends = matrix.columns.flatMap(({ ended = [] }) => ended)
  return markup.render('./matrix', {
    ...matrix,
    headline: ends.length > 0 ? ends.join('; ') : size.join(', '),
    size: ends.length > 0 ? `${size.join(', ')}.` : '',
    comparison:
      differing > 0
        ? `The gateways differ in ${counted(differing, 'requirement')}.`
        : 'The gateways do not differ.',
    style: readFileSync(join(import.meta.dirname, 'report.css'), 'utf8'),
    rows: matrix.rows.map(row => ({ ...row, areaTitle: titleOf(row.area) })),
    words: CHANGE_WORDS,
    legend: BY_URGENCY.map(verdict => ({ verdict, meaning: MEANINGS[verdict] })),
    day: day(matrix.day),
  })
}

/** GitHub-flavoured Markdown. */
export function matrixMarkdown(matrix: Matrix): string {
  return markdown.render('./matrix-markdown', { ...matrix, words: CHANGE_WORDS })
}

function titleOf(area: string): string {
  return (AREA_TITLES as Record<string, string>)[area] ?? area
}
