import { execFileSync } from 'node:child_process'
import { PACKAGE_ROOT } from '../package-root.ts'

/** How long git may take, in ms: no report waits longer for it. */
const LIMIT = 5_000

/** The commit of a checkout; empty for an installed package. */
export function commit(): string {
  try {
    const options = {
      cwd: PACKAGE_ROOT,
      stdio: ['ignore', 'pipe', 'ignore'] as ['ignore', 'pipe', 'ignore'],
      timeout: LIMIT,
    }
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], options).toString().trim()
  } catch {
    return ''
  }
}
