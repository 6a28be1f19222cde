import assert from 'node:assert/strict'
import { setImmediate as soon } from 'node:timers/promises'
import { Turns } from './turns.ts'

describe('the turns at a gateway that is changed in place', () => {
  /** Notes the changes; a change to `bad` fails. */
  const turnsOf = () => {
    const changes: string[] = []
    const turns = new Turns(async key => {
      changes.push(key)
      await soon()
      if (key === 'bad') throw new Error('no')
    }, '')
    return { turns, changes }
  }

  it('are side by side with the same changes, and need none at first', async () => {
    const { turns, changes } = turnsOf()
    await Promise.all([turns.take(''), turns.take('')])
    assert.deepEqual(changes, [])
  })

  it('wait until nobody has other changes, and who has the same comes first', async () => {
    const { turns, changes } = turnsOf()
    const order: string[] = []
    const one = await turns.take('')
    const other = turns.take('b').then(leave => {
      order.push('b')
      return leave
    })
    const same = await turns.take('')
    order.push('same')
    one()
    one()
    await soon()
    assert.deepEqual([order, changes], [['same'], []])
    same()
    const leave = await other
    assert.deepEqual([order, changes], [['same', 'b'], ['b']])
    leave()
    await turns.take('')
    assert.deepEqual(changes, ['b', ''])
  })

  it('fail where the change fails, once and for all, and the others go on', async () => {
    const { turns, changes } = turnsOf()
    const [first, second, third] = await Promise.allSettled([
      turns.take('bad'),
      turns.take('bad'),
      turns.take('b'),
    ])
    assert.deepEqual([first.status, second.status, third.status], ['rejected', 'rejected', 'fulfilled'])
    ;(third as PromiseFulfilledResult<() => void>).value()
    await assert.rejects(turns.take('bad'), { message: 'no' })
    await turns.take('')
    assert.deepEqual(changes, ['bad', 'b', ''])
  })
})
