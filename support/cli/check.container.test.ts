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

  const started = () => {
    const child = spawn(process.execPath, [COMMAND, 'check', 'chasquid', '--report', 'report'], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const said = { text: '' }
    child.stderr.on('data', chunk => {
      said.text += chunk
    })
    /** Polls, because the engine tells of its containers without their labels; bounded by the time-out of the test. */
    const has = async (what: string) => {
      while (!(await made(child.pid!)).includes(what)) assert.equal(child.exitCode, null, said.text)
    }
    return { pid: child.pid!, has, said, ended: once(child, 'close') }
  }

  for (const moment of ['network', 'lab', 'chasquid'])
    it(`leaves nothing on the engine when it is ended once it has made: ${moment}`, async () => {
      const { pid, has, said, ended } = started()
      await has(moment)
      process.kill(-pid, 'SIGINT')
      assert.equal((await ended)[0], 2)
      assert.match(said.text, /^mail-tls: ended by SIGINT; nothing was judged, and no report was written$/m)
      assert.deepEqual(await made(pid), [])
      assert.deepEqual(readdirSync(folder), [])
    })

  it('ends at once at a second signal, and has another process remove what is on the engine', async () => {
    const { pid, has, said, ended } = started()
    await has('chasquid')
    process.kill(-pid, 'SIGINT')
    await new Promise(resolve => setTimeout(resolve, 100))
    process.kill(-pid, 'SIGINT')
    assert.deepEqual([(await ended)[0], said.text], [2, ''])
    assert.notDeepEqual(await made(pid), [])
    while ((await made(pid)).length > 0);
    assert.deepEqual(readdirSync(folder), [])
  })
})
