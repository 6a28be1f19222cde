import { counted, duration } from '../quantities.ts'
import type { CircumstancesSummary, ValueCount } from '../verdicts/circumstances.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import type { Cell, InCircumstances } from '../verdicts/verdict.ts'
import type { RunRecord } from './run-record.ts'
import { clipped } from './visible.ts'

/** From this share of a core, or of all cores, on, it is the limit. */
const BUSY = 0.8

/** `in 24 combinations of circumstances`, and in how many of them the gateway did otherwise or nothing could be said. */
export function inCombinations({ tried, broken = 0, unclear }: InCircumstances): string {
  const all = counted(tried, 'combination')
  const more = unclear > 0 ? `, ${unclear} inconclusive` : ''
  return broken > 0
    ? `broken in ${broken} of ${all} of circumstances${more}`
    : `in ${all} of circumstances${more}`
}

/**
 * What a run did beside the examples as they are written, in sentences: how much it tried, what it found, how fast it was
 * and what limited it, and what it left out. Empty where it tried nothing.
 */
export function triedIn({
  circumstances: tried,
  verdicts,
}: Pick<RunRecord, 'circumstances' | 'verdicts'>): string[] {
  if (!tried) return []
  return [
    `${counted(tried.examples, 'example')} ran again, in ${combinationsOf(tried)}.`,
    foundIn(verdicts.flatMap(({ circumstances = [] }) => circumstances)),
    speedOf(tried),
    ...notTriedOf(tried),
    ...leftOutOf(tried),
  ]
}

function combinationsOf({ combinations: { receiver, sender } }: CircumstancesSummary): string {
  const of = (count: number) => `${counted(count, 'combination')} of circumstances`
  if (sender === 0 || receiver === 0) return of(receiver + sender)
  return `${of(receiver)} for what the gateway receives and ${sender} for what it sends`
}

function foundIn(told: readonly InCircumstances[]): string {
  const broken = told.filter(({ only }) => only).length
  const unclear = told.filter(one => one.unclear > 0).length
  if (broken + unclear === 0) return 'All came out as they do without circumstances.'
  return `${broken || 'None'} ${broken > 1 ? 'are' : 'is'} broken in some of them only, and ${unclear || 'none'} could not be decided in some.`
}

function speedOf({ judgements, durationMs, cpu }: CircumstancesSummary): string {
  const rate = ((judgements * 1000) / durationMs).toFixed(1)
  return `${counted(judgements, 'judgement')} in ${duration(durationMs)}, ${rate} a second; ${limitOf(cpu)}.`
}

/** What keeps a run from being faster, by what was busy meanwhile. */
function limitOf({ suite, machine, cores }: CircumstancesSummary['cpu']): string {
  const used = `${machine.toFixed(1)} of ${counted(cores, 'core')} were busy, ${suite.toFixed(1)} with the suite`
  if (suite >= BUSY) return `the limit was the suite itself, which computes on one core: ${used}`
  if (machine >= BUSY * cores) return `the limit was the machine: ${used}`
  return `the limit was the time of waiting for the gateway and its partners: ${used}`
}

function notTriedOf({ notTried = 0 }: CircumstancesSummary): string[] {
  if (notTried === 0) return []
  return [
    `${counted(notTried, 'combination was', 'combinations were')} not tried with all examples, because the time for circumstances was over; --circumstances 24 has no limit of time.`,
  ]
}

function leftOutOf({ values }: CircumstancesSummary): string[] {
  const left = values.flatMap(({ notOffered = [] }) => notOffered)
  if (left.length === 0) return []
  const keywords = clipped([...new Set(left)].join(', '), 200)
  return [
    `${counted(left.length, 'circumstance was', 'circumstances were')} left out, because the gateway does not offer ${keywords}.`,
  ]
}

/** The report shows so many rows of an example that are not conformant, each with so many combinations. */
const SHOWN = { rows: 12, combinations: 6 }

/** The table of an example that ran again: as it is written, then what is not conformant, then the rest in one row. */
export function cellsView({ circumstances, seen }: RecordedVerdict) {
  if (!circumstances) return undefined
  const { tried, broken = 0, unclear, only, cells = [] } = circumstances
  const plain = seen.cells?.find(cell => cell.circumstances.length === 0)
  const fewest = only && cells[0]
  const conformant = seen.cells?.filter(cell => cell.verdict === 'conformant') ?? []
  const well = new Set(conformant.flatMap(cell => cell.circumstances))
  const rows = [
    ...Map.groupBy(fewest ? cells.slice(1) : cells, ({ verdict, detail }) => `${verdict} ${detail}`).values(),
  ]
  return {
    title: inCombinations(circumstances),
    open: broken > 0,
    plain: plain && { verdict: plain.verdict, detail: clipped(plain.detail, 300) },
    fewest: fewest && { ...rowOf([fewest], well), names: fewest.circumstances.map(brief) },
    rows: rows.slice(0, SHOWN.rows).map(row => rowOf(row, well, only)),
    // With the fewest circumstances the example ran beside the combinations.
    more: cells.length < broken + unclear + (fewest ? 1 : 0) || rows.length > SHOWN.rows,
    conformant: tried - broken - unclear,
    tried: valuesIn(conformant),
  }
}

/**
 * Cells with the same result. `shared`: what several have in common. Of broken ones it is what breaks them, of others what
 * no conformant one has.
 */
function rowOf(cells: readonly Cell[], well: ReadonlySet<string>, only: readonly string[] = []) {
  const [first, ...others] = cells as [Cell, ...Cell[]]
  const shared = first.circumstances.filter(
    name =>
      (isUndecided(first) ? !well.has(name) : only.includes(name)) &&
      others.every(({ circumstances }) => circumstances.includes(name)),
  )
  return {
    verdict: first.verdict,
    detail: clipped(first.detail, 300),
    shared: others.length > 0 ? shared.map(brief) : [],
    title:
      others.length > 0
        ? counted(cells.length, 'combination')
        : counted(first.circumstances.length, 'circumstance'),
    combinations: cells.slice(0, SHOWN.combinations).map(({ circumstances }) => circumstances.map(brief)),
    hidden: Math.max(cells.length - SHOWN.combinations, 0),
  }
}

const brief = (name: string): string => clipped(name, 200)

const isUndecided = ({ verdict }: Cell): boolean => verdict === 'inconclusive' || verdict === 'lab-error'

/** Each dimension with the values that cells have, as text. */
function valuesIn(cells: readonly Cell[]): { dimension: string; values: string }[] {
  const names = new Set(cells.flatMap(({ circumstances }) => circumstances))
  const parts = [...names].map(name => {
    const [dimension = '', ...value] = name.split(': ')
    return { dimension, value: value.join(': ') }
  })
  return [...Map.groupBy(parts, ({ dimension }) => dimension)].map(([dimension, group]) => ({
    dimension: brief(dimension),
    values: clipped(group.map(({ value }) => value).join(', '), 1000),
  }))
}

const ROLES = { receiver: 'When the gateway receives mail', sender: 'When the gateway sends mail' } as const

/** How often each circumstance was tried: a table for each role, in which what is broken comes first, then what is unclear. */
export function valuesView({ circumstances }: Pick<RunRecord, 'circumstances'>) {
  const byRole = Map.groupBy(circumstances?.values ?? [], ({ role }) => role)
  return [...byRole].map(([role, counts]) => ({
    title: ROLES[role],
    dimensions: [...Map.groupBy(counts, ({ dimension }) => dimension)]
      .map(([name, values]) => ({
        name: brief(name),
        plain: brief(values[0]!.plain),
        values: values.toSorted(byTrouble).map(valueView),
      }))
      .toSorted((a, b) => byTrouble(worstOf(a.values), worstOf(b.values))),
  }))
}

function valueView({ value, source, notOffered, examples, broken, unclear }: ValueCount) {
  const why = notOffered === undefined ? '' : `left out: the gateway does not offer ${brief(notOffered)}`
  return { value: brief(value), source: brief(source), why, examples, broken, unclear }
}

type Trouble = Pick<ValueCount, 'broken' | 'unclear'>

const byTrouble = (a: Trouble, b: Trouble): number => b.broken - a.broken || b.unclear - a.unclear

const worstOf = (values: readonly Trouble[]): Trouble => ({
  broken: Math.max(...values.map(({ broken }) => broken)),
  unclear: Math.max(...values.map(({ unclear }) => unclear)),
})
