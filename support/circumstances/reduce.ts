import type { Circumstance, Combination } from './dimensions.ts'

/** Whether something still shows with fewer circumstances; several are asked at once. */
export type Shows = (combinations: readonly Combination[]) => Promise<boolean[]>

/** How many numbers of circumstances are asked at once. */
const AT_ONCE = 3

/**
 * The fewest circumstances of a combination with which something still shows: one minimum, from which none can be taken
 * away. Finds the circumstances that are needed one after another, each as the last one of the shortest beginning that is
 * enough with those found before (Junker, QuickXplain, 2004). Nothing where it does not show again with all.
 */
export async function reduced(combination: Combination, shows: Shows): Promise<Combination | undefined> {
  const [again] = await shows([combination])
  if (!again) return undefined
  const needed = new Set<Circumstance>()
  const inOrder = (count: number) => combination.filter((one, at) => needed.has(one) || at < count)
  // With this many from the beginning it shows.
  let enough = combination.length
  for (;;) {
    let tooFew = needed.size === 0 ? 0 : -1
    while (enough - tooFew > 1) {
      const counts = between(tooFew, enough)
      const results = await shows(counts.map(inOrder))
      const found = results.indexOf(true)
      tooFew = (found < 0 ? counts.at(-1) : counts[found - 1]) ?? tooFew
      enough = counts[found] ?? enough
    }
    if (enough === 0) break
    enough--
    needed.add(combination[enough]!)
  }
  const fewest = inOrder(0)
  const fewer = fewest.length > 1 ? fewest.map(one => fewest.filter(other => other !== one)) : []
  const found = (await shows(fewer)).indexOf(true)
  return found < 0 ? fewest : reduced(fewer[found]!, shows)
}

/** Numbers between two others, at even distances. */
function between(low: number, high: number): number[] {
  const count = Math.min(AT_ONCE, high - low - 1)
  return Array.from({ length: count }, (_, at) => low + Math.round(((at + 1) * (high - low)) / (count + 1)))
}
