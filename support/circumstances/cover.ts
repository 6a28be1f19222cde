import covertable, { type make as Make, type sorters as Sorters } from 'covertable'
import type { Combination, Dimension } from './dimensions.ts'

/** How many dimensions at a time are combined in all ways. */
export type Strength = 2 | 3

// A CommonJS module: its names are those of its default export.
const { make, sorters } = covertable as unknown as { make: typeof Make; sorters: typeof Sorters }

const PLAIN = -1

/** Selections that were computed before: one takes seconds. */
const known = new Map<string, Combination[]>()

/**
 * Combinations in which every value of a dimension meets every value of any other one (`strength` 2) or of any other two
 * (3), the plain ones included; the same for the same seed. The first ones have every value, and each of the
 * others as many pairs as possible that are new.
 */
export function covering(
  dimensions: readonly Dimension[],
  options: { strength: Strength; seed: string },
): Combination[] {
  const key = JSON.stringify([dimensions, options])
  const rows = known.get(key) ?? covered(dimensions, options)
  known.set(key, rows)
  return rows
}

function covered(
  dimensions: readonly Dimension[],
  { strength, seed }: { strength: Strength; seed: string },
): Combination[] {
  if (dimensions.length < 2) return dimensions.flatMap(({ values }) => values.map(one => [one]))
  const factors = dimensions.map(({ values }) => [PLAIN, ...values.keys()])
  const rows = make(factors, {
    strength: Math.min(strength, dimensions.length),
    sorter: sorters.hash,
    seed,
  } as Parameters<typeof make>[1]) as number[][]
  const combinations = rows
    .map(row => row.flatMap((value, at) => (value === PLAIN ? [] : [dimensions[at]!.values[value]!])))
    .filter(combination => combination.length > 0)
  return mostFirst(combinations)
}

/** How many of these combinations, from the first one on, it takes to have every value. */
export function withAllValues(combinations: readonly Combination[]): number {
  const missing = new Set(combinations.flat())
  const last = combinations.findIndex(combination => {
    for (const one of combination) missing.delete(one)
    return missing.size === 0
  })
  return last + 1
}

/** In an order in which each combination has as many values as possible that are new, and then as many pairs. */
function mostFirst(combinations: readonly Combination[]): Combination[] {
  const waiting = combinations.map(combination => {
    const names = combination.map(({ name }) => name)
    return {
      combination,
      values: new Set(names),
      pairs: new Set(names.flatMap((one, at) => names.slice(at + 1).map(other => `${one} and ${other}`))),
    }
  })
  const ordered: Combination[] = []
  while (waiting.length > 0) {
    waiting.sort((a, b) => b.values.size - a.values.size || b.pairs.size - a.pairs.size)
    const next = waiting.shift()!
    ordered.push(next.combination)
    for (const one of waiting) {
      one.values = one.values.difference(next.values)
      one.pairs = one.pairs.difference(next.pairs)
    }
  }
  return ordered
}
