/**
 * `npm run images` builds every image that the engine does not have, which takes minutes, so that whatever needs a
 * gateway in a container later finds its image. The images that the unit tests use come first.
 */
import { availableParallelism } from 'node:os'
import { Engine } from '../support/engine/engine.ts'
import { labImages } from '../support/lab/remote/lab-images.ts'
import { sideBySide } from '../support/side-by-side.ts'
import { bundledGateway, bundledNames } from './index.ts'

const engine = await Engine.connect()
await labImages(engine)
const newestFirst = bundledNames().sort((a, b) => Number(a.includes('@')) - Number(b.includes('@')))
await sideBySide(newestFirst, availableParallelism(), async name => {
  const image = bundledGateway(name).image?.()
  if (image) console.log(`${name}: ${await engine.image(image)}`)
})
