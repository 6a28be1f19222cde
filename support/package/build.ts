/**
 * Builds `dist/`, which the package has in place of the sources: the same folders as the repository, with JavaScript
 * instead of TypeScript, because Node strips no types below `node_modules`. `npm run package` builds and packs.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, globSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../package-root.ts'

const DIST = join(PACKAGE_ROOT, 'dist')
const FOLDERS = 'features,steps,support,containers'
/** What only the repository needs. */
const LEFT_OUT = [
  'containers/*/{samples/**,breakages.yaml}',
  'support/{bench,ci,node,package,site,test-bed}/**',
  '**/registries/**',
  '**/*.ts',
]

rmSync(DIST, { recursive: true, force: true })
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'support/package/tsconfig.json'], {
  cwd: PACKAGE_ROOT,
  stdio: 'inherit',
})
const files = globSync(`{${FOLDERS}}/**`, { cwd: PACKAGE_ROOT, exclude: LEFT_OUT, withFileTypes: true })
for (const file of files.filter(entry => entry.isFile())) {
  const path = join(file.parentPath, file.name)
  cpSync(path, join(DIST, path.slice(PACKAGE_ROOT.length)))
}
cpSync(join(PACKAGE_ROOT, 'package.json'), join(DIST, 'package.json'))
