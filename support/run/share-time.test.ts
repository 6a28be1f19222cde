import assert from 'node:assert/strict'
import { inShares, shareOfTime } from './share-time.ts'

describe('work that shares the time', () => {
  it('has a share that ends later for each that begins later, those side by side together', () => {
    const shares = (count: number) =>
      Array.from({ length: count }, (_, at) => shareOfTime(at, { count, lanes: 3 }))
    assert.deepEqual(shares(2), [1, 1])
    assert.deepEqual(shares(4), [0.5, 0.5, 0.5, 1])
    assert.deepEqual(
      shares(9),
      [1, 1, 1, 2, 2, 2, 3, 3, 3].map(third => third / 3),
    )
  })

  /** Each work takes so many steps, and all time is so long. Returns how many steps each had. */
  async function done(works: number[], time: number) {
    const had = works.map(() => 0)
    let now = 0
    const left = await inShares(works, 1, async (work, at, share) => {
      let rest = work
      for (; rest > 0 && now < time * share; rest--) {
        now++
        had[at]!++
      }
      return rest > 0 ? rest : undefined
    })
    return { had, left }
  }

  it('is done in its order where there is time for all', async () => {
    assert.deepEqual(await done([4, 4, 4], 12), { had: [4, 4, 4], left: [] })
  })

  it('is all begun where there is not', async () => {
    assert.deepEqual(await done([4, 4, 4], 6), { had: [2, 2, 2], left: [0, 1, 2] })
  })

  it('has the time that others did not need', async () => {
    assert.deepEqual(await done([8, 1, 1], 12), { had: [8, 1, 1], left: [] })
    assert.deepEqual(await done([8, 1, 1], 9), { had: [7, 1, 1], left: [0] })
  })
})
