import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasEnded, life, PLACE } from './life.ts'

/** Something that a run left which has ended without clearing up. */
export interface Leftover {
  kind: 'container' | 'network' | 'volume' | 'process' | 'folder'
  name: string
  /** In ms since 1970. */
  since: number
}

/** In the environment of every process that a run starts as a gateway: the mark of the run. */
export const RUN_VARIABLE = 'MAIL_TLS_RUN'

const PLACE_HASH = createHash('sha256').update(PLACE).digest('hex').slice(0, 8)

/** Of this run, in names: the id and the start of its process, and where these mean something. */
export const RUN_MARK = `${(life(process.pid) ?? String(process.pid)).replace('@', '.')}-${PLACE_HASH}`

/** How the path of every temporary folder of this run begins; `mkdtemp` adds the rest. */
export const runFolder = (): string => join(tmpdir(), `mail-tls-${RUN_MARK}-`)

const MARK = /^(?<life>\d+(?:\.\d+)?)-(?<place>[0-9a-f]{8})$/
const FOLDER = /^mail-tls-(?<mark>[\d.]+-[0-9a-f]{8})-\w{6}$/

/** What killed runs of this user left on this machine, containers aside: their gateways first, then their folders. */
export function leftovers(folder = tmpdir()): Leftover[] {
  return [...processesLeft(), ...foldersLeft(folder)]
}

/** Removes what `leftovers` told of. False where that is not possible. */
export function remove({ kind, name }: Leftover): boolean {
  try {
    if (kind === 'process') process.kill(Number(name.split(' ')[0]), 'SIGKILL')
    // A gateway that is about to end may still write into its folder.
    else rmSync(name, { recursive: true, force: true, maxRetries: 3 })
    return true
  } catch (error) {
    // It has ended by itself meanwhile.
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/** Removes what killed runs left on this machine, containers aside. Returns what it removed. */
export const sweep = (folder = tmpdir()): Leftover[] => leftovers(folder).filter(remove)

/** Removes the folders of this process as it ends, also where it ends before its gateways were stopped. */
export function sweepAtExit(): void {
  process.once('exit', () => {
    for (const left of folders(tmpdir(), mark => mark === RUN_MARK)) remove(left)
  })
}

const foldersLeft = (folder: string): Leftover[] => folders(folder, isOver)

/** Folders of this user whose mark is `wanted`. */
function folders(folder: string, wanted: (mark: string, since: number) => boolean): Leftover[] {
  return readdirSync(folder).flatMap(entry => {
    const mark = FOLDER.exec(entry)?.groups?.['mark']
    if (mark === undefined) return []
    const name = join(folder, entry)
    const found = lstatSync(name, { throwIfNoEntry: false })
    if (!found?.isDirectory() || found.uid !== process.geteuid?.()) return []
    return wanted(mark, found.mtimeMs) ? [{ kind: 'folder', name, since: found.mtimeMs }] : []
  })
}

/** Gateways that outlive their run. Only Linux tells the environment of a process. */
function processesLeft(): Leftover[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc').flatMap(entry => {
    if (!/^\d+$/.test(entry)) return []
    try {
      const environment = readFileSync(`/proc/${entry}/environ`, 'latin1').split('\0')
      const mark = environment.find(one => one.startsWith(`${RUN_VARIABLE}=`))?.slice(RUN_VARIABLE.length + 1)
      const since = startOf(entry)
      if (mark === undefined || !isOver(mark, since)) return []
      const name = `${entry} (${readFileSync(`/proc/${entry}/comm`, 'latin1').trim()})`
      return [{ kind: 'process', name, since }]
    } catch {
      // Another user's, or it has ended meanwhile.
      return []
    }
  })
}

/** In ms since 1970, from proc_pid_stat(5) and proc_stat(5): in hundredths of a second since the machine started. */
function startOf(pid: string): number {
  const [, booted] = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1')) ?? []
  const ticks = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')[19]
  return Number(booted) * 1000 + Number(ticks) * 10
}

function isOver(mark: string, since: number): boolean {
  const { life: own, place } = MARK.exec(mark)?.groups ?? {}
  return own !== undefined && hasEnded({ life: own.replace('.', '@'), isHere: place === PLACE_HASH, since })
}
