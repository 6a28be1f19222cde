import { Engine } from './engine.ts'

/** For the `before` of a container test: an engine, or the test is skipped with the reason. */
export async function engineOrSkip(test: Mocha.Context): Promise<Engine> {
  try {
    return await Engine.connect()
  } catch (error) {
    console.log(`      skipped: ${(error as Error).message}`)
    return test.skip()
  }
}
