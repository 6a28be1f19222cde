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

/** Parts of so many items, in their order. */
export const partsOf = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size))

/** The first part of each work, then the second of each, and so on, with the place of the work. */
export function inTurn<Part>(works: readonly (readonly Part[])[]): { part: Part; at: number }[] {
  const most = Math.max(0, ...works.map(({ length }) => length))
  return Array.from({ length: most }, (_, turn) =>
    works.flatMap((parts, at) => (turn < parts.length ? [{ part: parts[turn]!, at }] : [])),
  ).flat()
}
