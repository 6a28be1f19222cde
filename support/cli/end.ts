/**
 * Ends the process with the status that the work comes to, also when something still holds the event loop: everything
 * that should outlive the work has been written by then.
 */
export async function endsWith(work: Promise<0 | 1 | 2>): Promise<void> {
  process.exitCode = await work
  // What was written to a pipe leaves before the process does.
  await Promise.all(
    [process.stdout, process.stderr].map(stream => new Promise(done => stream.write('', done))),
  )
  process.exit()
}

/** Calls `stop` once when the user or the system ends the run, and again ends at once. Returns how to undo that. */
export function onInterrupt(stop: () => Promise<void>): () => void {
  let stopping = false
  const end = (why: string) => {
    if (stopping) process.exit(2)
    stopping = true
    stop().finally(() => {
      process.stderr.write(`mail-tls: ended by ${why}; nothing was judged\n`)
      process.exit(2)
    })
  }
  const handlers = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map(signal => {
    const handler = () => end(signal)
    process.on(signal, handler)
    return () => process.off(signal, handler)
  })
  // The launcher on an old Node is gone.
  const gone = () => end('its parent')
  process.on('disconnect', gone)
  return () => {
    for (const undo of handlers) undo()
    process.off('disconnect', gone)
  }
}
