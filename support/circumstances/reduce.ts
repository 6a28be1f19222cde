import type { Combination } from './dimensions.ts'

/** Whether something still shows with fewer circumstances; several are asked at once. */
export type Shows = (combinations: readonly Combination[]) => Promise<boolean[]>

/**
 * The fewest circumstances of a combination with which something still shows: single ones first, then what is left when
 * one after another is taken away (Zeller's delta debugging, to one minimum). Nothing where it shows no more with all.
 */
export async function reduced(combination: Combination, shows: Shows): Promise<Combination | undefined> {
  const singles = combination.map(one => [one])
  const alone = await shows(singles)
  const found = singles.find((_, at) => alone[at])
  if (found) return found
  const [again] = await shows([combination])
  if (!again) return undefined
  let rest = [...combination]
  for (const one of combination) {
    if (rest.length <= 2) break
    const without = rest.filter(other => other !== one)
    const [still] = await shows([without])
    if (still) rest = without
  }
  return rest
}
