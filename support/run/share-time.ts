import { sideBySide } from '../side-by-side.ts'

/** The part of all time, from 0 to 1, that is over when the work at this place has had its share. */
export const shareOfTime = (at: number, { count, lanes }: { count: number; lanes: number }): number =>
  (Math.floor(at / lanes) + 1) / Math.ceil(count / lanes)

/**
 * Does as many works side by side as there are lanes. Each has its share of the time first, and then what is left of all
 * time, so that no work is left out where there is little. `does` stops at a share of the time and returns the rest of the
 * work, or nothing. Returns the places of works that were not done to the end.
 */
export async function inShares<Work>(
  works: readonly Work[],
  lanes: number,
  does: (work: Work, at: number, share: number) => Promise<Work | undefined>,
): Promise<number[]> {
  const left = new Map<number, Work>()
  const part = async (work: Work, at: number, share: number) => {
    const rest = await does(work, at, share)
    if (rest === undefined) left.delete(at)
    else left.set(at, rest)
  }
  const count = works.length
  await sideBySide(works.entries(), lanes, ([at, work]) => part(work, at, shareOfTime(at, { count, lanes })))
  await sideBySide([...left], lanes, ([at, work]) => part(work, at, 1))
  return [...left.keys()]
}
