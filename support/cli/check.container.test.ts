import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine } from '../engine/engine.ts'
import { LABELS } from '../engine/labels.ts'
import { engineOrSkip } from '../test-bed/fixtures/test-engine.ts'

const COMMAND = join(import.meta.dirname, 'mail-tls.js')

describe('the check of a gateway in a container', function () {
  this.timeout(300_000)
  let engine: Engine
  let folder: string
  before(async function () {
    engine = await engineOrSkip(this)
    folder = mkdtempSync(join(tmpdir(), 'check-'))
  })
  after(() => folder && rmSync(folder, { recursive: true }))

  /** What the process has on the engine: containers by name, then networks. */
  const made = async (pid: number) => {
    const filters = { label: [LABELS.run] }
    const [containers, networks] = await Promise.all([
      engine.docker.listContainers({ all: true, filters }),
      engine.docker.listNetworks({ filters }),
    ])
    const own = (labels: Record<string, string> = {}) => labels[LABELS.pid]?.split('@')[0] === `${pid}`
    return [
      ...containers.filter(({ Labels }) => own(Labels)).map(({ Labels }) => Labels[LABELS.name]!),
      ...networks.filter(({ Labels }) => own(Labels)).map(() => 'network'),
    ]
  }

  for (const moment of ['network', 'lab', 'chasquid'])
    it(`leaves nothing on the engine when it is ended once it has made: ${moment}`, async () => {
      const child = spawn(process.execPath, [COMMAND, 'check', 'chasquid', '--report', 'report'], {
        cwd: folder,
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let said = ''
      child.stderr.on('data', chunk => {
        said += chunk
      })
      const ended = once(child, 'close')
      // Asked, because what the engine tells of as it happens has no labels; bounded by the time-out.
      while (!(await made(child.pid!)).includes(moment)) assert.equal(child.exitCode, null, said)
      process.kill(-child.pid!, 'SIGINT')
      const [status] = await ended
      assert.equal(status, 2)
      assert.match(said, /^mail-tls: ended by SIGINT; nothing was judged$/m)
      assert.deepEqual(await made(child.pid!), [])
      assert.deepEqual(readdirSync(folder), [])
    })
})
