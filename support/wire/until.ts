/** Calls `watcher` whenever it may have changed, until the returned function is called. */
export interface Watchable {
  watch(watcher: () => void): () => void
}

/**
 * Resolves with true as soon as `holds` does, looked at after every change of `sources`, or with false after `wait` ms.
 */
export function until(holds: () => boolean, sources: readonly Watchable[], wait: number): Promise<boolean> {
  if (holds()) return Promise.resolve(true)
  return new Promise(resolve => {
    const end = (result: boolean) => {
      clearTimeout(timer)
      for (const stop of stops) stop()
      resolve(result)
    }
    const stops = sources.map(source => source.watch(() => holds() && end(true)))
    const timer = setTimeout(() => end(holds()), wait)
  })
}
