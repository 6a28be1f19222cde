import { availableParallelism } from 'node:os'
import { Engine } from '../support/engine/engine.ts'
import { Run } from '../support/run/run.ts'
import { proposalExcuses } from '../support/test-bed/fixtures/proposal.ts'
import { bundledGateway, bundledNames } from './index.ts'

const inContainer = (name: string) => bundledGateway(name).kind === 'container'

/** In a container, the bare name of a product is that of its newest release. */
const names = bundledNames().filter(
  name => !inContainer(name) || !bundledNames().some(other => other.startsWith(`${name}@`)),
)

/**
 * Of every release, where there is an engine: `npm run contract`. Building their images takes minutes, once. Some
 * gateways are tested side by side, ahead of their tests.
 */
function ofEveryGateway(title: string, work: (name: string) => Promise<unknown>): void {
  describe(title, function () {
    this.timeout(20 * 60_000)
    const results = new Map<string, Promise<void>>()
    const turns: (() => Promise<void>)[] = []
    const lanes: Promise<void>[] = []

    let options: Mocha.MochaOptions = {}
    this.parent!.once('post-require', (_, _file, mocha) => {
      options = mocha.options
    })
    /** Whether `--grep` and the like leave its test in: no other gateway is started ahead of its test. */
    const selected = (test: Mocha.Test) =>
      !options.grep || test.fullTitle().search(options.grep) >= 0 !== (options.invert ?? false)

    before(async function () {
      let waiting = this.test!.parent!.tests.filter(selected).map(({ title }) => title)
      if (waiting.some(inContainer)) {
        const engine = await Engine.connect().catch((error: Error) => console.log(`      ${error.message}`))
        if (!engine) waiting = waiting.filter(name => !inContainer(name))
      }
      for (const name of waiting) {
        const { promise, resolve, reject } = Promise.withResolvers<void>()
        promise.catch(() => {})
        results.set(name, promise)
        turns.push(async () => {
          try {
            await work(name)
            resolve()
          } catch (error) {
            reject(error)
          }
        })
      }
      for (let lane = 0; lane < availableParallelism(); lane++)
        lanes.push(
          (async () => {
            for (let turn = turns.shift(); turn; turn = turns.shift()) await turn()
          })(),
        )
    })

    // A test that ends before its gateway leaves the gateway running, and Mocha is about to end this process.
    after(async () => {
      turns.length = 0
      await Promise.all(lanes)
    })

    for (const name of names)
      it(name, async function () {
        await (results.get(name) ?? this.skip())
      })
  })
}

ofEveryGateway('a bundled gateway keeps the contract', async name => {
  const run = await Run.start({ source: bundledGateway(name) })
  try {
    await run.mustWork()
  } finally {
    await run.stop()
  }
})

ofEveryGateway('a bundled gateway passes with the deviations that its own run proposes', name =>
  proposalExcuses(bundledGateway(name)),
)
