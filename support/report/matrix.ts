import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { day } from '../quantities.ts'
import { AREAS, type Requirement } from '../verdicts/catalogue.ts'
import type { VerdictName } from '../verdicts/verdict.ts'
import { BY_URGENCY } from './findings.ts'
import type { VerdictsDocument } from './run-record.ts'
import { markdown, markup } from './templates.ts'
import { clipped } from './visible.ts'
import { AREA_TITLES, MEANINGS } from './words.ts'

/** One gateway of a matrix: its verdicts, or why there are none. */
export type Column = { name: string; folder: string } & ({ document: VerdictsDocument } | { failure: string })

export interface Cell {
  /** Absent: not judged for this gateway. */
  verdict?: VerdictName
  detail?: string
  /** To the requirement in the gateway's own report, relative to the matrix. */
  link?: string
}

export interface Row {
  id: string
  area: string
  level: string
  statement: string
  /** Whether the gateways that judged it do not all have the same verdict. */
  differs: boolean
  cells: Cell[]
}

export interface Matrix {
  suite: { name: string; version: string; commit: string }
  /** `2026-11-24` */
  day: string
  columns: { name: string; version: string; library: string; folder: string; failure?: string }[]
  /** Rows in which gateways differ first, then by area. */
  rows: Row[]
}

/** Requirements by gateways. The worst example of a requirement decides, as in a report. */
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
  const order = (row: Row) => (row.differs ? 0 : 1000) + (AREAS as readonly string[]).indexOf(row.area)
  return {
    suite: about.suite,
    day: about.at.toISOString().slice(0, 10),
    columns: columns.map(column => ({
      name: column.name,
      folder: column.folder,
      version: 'document' in column ? column.document.gateway.version : '',
      library: 'document' in column ? column.document.gateway.library : '',
      ...('failure' in column ? { failure: column.failure } : {}),
    })),
    rows: rows.sort((a, b) => order(a) - order(b)),
  }
}

function worstOf({ folder, document }: Column & { document: VerdictsDocument }): Map<string, Cell> {
  const cells = new Map<string, Cell>()
  const urgency = (verdict: VerdictName) => BY_URGENCY.indexOf(verdict)
  for (const { requirement, verdict, detail } of document.verdicts) {
    const before = cells.get(requirement)?.verdict
    if (before === undefined || urgency(verdict) < urgency(before))
      cells.set(requirement, {
        verdict,
        detail: clipped(detail, 300),
        link: `${encodeURIComponent(folder)}/report.html#${requirement}`,
      })
  }
  return cells
}

/** One self-contained page; its links lead to the gateways' own reports beside it. */
export function matrixHtml(matrix: Matrix): string {
  return markup.render('./matrix', {
    ...matrix,
    style: readFileSync(join(import.meta.dirname, 'report.css'), 'utf8'),
    rows: matrix.rows.map(row => ({ ...row, areaTitle: titleOf(row.area) })),
    differing: matrix.rows.filter(({ differs }) => differs).length,
    legend: BY_URGENCY.map(verdict => ({ verdict, meaning: MEANINGS[verdict] })),
    day: day(matrix.day),
  })
}

/** GitHub-flavoured Markdown. */
export function matrixMarkdown(matrix: Matrix): string {
  return markdown.render('./matrix-markdown', matrix)
}

function titleOf(area: string): string {
  return (AREA_TITLES as Record<string, string>)[area] ?? area
}
