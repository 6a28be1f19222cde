import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCommand } from '../test-bed/fixtures/command.ts'
import { type FakeEngine, fakeEngine } from '../test-bed/fixtures/fake-engine.ts'

const LAB = ['lab', 'mailbox', 'names']

describe('images that a command has built', () => {
  let folder: string
  let engine: FakeEngine
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'builds-'))
  })
  afterEach(() => {
    engine.stop()
    rmSync(folder, { recursive: true })
  })

  const started = (...args: string[]) =>
    startCommand([...args, '--report', 'report'], { cwd: folder, env: { DOCKER_HOST: engine.place } })

  it('are built once for a whole matrix, and what keeps them from that is said of each gateway', async () => {
    engine = await fakeEngine({ build: answer => answer.end('{"error":"no flour"}\n') })
    const { status, err } = await started('matrix', 'chasquid', 'exim').ended
    assert.equal(status, 2)
    for (const name of ['chasquid', 'exim'])
      assert.match(err, new RegExp(`^mail-tls: ${name}: building the image of \\w+ failed: no flour`, 'm'))
    assert.deepEqual(engine.builds.sort(), LAB)
  })

  for (const [command, nothing] of [
    ['check', 'nothing was judged, and no report was written'],
    ['matrix', 'nothing was judged, and no matrix was written'],
  ] as const)
    it(`keep nobody waiting who ends a ${command}`, async () => {
      const begun = Promise.withResolvers<void>()
      const building: ServerResponse[] = []
      engine = await fakeEngine({
        build: answer => {
          if (building.push(answer) === LAB.length) begun.resolve()
        },
      })
      const { child, ended } = started(command, 'chasquid')
      await Promise.race([begun.promise, ended])
      const began = performance.now()
      child.kill('SIGINT')
      const { status, err } = await ended
      assert.deepEqual([status, err], [2, `mail-tls: ended by SIGINT; ${nothing}\n`])
      assert.ok(performance.now() - began < 5_000)
      assert.deepEqual(engine.builds.sort(), LAB)
      await Promise.all([...engine.open].map(answer => once(answer, 'close')))
      assert.equal(engine.networks.size, 0)
      const [report] = readdirSync(folder)
      assert.equal(report, command === 'matrix' ? 'report' : undefined)
    })
})
