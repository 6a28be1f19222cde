import type { Circumstance, Combination } from './dimensions.ts'

/**
 * Combinations that bring two circumstances together which never met in an example, although each of them came about in
 * it: one of them has dropped out each time. Of what is in a combination, each has met all others but one at most. `held`:
 * what came about each time the example ran. `alone`: each pair is a combination, since some go together with nothing else.
 */
export function filling(held: readonly Combination[], { alone = false } = {}): Combination[] {
  const met = new Map<Circumstance, Set<Circumstance>>()
  for (const combination of held)
    for (const one of combination) {
      const others = met.get(one) ?? new Set()
      for (const other of combination) others.add(other)
      met.set(one, others)
    }
  const known = [...met.keys()]
  const lacks = (one: Circumstance, other: Circumstance) =>
    one.dimension !== other.dimension && !met.get(one)!.has(other)
  const missing = known.flatMap((one, at) =>
    known.slice(at + 1).flatMap(other => (lacks(one, other) ? [{ one, other }] : [])),
  )
  if (alone) return missing.map(({ one, other }) => [one, other])
  const rows: Combination[] = []
  while (missing.length > 0) {
    const row: Circumstance[] = []
    const add = (more: Circumstance, most: number) => {
      const free = !row.some(({ dimension }) => dimension === more.dimension)
      if (free && row.filter(each => lacks(each, more)).length <= most) row.push(more)
    }
    for (const { one, other } of missing) for (const each of [one, other]) add(each, 1)
    for (const each of held.find(cell => cell.includes(row[0]!)) ?? []) add(each, 0)
    rows.push(row)
    const left = missing.filter(({ one, other }) => !(row.includes(one) && row.includes(other)))
    missing.splice(0, missing.length, ...left)
  }
  return rows
}
