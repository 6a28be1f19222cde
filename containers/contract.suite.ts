import { availableParallelism } from 'node:os'
import { Engine } from '../support/engine/engine.ts'
import { Run } from '../support/run/run.ts'
import { bundledGateway, bundledNames } from './index.ts'

const inContainer = (name: string) => bundledGateway(name).kind === 'container'

/** In a container, the bare name of a product is that of its newest release. */
const names = bundledNames().filter(
  name => !inContainer(name) || !bundledNames().some(other => other.startsWith(`${name}@`)),
)

/** Of every release, where there is an engine: `npm run contract`. Building their images takes minutes, once. */
describe('a bundled gateway keeps the contract', function () {
  this.timeout(20 * 60_000)
  const kept = new Map<string, Promise<void>>()
  const turns: (() => Promise<void>)[] = []
  const lanes: Promise<void>[] = []

  let options: Mocha.MochaOptions = {}
  this.parent!.once('post-require', (_, _file, mocha) => {
    options = mocha.options
  })
  /** Whether `--grep` and its kin leave its test in: a gateway is started ahead of its test, and for no other. */
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
      kept.set(name, promise)
      turns.push(() => keeps(name).then(resolve, reject))
    }
    for (let lane = 0; lane < availableParallelism(); lane++)
      lanes.push(
        (async () => {
          for (let turn = turns.shift(); turn; turn = turns.shift()) await turn()
        })(),
      )
  })

  // A test that ends before its gateway leaves it running, and Mocha is about to end this process.
  after(async () => {
    turns.length = 0
    await Promise.all(lanes)
  })

  for (const name of names)
    it(name, async function () {
      await (kept.get(name) ?? this.skip())
    })
})

async function keeps(name: string): Promise<void> {
  const run = await Run.start({ source: bundledGateway(name) })
  try {
    await run.mustWork()
  } finally {
    await run.stop()
  }
}
