import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { LoopbackLab } from '../lab/loopback-lab.ts'
import { standardFlow } from '../mailflow/standard-flow.ts'
import { Pki } from '../pki/pki.ts'
import { reference } from '../reference/gateway.ts'
import { isLoopback, socketsOf } from '../test-bed/fixtures/sockets.ts'

const COMMAND = join(import.meta.dirname, 'mail-tls.js')
/** The gateway as sender, with a second server and a tap, and with users who log in. */
const REQUIREMENTS = ['EXO-FRC-01', 'EXO-S2S-01', 'RFC8314-02']

/** Addresses at both ends of all sockets that a process and its descendants have open now. */
const addressesOf = (pid: number): string[] =>
  socketsOf(pid).flatMap(({ local, remote }) => [local, ...(remote.endsWith(':0') ? [] : [remote])])

describe('a run without containers', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip()
  })

  it('has no socket beyond the loopback interface', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mail-tls-test-'))
    const wanted = REQUIREMENTS.flatMap(id => ['--requirement', id])
    const args = ['check', 'haraka', '--circumstances', 'none', ...wanted, '--report', folder]
    const child = spawn(process.execPath, [COMMAND, ...args], { stdio: 'ignore' })
    const ended = once(child, 'exit')
    const seen = new Set<string>()
    while (child.exitCode === null) {
      for (const address of addressesOf(child.pid!)) seen.add(address)
      await pause(30)
    }
    const [status] = await ended
    await rm(folder, { recursive: true })
    assert.equal(status, 0)
    assert.ok(seen.size > 10, `the test saw ${seen.size} addresses`)
    assert.deepEqual(
      [...seen].filter(address => !isLoopback(address)),
      [],
    )
  })

  it('has no socket beyond the loopback interface with the reference gateway', async () => {
    const before = new Set(addressesOf(process.pid))
    const lab = new LoopbackLab(new Pki())
    await lab.start()
    const network = { resolver: `127.0.0.1:${lab.dnsPort}`, partnerPort: lab.port }
    const gateway = await reference().start(await standardFlow(reference(), { pki: lab.pki, network }))
    const added = addressesOf(process.pid).filter(address => !before.has(address))
    await Promise.all([gateway.stop(), lab.stop()])
    assert.ok(added.length > 3, `the test saw ${added.length} addresses`)
    assert.deepEqual(
      added.filter(address => !isLoopback(address)),
      [],
    )
  })
})
