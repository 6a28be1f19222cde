import { availableParallelism } from 'node:os'
import { Engine } from '../support/engine/engine.ts'
import { Run } from '../support/run/run.ts'
import { proposalExcuses } from '../support/test-bed/fixtures/proposal.ts'
import { bundledGateway, bundledNames } from './index.ts'

const inContainer = (name: string) => bundledGateway(name).kind === 'container'

/** The bare name of a product in a container means its newest release, which this list has under its full name. */
const all = bundledNames().filter(
  name => !inContainer(name) || !bundledNames().some(other => other.startsWith(`${name}@`)),
)

/** The newest release of each product: a list of releases begins with it. */
const newest = all.filter(
  (name, at) => all.findIndex(other => other.split('@')[0] === name.split('@')[0]) === at,
)

/**
 * Defines one test for each gateway: for every release if there is an engine, otherwise for gateways without containers.
 * The first run builds the images, which takes minutes. The work for several gateways runs side by side, and each test
 * awaits the work for its gateway.
 */
function ofEveryGateway(
  title: string,
  work: (name: string) => Promise<unknown>,
  names: readonly string[] = all,
): void {
  describe(title, function () {
    this.timeout(20 * 60_000)
    const results = new Map<string, Promise<void>>()
    const queue: (() => Promise<void>)[] = []
    const lanes: Promise<void>[] = []

    let options: Mocha.MochaOptions = {}
    this.parent!.once('post-require', (_, _file, mocha) => {
      options = mocha.options
    })
    /** Whether Mocha runs this test, with `--grep` and `--invert`. The suite starts a gateway only for such a test. */
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
        queue.push(async () => {
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
            for (let next = queue.shift(); next; next = queue.shift()) await next()
          })(),
        )
    })

    // A test can fail before its gateway has stopped. Mocha then ends this process, so the gateways must stop first.
    after(async () => {
      queue.length = 0
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

ofEveryGateway(
  'a bundled gateway passes with the deviations that its own run proposes',
  name => proposalExcuses(bundledGateway(name)),
  newest,
)
