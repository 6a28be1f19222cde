import assert from 'node:assert/strict'
import { Turns } from './turns.ts'

describe('what one has at a time', () => {
  it('is had in the order of asking, by its name', async () => {
    const turns = new Turns()
    const had: string[] = []
    const take = async (name: string, who: string) => {
      const free = await turns.take(name)
      had.push(who)
      return free
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
