import type { Combination } from './dimensions.ts'

/** Whether something still shows with fewer circumstances; several are asked at once. */
export type Shows = (combinations: readonly Combination[]) => Promise<boolean[]>

/**
 * The fewest circumstances of a combination with which something still shows: one minimum, from which none can be taken
 * away (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002). Nothing where it shows no more
 * with all.
 */
export async function reduced(combination: Combination, shows: Shows): Promise<Combination | undefined> {
  const [again] = await shows([combination])
  if (!again) return undefined
  let rest = combination
  let parts = 2
  while (rest.length > 1) {
    const subsets = split(rest, parts)
    // With two parts, each is what is left without the other.
    const others = parts > 2 ? subsets.map(one => rest.filter(each => !one.includes(each))) : []
    const tried = [...subsets, ...others]
    const results = await shows(tried)
    const found = tried.findIndex((_, at) => results[at])
    if (found >= 0) {
      rest = tried[found]!
      parts = found < subsets.length ? 2 : parts - 1
    } else if (parts < rest.length) parts = Math.min(parts * 2, rest.length)
    else break
  }
  return rest
}

/** In so many parts of about the same size. */
function split(combination: Combination, parts: number): Combination[] {
  const bound = (at: number) => Math.round((at * combination.length) / parts)
  return Array.from({ length: parts }, (_, at) => combination.slice(bound(at), bound(at + 1)))
}
