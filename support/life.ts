import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/**
 * Where the id of a process means what it means here: the machine by its name, and where the system tells, which of its
 * starts this is and which namespace of processes.
 */
export const PLACE = [
  hostname(),
  told(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()),
  told(() => readlinkSync('/proc/self/ns/pid')),
]
  .filter(Boolean)
  .join('/')

/**
 * What tells a process from a later one with the same id: `PID@START`, where the system tells when it started. Nothing
 * when there is no such process.
 */
export function life(pid: number): string | undefined {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: somebody else's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined
  }
  // Field 22 of proc_pid_stat(5); the name in parentheses may hold blanks.
  const start = told(() => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ')[19])
  return start ? `${pid}@${start}` : String(pid)
}

/** Whether the process is still there that `life` said this of, in this place; `PID` alone is any with this id. */
export function lives(mark: string): boolean {
  const now = life(Number.parseInt(mark, 10))
  return now !== undefined && (now === mark || !now.includes('@') || !mark.includes('@'))
}

/** Of a process in another place nobody here can tell whether it lives. It counts as ended after so long, in ms. */
const DAY = 24 * 60 * 60 * 1000

/** A process as its traces name it. */
interface Trace {
  /** As `life` says. */
  life: string
  /** Whether the place of the process is `PLACE`. */
  isHere: boolean
  /** When the process left the trace, in ms since 1970. */
  since: number
}

/** Whether the process that left a trace has ended. */
export const hasEnded = ({ life, isHere, since }: Trace): boolean =>
  isHere ? !lives(life) : Date.now() - since > DAY

function told<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
