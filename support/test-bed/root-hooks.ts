/** What Mocha loads into each of its processes before the unit tests. */
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** How long what the tests of a file have closed may take to end, in ms. */
const GRACE = 15_000
const PAUSE = 20

// The processes that tests start spend much of their time on loading modules.
process.env['NODE_COMPILE_CACHE'] ??= join(tmpdir(), 'node-compile-cache')

/** What keeps this process alive, with the timer that Mocha starts after the first turn of a hook. */
async function open(): Promise<string[]> {
  await pause(PAUSE, undefined, { ref: false })
  return process.getActiveResourcesInfo().sort()
}

let before: string[] = []
/** What a test that failed has left is no second fault. It may last while the tests of other files run in this process. */
let failed = false

/** Mocha ends its processes by force, so it would not notice tests that leave a server, a connection or a timer. */
export const mochaHooks = {
  async beforeAll() {
    // Node opens these at their first use, which is not a fault of that test.
    for (const stream of [process.stdout, process.stderr]) stream.write('')
    before = await open()
  },
  afterEach(this: Mocha.Context) {
    failed ||= this.currentTest?.state === 'failed'
  },
  async afterAll(this: Mocha.Context) {
    if (failed) return
    const until = performance.now() + GRACE
    let left = await open()
    while (left.length > before.length && performance.now() < until) left = await open()
    const titles = this.test!.parent!.suites.map(({ title }) => title).join(', ')
    if (left.length > before.length)
      assert.deepEqual(left, before, `the tests of ${titles} have left something open`)
  },
}
