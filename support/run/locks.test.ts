import assert from 'node:assert/strict'
import { Locks } from './locks.ts'

describe('a lock', () => {
  it('has one holder at a time, in the order of asking, and does not wait for locks of other names', async () => {
    const locks = new Locks()
    const had: string[] = []
    const take = async (name: string, who: string) => {
      const release = await locks.take(name)
      had.push(who)
      return release
    }
    const first = await take('a', 'first')
    const [second, third] = [take('a', 'second'), take('a', 'third')]
    await take('b', 'of another')
    assert.deepEqual(had, ['first', 'of another'])
    first()
    ;(await second)()
    await third
    assert.deepEqual(had, ['first', 'of another', 'second', 'third'])
  })
})
