/** Does the work for each item, in their order, for at most so many at a time. Rejects as soon as one of them fails. */
export async function sideBySide<T>(
  items: Iterable<T>,
  most: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  // All lanes take from the same iterator.
  const waiting = Iterator.from(items)
  const lane = async () => {
    for (const item of waiting) await work(item)
  }
  await Promise.all(Array.from({ length: most }, lane))
}
