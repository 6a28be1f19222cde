import covertable, { type make as Make, type sorters as Sorters } from 'covertable'
import type { Combination, Dimension } from './dimensions.ts'

/** How many dimensions at a time are combined in all ways. */
export type Strength = 2 | 3

// A CommonJS module: its names are those of its default export.
const { make, sorters } = covertable as unknown as { make: typeof Make; sorters: typeof Sorters }

const PLAIN = -1

/**
 * Combinations in which every value of a dimension meets every value of any other one (`strength` 2) or of any other two
 * (3), the plain ones included; the same for the same seed. The first ones cover most.
 */
export function covering(
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
  return rows
    .map(row => row.flatMap((value, at) => (value === PLAIN ? [] : [dimensions[at]!.values[value]!])))
    .filter(combination => combination.length > 0)
}
