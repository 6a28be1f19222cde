import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PACKAGE_ROOT } from '../package-root.ts'
import { keepsVerdictsSchema } from '../test-bed/fixtures/schemas.ts'
import { engineOrSkip } from '../test-bed/fixtures/test-engine.ts'

const run = promisify(execFile)
const SOCKET = '/var/run/docker.sock'
const TAG = `mail-tls-trial-${process.pid}`

describe('the image', function () {
  this.timeout(900_000)
  let built = false
  before(async function () {
    await engineOrSkip(this)
    await run('npm', ['run', '--silent', 'image', TAG], { cwd: PACKAGE_ROOT })
    built = true
  })
  after(() => built && run('docker', ['rmi', '--force', TAG]))

  const docker = (options: readonly string[], ...args: string[]) =>
    run('docker', ['run', '--rm', ...options, TAG, ...args], { maxBuffer: 64 * 1024 * 1024 }).then(
      ({ stdout }) => ({ status: 0, stdout, stderr: '' }),
      ({ code, stdout, stderr }) => ({ status: code, stdout, stderr }),
    )

  it('does not run as root', async () => {
    const { stdout } = await docker(['--entrypoint', 'id'], '-u')
    assert.match(stdout, /^[1-9]\d*\n$/)
  })

  it('judges Haraka without any network', async () => {
    const { status, stdout, stderr } = await docker(
      ['--network', 'none'],
      ...['check', '--requirement', 'RFC3207-07', '--json'],
    )
    assert.equal(status, 0, stderr)
    keepsVerdictsSchema(JSON.parse(stdout))
  })

  it('says what is missing where no engine is handed in', async () => {
    const { status, stderr } = await docker([], 'check', 'postfix')
    assert.equal(status, 2)
    assert.match(stderr, /no container engine answers/)
  })

  it('judges Postfix with an engine that is handed in, and leaves the report in a folder of the user', async function () {
    const socket = statSync(SOCKET, { throwIfNoEntry: false })
    if (!socket) this.skip()
    const reports = mkdtempSync(join(tmpdir(), 'image-reports-'))
    chmodSync(reports, 0o777)
    try {
      const { status, stdout, stderr } = await docker(
        [
          ...['--network', 'host', '--group-add', String(socket.gid)],
          ...['--volume', `${SOCKET}:${SOCKET}`, '--volume', `${reports}:/home/suite/reports`],
        ],
        ...['check', 'postfix', '--requirement', 'RFC3207-07', '--json'],
      )
      assert.equal(status, 0, stderr)
      assert.equal(JSON.parse(stdout).gateway.name, 'postfix')
      assert.ok(statSync(join(reports, 'postfix/report.html')).size > 0)
    } finally {
      // The files belong to the user of the image.
      await docker(
        ['--volume', `${reports}:/home/suite/reports`, '--entrypoint', 'rm'],
        '-r',
        '/home/suite/reports/postfix',
      )
      rmSync(reports, { recursive: true })
    }
  })
})
