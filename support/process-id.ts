import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/**
 * The scope in which a process id names one process: the host name and, if the system tells them, the boot of the machine
 * and the namespace of process ids.
 */
export const PID_SCOPE = [
  hostname(),
  valueIfReadable(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()),
  valueIfReadable(() => readlinkSync('/proc/self/ns/pid')),
]
  .filter(Boolean)
  .join('/')

/**
 * An id that no later process with the same `pid` has: `PID@START`, or `PID` if the system does not tell when the process
 * started. Undefined if there is no such process.
 */
export function uniqueProcessId(pid: number): string | undefined {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM means that the process exists and belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined
  }
  // Field 22 of proc_pid_stat(5). The process name in parentheses may contain blanks.
  const start = valueIfReadable(
    () => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ')[19],
  )
  return start ? `${pid}@${start}` : String(pid)
}

/** Whether the process with this id, from `uniqueProcessId` in this scope, still runs. `PID` means any process with it. */
export function isRunning(id: string): boolean {
  const now = uniqueProcessId(Number.parseInt(id, 10))
  return now !== undefined && (now === id || !now.includes('@') || !id.includes('@'))
}

/** After this time, in ms, a process in another scope counts as ended, because this process cannot check it. */
const DAY = 24 * 60 * 60 * 1000

/** The process that left something behind. */
interface Owner {
  /** From `uniqueProcessId`. */
  id: string
  /** Whether the scope of the process is `PID_SCOPE`. */
  isHere: boolean
  /** When the process left it, in ms since 1970. */
  since: number
}

/** Whether the process that left something behind has ended. */
export const hasEnded = ({ id, isHere, since }: Owner): boolean =>
  isHere ? !isRunning(id) : Date.now() - since > DAY

function valueIfReadable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
