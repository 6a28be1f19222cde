/**
 * Ends the process with the exit status that `work` comes to, also when something still holds the event loop: all files
 * have been written by then.
 */
export async function endsWith(work: Promise<0 | 1 | 2>): Promise<void> {
  await exit(await work)
}

/** Once everything that was written to standard output and standard error has left the process. */
async function exit(status: 0 | 1 | 2): Promise<void> {
  await Promise.all(
    [process.stdout, process.stderr].map(stream => new Promise(done => stream.write('', done))),
  )
  process.exit(status)
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type Signal = (typeof SIGNALS)[number]

/** After so many ms the user is told that stopping takes its time. */
const PATIENCE = 2_000

/** For work that must not go on, because the process is about to end. */
export const never = new Promise<never>(() => {})

/** A signal of the user or the system that ends the work. */
export interface Interrupt {
  /** Aborted when the signal comes, before anything is stopped. */
  readonly signal: AbortSignal
  /** From then on, a signal ends the process at once, as in every program. */
  undo(): void
}

/**
 * Calls `stop` once when the user or the system ends the work. Then it says what the `result` is, and ends the process
 * with the status that `stop` comes to, or with 2 where `stop` fails. A second signal ends the process at once.
 */
export function onInterrupt(stop: (signal: Signal) => Promise<0 | 1 | 2>, result: () => string): Interrupt {
  const interrupt = new AbortController()
  const end = (signal: Signal, why: string) => {
    if (interrupt.signal.aborted) return
    interrupt.abort()
    const slow = setTimeout(() => {
      process.stderr.write(
        `mail-tls: stopping everything that was started; a second ${signal} ends the suite at once, without a report\n`,
      )
    }, PATIENCE)
    const ended = (status: 0 | 1 | 2, said: string) => {
      clearTimeout(slow)
      process.stderr.write(`mail-tls: ended by ${why}; ${said}\n`)
      void exit(status)
    }
    stop(signal).then(
      status => ended(status, result()),
      (error: Error) => ended(2, error.message),
    )
  }
  // A terminal sends its signal to parent and child, and the parent passes it on: the child gets the same signal twice.
  const obey = () => {
    let again = false
    return (signal: Signal) => {
      if (again) process.exit(2)
      again = true
      end(signal, signal)
    }
  }
  const sent = obey()
  const told = obey()
  const gone = () => end('SIGTERM', 'its parent')
  for (const signal of SIGNALS) process.on(signal, sent)
  process.on('message', told)
  process.on('disconnect', gone)
  const undo = () => {
    for (const signal of SIGNALS) process.off(signal, sent)
    process.off('message', told)
    process.off('disconnect', gone)
  }
  return { signal: interrupt.signal, undo }
}

/** A signal that the parent passes on ends the process as the signal itself would, also without `onInterrupt`. */
export function obeyParent(): void {
  process.on('message', (signal: Signal) => {
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
  })
  // The channel to the parent does not keep a command that is done from ending.
  process.channel?.unref()
}
