import { type FeatureRule, placeOf } from '../catalogue/features.ts'
import { covering, type Strength, withAllValues } from '../circumstances/cover.ts'
import type { Combination, Dimension } from '../circumstances/dimensions.ts'
import { filling } from '../circumstances/fill.ts'
import type { PartnerManner } from '../lab/partner/partner-manner.ts'
import type { Offered } from '../verdicts/circumstances.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { isDecided } from '../verdicts/verdict.ts'
import type { Run } from './run.ts'

/** Which combinations a run tries. */
export interface Selection {
  strength: Strength
  /** How many combinations for each role at most, or those that have every value; absent: all that cover. */
  most?: { receiver: number; sender: number } | 'every value'
  /**
   * Each combination has the controls and some other examples of each Rule, in turn, and the rest once all combinations had
   * these: where the time is over before, every circumstance was tried with every Rule.
   */
  inTurn?: boolean
  /** The same combinations for the same seed. */
  seed: string
}

/** One example that ran under a combination. */
export interface Tried {
  rule: FeatureRule
  /** What of it came about. */
  combination: Combination
  verdict: Pick<RecordedVerdict, 'scenario' | 'verdict'>
}

/** Rules with a combination each, which are judged together. */
export type Pass = readonly { rule: FeatureRule; combination: Combination }[]

/**
 * Each Rule runs under all values in its first combinations; which pairs it meets after them differs from Rule to Rule, so
 * that all Rules together meet more pairs. `isMust`: of the Rule's requirement. Musts come first in each pass, and each pass
 * begins with another Rule, because the time may be over before a pass is.
 */
export function passesOf(
  rules: readonly FeatureRule[],
  role: Dimension['role'],
  { [role]: { rows, first, most } }: ReturnType<typeof combinations>,
  { share = 'all', isMust = () => true }: { share?: Share; isMust?: (rule: FeatureRule) => boolean } = {},
): Pass[] {
  const own = rules.filter(rule => rule.role === role)
  const { must = [], other = [] } = Object.groupBy(own, rule => (isMust(rule) ? 'must' : 'other'))
  const placeOfRule = new Map(own.map((rule, at) => [rule, at]))
  const others = rows.slice(first)
  const count = Math.min(most, rows.length)
  return Array.from({ length: count }, (_, at) =>
    [...rotated(must, at), ...rotated(other, at)].flatMap(rule => {
      const from = placeOfRule.get(rule)! * Math.max(count - first, 0)
      const row = at < first ? rows[at]! : others[(at - first + from) % others.length]!
      const combination = row.filter(({ mattersTo }) => !mattersTo.includes(rule.requirement))
      const examples = shareOf(share, rule.examples, at)
      return combination.length > 0 && examples.length > 0
        ? [{ rule: { ...rule, examples }, combination }]
        : []
    }),
  ).filter(pass => pass.length > 0)
}

/** Which examples of a Rule a pass has beside the control: those whose turn it is, or all but these. */
export type Share = 'all' | 'in turn' | 'not in turn'

/** Of the examples of a Rule beside its control, every fourth one is tried at a time, and at least one. */
const SHARE = 4

/** A Rule with one other example has it at every turn; nothing where there is no example for this share. */
function shareOf(share: Share, examples: FeatureRule['examples'], turn: number): FeatureRule['examples'] {
  if (share === 'all') return examples
  const others = examples.filter(({ control }) => !control)
  const count = Math.ceil(others.length / SHARE)
  const inTurn = new Set(
    Array.from({ length: count }, (_, at) => others[(turn * count + at) % others.length]),
  )
  if (share === 'not in turn' && inTurn.size === others.length) return []
  return examples.filter(one => one.control || inTurn.has(one) === (share === 'in turn'))
}

/** Of the golden ratio: the places at which passes begin lie far apart, however many there are. */
const STEP = (Math.sqrt(5) - 1) / 2

function rotated<T>(all: readonly T[], turn: number): T[] {
  const begin = Math.floor(all.length * ((turn * STEP) % 1))
  return [...all.slice(begin), ...all.slice(0, begin)]
}

/** For pairs that a Rule has not met in these cells, because parts of a combination did not fit together or the example. */
export function passesForPairs(
  rules: readonly FeatureRule[],
  tried: readonly Tried[],
  { alone = false } = {},
): Pass[] {
  const triedOfRule = Map.groupBy(tried, ({ rule }) => placeOf(rule))
  const rowsOf = new Map(rules.map(rule => [rule, pairsOf(triedOfRule.get(placeOf(rule)) ?? [], alone)]))
  const count = Math.max(0, ...[...rowsOf.values()].map(({ length }) => length))
  return Array.from({ length: count }, (_, at) =>
    rules.flatMap(rule => {
      const combination = rowsOf.get(rule)![at]
      return combination ? [{ rule, combination }] : []
    }),
  )
}

/** Combinations with pairs that an example of a Rule has not met; those for one example count for the next ones. */
function pairsOf(tried: readonly Tried[], alone: boolean): Combination[] {
  const rows: Combination[] = []
  for (const own of Map.groupBy(tried, ({ verdict }) => verdict.scenario).values()) {
    // Where nothing was said of the gateway, nothing has met.
    const held = own.filter(({ verdict }) => isDecided(verdict)).map(({ combination }) => combination)
    const known = new Set(held.flat())
    rows.push(...filling([...held, ...rows.map(row => row.filter(one => known.has(one)))], { alone }))
  }
  return rows
}

/** Without the places at which the lab has no partners. */
export function possible(dimension: Dimension, { lab }: Run): Dimension {
  const values = dimension.values.filter(({ sets: { partner = {} } }) => {
    const { place } = partner as PartnerManner
    return place === undefined || lab.places.includes(place)
  })
  return { ...dimension, values }
}

export function combinations(
  known: readonly Dimension[],
  offered: Offered,
  { strength, most, seed }: Selection,
) {
  const of = (role: Dimension['role']) => {
    const dimensions = known
      .filter(one => one.role === role)
      .map(one => ({
        ...one,
        values: one.values.filter(({ needs }) => needs === undefined || offered[role].has(needs)),
      }))
      .filter(({ values }) => values.length > 0)
    const rows = covering(dimensions, { strength, seed })
    const first = withAllValues(rows)
    return { rows, first, most: most === 'every value' ? first : (most?.[role] ?? rows.length) }
  }
  return { receiver: of('receiver'), sender: of('sender') }
}
