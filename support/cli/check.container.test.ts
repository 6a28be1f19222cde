import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { bundledGateway } from '../../containers/index.ts'
import type { Engine } from '../engine/engine.ts'
import { LABELS } from '../engine/labels.ts'
import { labImages } from '../lab/remote/lab-images.ts'
import { startCommand } from '../test-bed/fixtures/command.ts'
import { engineOrSkip } from '../test-bed/fixtures/test-engine.ts'

/** Between two looks at the engine, in ms. */
const PAUSE = 20

describe('the check of a gateway in a container', function () {
  this.timeout(300_000)
  let engine: Engine
  let folder: string
  before(async function () {
    engine = await engineOrSkip(this)
    await Promise.all([labImages(engine), engine.image(bundledGateway('chasquid').image!())])
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
    const { child, printed, ended } = startCommand(['check', 'chasquid', '--report', 'report'], {
      cwd: folder,
      detached: true,
    })
    /** Polls, because the engine tells of its containers without their labels; bounded by the time-out of the test. */
    const has = async (what: string) => {
      while (!(await made(child.pid!)).includes(what)) {
        assert.equal(child.exitCode, null, printed.err)
        await pause(PAUSE)
      }
    }
    return { pid: child.pid!, has, ended }
  }

  for (const moment of ['network', 'lab', 'chasquid'])
    it(`leaves nothing on the engine when it is ended once it has made: ${moment}`, async () => {
      const { pid, has, ended } = started()
      await has(moment)
      process.kill(-pid, 'SIGINT')
      const { status, err } = await ended
      assert.equal(status, 2)
      assert.match(err, /^mail-tls: ended by SIGINT; nothing was judged, and no report was written$/m)
      assert.deepEqual(await made(pid), [])
      assert.deepEqual(readdirSync(folder), [])
    })

  it('ends at once at a second signal, and has another process remove what is on the engine', async () => {
    const { pid, has, ended } = started()
    await has('chasquid')
    process.kill(-pid, 'SIGINT')
    await pause(100)
    process.kill(-pid, 'SIGINT')
    const { status, err } = await ended
    assert.deepEqual([status, err], [2, ''])
    assert.notDeepEqual(await made(pid), [])
    while ((await made(pid)).length > 0) await pause(PAUSE)
    assert.deepEqual(readdirSync(folder), [])
  })
})
