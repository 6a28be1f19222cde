import { readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FOLDER_PREFIX } from '../gateway/embedded.ts'
import { lives } from '../life.ts'

/**
 * Removes the folders that runs left which were killed, or those of the processes that `isGone` names. Returns the names
 * of the folders.
 */
export function sweep(folder = tmpdir(), isGone: (pid: string) => boolean = pid => !lives(pid)): string[] {
  const left = readdirSync(folder).filter(name => {
    const [, pid] = new RegExp(`^${FOLDER_PREFIX}(\\d+)-`).exec(name) ?? []
    return pid !== undefined && isGone(pid)
  })
  return left.filter(name => {
    try {
      // A gateway that is about to end may still write into its folder.
      rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 3 })
      return true
    } catch {
      // Somebody else's, who can remove it.
      return false
    }
  })
}

/** Removes the folders of this process as it ends, also where it ends before its gateways were stopped. */
export function sweepAtExit(): void {
  process.once('exit', () => sweep(tmpdir(), pid => pid === String(process.pid)))
}
