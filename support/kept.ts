import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { PACKAGE_ROOT } from './package-root.ts'

/** Only a checkout has it. `npm ci` removes it with all that is kept. */
const PACKAGES = join(PACKAGE_ROOT, 'node_modules')

/**
 * What `make` returns, which must depend on `of` alone. In a checkout it is kept for the next process, because the tests
 * start hundreds of commands. `packages`: a stand-in for the folder of the packages.
 */
export function kept<T>(of: string, make: () => T, packages = PACKAGES): T {
  if (!existsSync(packages)) return make()
  const name = createHash('sha256').update(`${process.version}\n${of}`).digest('hex')
  const folder = join(packages, '.cache/mail-tls')
  const file = join(folder, name)
  try {
    return deserialize(readFileSync(file))
  } catch {
    const made = make()
    keep(folder, file, serialize(made))
    return made
  }
}

/** Another process never reads a half of it. */
function keep(folder: string, file: string, bytes: Buffer): void {
  const own = `${file}.${process.pid}`
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(own, bytes)
    renameSync(own, file)
  } catch {
    // Whoever may not write there makes it anew each time.
  }
}
