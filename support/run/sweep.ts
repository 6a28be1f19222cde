import { readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FOLDER_PREFIX } from '../gateway/embedded.ts'

/** Removes what runs left that were killed: folders of processes that are gone. Returns their names. */
export function sweep(folder = tmpdir()): string[] {
  const left = readdirSync(folder).filter(name => {
    const [, pid] = new RegExp(`^${FOLDER_PREFIX}(\\d+)-`).exec(name) ?? []
    return pid !== undefined && !alive(Number(pid))
  })
  for (const name of left) rmSync(join(folder, name), { recursive: true, force: true })
  return left
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
