import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const mocha = fileURLToPath(new URL('../node_modules/mocha/bin/mocha.js', import.meta.url))
const suite = fileURLToPath(new URL('contract.suite.ts', import.meta.url))

describe('npm run contract', () => {
  it('starts only the gateways of the selected tests, and asks no engine for a gateway without a container', async function () {
    this.timeout(120_000)
    const folder = mkdtempSync(join(tmpdir(), 'engine-'))
    const asked: string[] = []
    const engine = createServer(({ url }, response) => {
      asked.push(url!)
      response.writeHead(500).end()
    }).listen(join(folder, 'socket'))
    try {
      await once(engine, 'listening')
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [mocha, '--no-config', '--exit', '--reporter', 'json', suite, '--grep', 'the contract haraka$'],
        { env: { ...process.env, DOCKER_HOST: `unix://${join(folder, 'socket')}` } },
      )
      const { stats, passes } = JSON.parse(stdout.slice(stdout.indexOf('{\n')))
      assert.deepEqual([stats.tests, passes.map(({ title }: { title: string }) => title)], [1, ['haraka']])
      assert.deepEqual(asked, [])
    } finally {
      engine.close()
      rmSync(folder, { recursive: true })
    }
  })
})
