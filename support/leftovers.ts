import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasEnded, PID_SCOPE, uniqueProcessId } from './process-id.ts'

/** Something that a run has left, because the run ended before it could remove it. */
export interface Leftover {
  kind: 'container' | 'network' | 'volume' | 'process' | 'folder'
  name: string
  /** In ms since 1970. */
  since: number
}

/** The environment variable that has `RUN_MARK` in every gateway process that a run starts. */
export const RUN_VARIABLE = 'MAIL_TLS_RUN'

const SCOPE_HASH = createHash('sha256').update(PID_SCOPE).digest('hex').slice(0, 8)

/** The part of a name that says which run it belongs to: the unique id of the run's process and a hash of its scope. */
export const RUN_MARK = `${(uniqueProcessId(process.pid) ?? String(process.pid)).replace('@', '.')}-${SCOPE_HASH}`

/** How the name of every temporary folder of a run begins; `mkdtemp` adds the rest. */
const folderOf = (mark: string): string => `mail-tls-${mark}-`

/** How the path of every temporary folder of this run begins. */
export const runFolder = (): string => join(tmpdir(), folderOf(RUN_MARK))

const MARK = /^(?<id>\d+(?:\.\d+)?)-(?<scope>[0-9a-f]{8})$/
const FOLDER = /^mail-tls-(?<mark>[\d.]+-[0-9a-f]{8})-\w{6}$/

/**
 * What killed runs of this user have left on this machine outside the engine, or what the runs have that are `wanted`:
 * first gateways, then folders.
 */
export function leftovers(folder = tmpdir(), wanted: Wanted = ownerHasEnded): Leftover[] {
  return [...processes(folder, wanted), ...folders(folder, wanted)]
}

/** Removes a leftover. Returns false if this is not possible. */
export function remove({ kind, name }: Leftover): boolean {
  try {
    if (kind === 'process') process.kill(Number(name.split(' ')[0]), 'SIGKILL')
    // A gateway that is about to end may still write into its folder.
    else rmSync(name, { recursive: true, force: true, maxRetries: 3 })
    return true
  } catch (error) {
    // ESRCH means that the process has ended by itself in the meantime.
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/** Removes what killed runs of this user have left on this machine outside the engine. Returns what it removed. */
export const sweep = (folder = tmpdir()): Leftover[] => leftovers(folder).filter(remove)

/**
 * Removes the gateway processes and the folders of this run when its process ends, also if it ends before it has stopped
 * its gateways. A gateway goes before its folder, because it may still write into the folder.
 */
export function sweepAtExit(): void {
  process.once('exit', () => {
    for (const left of leftovers(tmpdir(), mark => mark === RUN_MARK)) remove(left)
  })
}

/** Whether a run is meant, by its mark and by the time when something of it was made, in ms since 1970. */
type Wanted = (mark: string, since: number) => boolean

/** Temporary folders of runs of this user. */
function folders(folder: string, wanted: Wanted): Leftover[] {
  return readdirSync(folder).flatMap(entry => {
    const mark = FOLDER.exec(entry)?.groups?.['mark']
    if (mark === undefined) return []
    const name = join(folder, entry)
    const found = lstatSync(name, { throwIfNoEntry: false })
    if (!found?.isDirectory() || found.uid !== process.geteuid?.()) return []
    return wanted(mark, found.mtimeMs) ? [{ kind: 'folder', name, since: found.mtimeMs }] : []
  })
}

/**
 * Gateway processes of runs whose temporary folders are in `folder`, and not in a folder below: a gateway works in the
 * folder of its run. Only Linux shows the environment of a process.
 */
function processes(folder: string, wanted: Wanted): Leftover[] {
  if (process.platform !== 'linux') return []
  const within = realpathSync(folder)
  return readdirSync('/proc').flatMap(entry => {
    if (!/^\d+$/.test(entry)) return []
    try {
      const environment = readFileSync(`/proc/${entry}/environ`, 'latin1').split('\0')
      const mark = environment.find(one => one.startsWith(`${RUN_VARIABLE}=`))?.slice(RUN_VARIABLE.length + 1)
      const since = startOf(entry)
      if (mark === undefined || !wanted(mark, since)) return []
      if (!readlinkSync(`/proc/${entry}/cwd`).startsWith(join(within, folderOf(mark)))) return []
      const name = `${entry} (${readFileSync(`/proc/${entry}/comm`, 'latin1').trim()})`
      return [{ kind: 'process', name, since }]
    } catch {
      // The process belongs to another user, or it has ended in the meantime.
      return []
    }
  })
}

/**
 * When a process started, in ms since 1970. proc_pid_stat(5) has this in hundredths of a second since the boot of the
 * machine, and proc_stat(5) has the time of the boot.
 */
function startOf(pid: string): number {
  const [, booted] = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1')) ?? []
  const ticks = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')[19]
  return Number(booted) * 1000 + Number(ticks) * 10
}

/** Whether the process of the run with this mark has ended. `since` is in ms since 1970. */
function ownerHasEnded(mark: string, since: number): boolean {
  const { id, scope } = MARK.exec(mark)?.groups ?? {}
  return id !== undefined && hasEnded({ id: id.replace('.', '@'), isHere: scope === SCOPE_HASH, since })
}
