import { execFileSync } from 'node:child_process'
import { PACKAGE_ROOT } from '../package-root.ts'

/** The commit of a checkout; empty for an installed package. */
export function commit(): string {
  try {
    const options = { cwd: PACKAGE_ROOT, stdio: ['ignore', 'pipe', 'ignore'] as ['ignore', 'pipe', 'ignore'] }
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], options).toString().trim()
  } catch {
    return ''
  }
}
