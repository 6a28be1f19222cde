import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startCommand } from '../test-bed/fixtures/command.ts'
import type { Diagnosis } from './doctor.ts'

describe('mail-tls clean', function () {
  this.timeout(60_000)
  let folder: string
  const children: ChildProcess[] = []
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clean-'))
  })
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill('SIGTERM')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    rmSync(folder, { recursive: true })
  })

  type Environment = Record<string, string>
  const started = (...given: (string | Environment)[]) => {
    const args = given.filter(one => typeof one === 'string')
    const command = startCommand(args, {
      cwd: folder,
      env: Object.assign(
        // No engine: what others have left on one is not this test's.
        { TMPDIR: folder, DOCKER_HOST: 'unix:///nowhere/docker.sock' },
        ...given.filter(one => typeof one === 'object'),
      ),
    })
    children.push(command.child)
    return command
  }
  const ran = (...args: (string | Environment)[]) => started(...args).ended
  const foldersOf = ({ pid }: ChildProcess) =>
    readdirSync(folder)
      .filter(name => name.startsWith(`mail-tls-${pid}.`))
      .map(name => join(folder, name))

  const gatewaysOf = ({ pid }: ChildProcess) =>
    readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number)

  /** The gateways of a run that was stopped. A process that it has just forked is no gateway before it runs another program. */
  async function gatewaysOfStopped(run: ChildProcess): Promise<number[]> {
    for (;;) {
      const alive = gatewaysOf(run).filter(
        pid => !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1')),
      )
      if (alive.every(pid => readFileSync(`/proc/${pid}/environ`, 'latin1').includes('MAIL_TLS_RUN=')))
        return alive
      await pause(10)
    }
  }

  /** A run with a gateway that is up. */
  async function running(): Promise<ChildProcess> {
    const { child } = started('check', 'haraka')
    for (;;) {
      if (gatewaysOf(child).length > 0 && foldersOf(child).some(path => existsSync(join(path, 'config'))))
        return child
      await pause(10)
    }
  }

  it('removes the folder and the gateway of a killed run, and nothing of one that goes on', async function () {
    if (process.platform !== 'linux') this.skip()
    const [killed, alive] = await Promise.all([running(), running()])
    const others = join(folder, 'mail-tls-notes')
    mkdirSync(others)
    // A gateway that hangs does not see that its run has ended. The run is stopped first: it ends gateways as it goes on.
    killed.kill('SIGSTOP')
    const gateways = await gatewaysOfStopped(killed)
    for (const gateway of gateways) process.kill(gateway, 'SIGSTOP')
    const ended = once(killed, 'exit')
    killed.kill('SIGKILL')
    await ended
    const left = foldersOf(killed)
    assert.ok(gateways.length > 0)
    assert.ok(left.length > 0)

    const { leftovers } = JSON.parse((await ran('doctor', '--json')).out) as Diagnosis
    const named = leftovers.map(({ kind, name }) => `${kind} ${name.split(' ')[0]}`)
    for (const one of [
      ...gateways.map(gateway => `process ${gateway}`),
      ...left.map(path => `folder ${path}`),
    ])
      assert.ok(named.includes(one), `${one} is named among ${named.join(', ')}`)

    const { status, out } = await ran('clean')
    assert.equal(status, 0)
    for (const gateway of gateways)
      assert.match(out, new RegExp(`^removed process ${gateway} \\(.*\\), \\d+ s old$`, 'm'))
    for (const path of left) assert.ok(out.includes(`removed folder ${path}, `))
    assert.deepEqual(foldersOf(killed), [])
    assert.ok(foldersOf(alive).length > 0)
    assert.equal(out.match(/^removed process /gm)?.length, gateways.length)
    assert.equal(alive.exitCode ?? alive.signalCode, null)
    assert.ok(existsSync(others))
  })

  it('has nothing to remove where no run was killed', async () => {
    const { status, out, err } = await ran('clean')
    assert.deepEqual(
      [status, out, err],
      [
        0,
        'Nothing is left of killed runs.\n',
        'mail-tls: no container engine answers at unix:///nowhere/docker.sock (DOCKER_HOST): nothing listens there; containers were not looked for\n',
      ],
    )
  })

  it('ends with status 2 where it cannot look for containers, or the command is wrong', async () => {
    const { status, err } = await ran('clean', { DOCKER_HOST: 'ssh://build.test' })
    assert.equal(status, 2)
    assert.match(err, /no container engine at ssh:\/\/build\.test .*; containers were not looked for/)
    assert.equal((await ran('clean', 'everything')).status, 2)
  })
})
