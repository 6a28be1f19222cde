import { availableParallelism } from 'node:os'
import { Engine } from '../support/containers/engine.ts'
import { Run } from '../support/run/run.ts'
import { bundledGateway, bundledNames } from './index.ts'

/** In a container, the bare name of a product is that of its newest release. */
const names = bundledNames().filter(
  name =>
    bundledGateway(name).kind !== 'container' || !bundledNames().some(other => other.startsWith(`${name}@`)),
)

/** Of every release, where there is an engine: `npm run contract`. Building their images takes minutes, once. */
describe('a bundled gateway keeps the contract', function () {
  this.timeout(20 * 60_000)
  const kept = new Map<string, Promise<void>>()

  before(async () => {
    const engine = await Engine.connect().catch((error: Error) => console.log(`      ${error.message}`))
    const waiting = names.filter(name => engine || bundledGateway(name).kind !== 'container')
    const turns = waiting.map(name => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      promise.catch(() => {})
      kept.set(name, promise)
      return { name, resolve, reject }
    })
    for (let lane = 0; lane < availableParallelism(); lane++)
      void (async () => {
        for (let turn = turns.shift(); turn; turn = turns.shift())
          await keeps(turn.name).then(turn.resolve, turn.reject)
      })()
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
