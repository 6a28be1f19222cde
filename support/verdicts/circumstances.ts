import type { Combination, Dimension } from '../circumstances/dimensions.ts'
import type { Cell, InCircumstances, VerdictName } from './verdict.ts'

/** How often one circumstance was tried in a run. */
export interface ValueCount {
  role: Dimension['role']
  dimension: string
  /** How it is where an example runs as it is written. */
  plain: string
  value: string
  source: string
  /** The keyword that the gateway does not offer: the circumstance was left out. */
  notOffered?: string
  /** Examples that ran with it. */
  examples: number
  /** Examples that the gateway breaks, where this is one of the fewest circumstances. */
  broken: number
  /** Examples that could not be decided in any combination with it. */
  unclear: number
}

/** What a run tried beside the examples as they are written, in verdicts.json. */
export interface CircumstancesSummary {
  /** Examples that were run again. */
  examples: number
  /** Combinations for what the gateway receives, and for what it sends. */
  combinations: Record<Dimension['role'], number>
  /** Combinations of both roles that were not tried with all examples, because the time for them was over. */
  notTried?: number
  /** How many times an example was judged, with those that looked for the fewest circumstances. */
  judgements: number
  durationMs: number
  /** Cores that were busy on average: by the process of the suite, by all programs; and how many the machine has. */
  cpu: { suite: number; machine: number; cores: number }
  values: ValueCount[]
}

/** One example under one combination, as it was judged. */
export interface Trial {
  combination: Combination
  verdict: VerdictName
  detail: string
  /** `broken`: by the gateway, and not by the circumstances. */
  state: 'conformant' | 'broken' | 'unclear'
}

/** A verdict has so many cells at most, its evidence so many, and each a detail of so many characters. */
const MOST = { verdict: 24, evidence: 100, detail: 300 }

/**
 * The cells of one example. `plain`: what was seen without circumstances. `fewest`: what was seen under the fewest
 * circumstances that break it; nothing where it did not show again, so that what is broken proves nothing.
 */
export function cellsOf(
  plain: Pick<Trial, 'verdict' | 'detail'>,
  trials: readonly Trial[],
  fewest?: Trial,
): { circumstances: InCircumstances; cells: Cell[] } {
  const judged = fewest ? trials : trials.map(notAgain)
  const ofState = (state: Trial['state']) => judged.filter(trial => trial.state === state)
  const [broken, unclear] = [ofState('broken'), ofState('unclear')]
  const others = broken.filter(({ combination }) => !sameAs(combination, fewest!.combination))
  const cells = [...(fewest ? [fewest] : []), ...others, ...unclear].map(cellOf)
  const first = cellOf({ combination: [], ...plain })
  return {
    circumstances: {
      ...{ tried: trials.length, broken: broken.length, unclear: unclear.length },
      ...(fewest ? { only: namesOf(fewest.combination) } : {}),
      cells: cells.slice(0, MOST.verdict),
    },
    cells: [first, ...cells, ...ofState('conformant').map(cellOf)].slice(0, MOST.evidence),
  }
}

const namesOf = (combination: Combination): string[] => combination.map(({ name }) => name)

const sameAs = (one: Combination, other: Combination): boolean =>
  one.length === other.length && one.every(circumstance => other.includes(circumstance))

function cellOf({ combination, verdict, detail }: Omit<Trial, 'state'>): Cell {
  const shortened = detail.length > MOST.detail ? `${detail.slice(0, MOST.detail - 1)}…` : detail
  return { circumstances: namesOf(combination), verdict, detail: shortened }
}

/** What did not show again proves nothing. */
function notAgain(trial: Trial): Trial {
  if (trial.state !== 'broken') return trial
  const detail = `this did not show a second time: ${trial.detail}`
  return { ...trial, verdict: 'inconclusive', detail, state: 'unclear' }
}

/** The keywords in the gateway's reply to EHLO, where it takes mail of others and where it takes mail to send. */
export type Offered = Record<Dimension['role'], ReadonlySet<string>>

/** How often each value was tried. `only`: by example, the fewest circumstances. */
export function valueCounts(
  dimensions: readonly Dimension[],
  offered: Offered,
  trials: ReadonlyMap<string, readonly Trial[]>,
  only: ReadonlyMap<string, Combination>,
): ValueCount[] {
  const ran = new Map<string, Map<string, boolean>>()
  for (const [example, all] of trials)
    for (const { combination, state } of all)
      for (const { name } of combination) {
        const decided = ran.get(name) ?? new Map<string, boolean>()
        decided.set(example, decided.get(example) === true || state !== 'unclear')
        ran.set(name, decided)
      }
  const blamed = [...only.values()].flatMap(namesOf)
  return dimensions.flatMap(({ role, name: dimension, plain, values }) =>
    values.map(({ name, value, source, needs }) => {
      const decided = [...(ran.get(name)?.values() ?? [])]
      return {
        ...{ role, dimension, plain, value, source },
        ...(needs !== undefined && !offered[role].has(needs) ? { notOffered: needs } : {}),
        examples: decided.length,
        broken: blamed.filter(one => one === name).length,
        unclear: decided.filter(one => !one).length,
      }
    }),
  )
}

/**
 * What parts of a run have tried, which have no example in common. They ran side by side on machines of their own, so
 * that the longest one tells the time, and what limits the largest one stands for all. Nothing for no part.
 */
export function mergedSummary(parts: readonly CircumstancesSummary[]): CircumstancesSummary | undefined {
  const [largest] = parts.toSorted((a, b) => b.judgements - a.judgements)
  if (!largest) return undefined
  const sum = (count: (part: CircumstancesSummary) => number) =>
    parts.reduce((all, part) => all + count(part), 0)
  const most = (count: (part: CircumstancesSummary) => number) => Math.max(...parts.map(count))
  const nameOf = ({ role, dimension, value }: ValueCount) => `${role} ${dimension} ${value}`
  const byValue = Map.groupBy(
    parts.flatMap(({ values }) => values),
    nameOf,
  )
  return {
    examples: sum(({ examples }) => examples),
    combinations: {
      receiver: most(({ combinations }) => combinations.receiver),
      sender: most(({ combinations }) => combinations.sender),
    },
    ...(parts.some(({ notTried }) => notTried) ? { notTried: most(({ notTried = 0 }) => notTried) } : {}),
    judgements: sum(({ judgements }) => judgements),
    durationMs: most(({ durationMs }) => durationMs),
    cpu: largest.cpu,
    values: [...byValue.values()].map(counts => ({
      ...counts[0]!,
      examples: total(counts, 'examples'),
      broken: total(counts, 'broken'),
      unclear: total(counts, 'unclear'),
    })),
  }
}

const total = (counts: readonly ValueCount[], key: 'examples' | 'broken' | 'unclear'): number =>
  counts.reduce((sum, count) => sum + count[key], 0)
