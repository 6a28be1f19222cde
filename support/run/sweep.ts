import { readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FOLDER_PREFIX } from '../gateway/embedded.ts'
import { lives } from '../life.ts'

/** Removes what runs left that were killed: folders of processes that are gone. Returns their names. */
export function sweep(folder = tmpdir()): string[] {
  const left = readdirSync(folder).filter(name => {
    const [, pid] = new RegExp(`^${FOLDER_PREFIX}(\\d+)-`).exec(name) ?? []
    return pid !== undefined && !lives(pid)
  })
  return left.filter(name => {
    try {
      rmSync(join(folder, name), { recursive: true, force: true })
      return true
    } catch {
      // Somebody else's, who can remove it.
      return false
    }
  })
}
