import assert from 'node:assert/strict'
import { sideBySide } from './side-by-side.ts'

describe('work side by side', () => {
  it('is done once for each item, in their order, for at most so many at a time', async () => {
    const begun: number[] = []
    let open = 0
    let most = 0
    await sideBySide([1, 2, 3, 4, 5], 2, async item => {
      begun.push(item)
      most = Math.max(most, ++open)
      await new Promise(resolve => setImmediate(resolve))
      open--
    })
    assert.deepEqual([begun, most, open], [[1, 2, 3, 4, 5], 2, 0])
  })

  it('fails with the item that fails', async () => {
    const fails = async (item: number) => {
      if (item === 2) throw new Error('the second')
    }
    await assert.rejects(sideBySide([1, 2, 3], 2, fails), /the second/)
  })

  it('is nothing without items', async () => {
    await sideBySide([], 3, () => Promise.reject(new Error('there is no item')))
  })
})
