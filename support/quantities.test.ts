import assert from 'node:assert/strict'
import { counted, day, duration, minute } from './quantities.ts'

describe('a quantity in words', () => {
  it('has the singular or the plural of its noun', () => {
    assert.deepEqual(
      [0, 1, 2].map(count => counted(count, 'line')),
      ['0 lines', '1 line', '2 lines'],
    )
    assert.equal(counted(3, 'entry', 'entries'), '3 entries')
  })

  it('is a duration in a unit that suits its length', () => {
    const cases: [ms: number, text: string][] = [
      [0, '0 ms'],
      [0.44, '0.4 ms'],
      [9.96, '10 ms'],
      [48.4, '48 ms'],
      [2_468, '2.5 s'],
      [59_940, '59.9 s'],
      [59_960, '1 min 0 s'],
      [200_000, '3 min 20 s'],
    ]
    for (const [ms, text] of cases) assert.equal(duration(ms), text)
  })

  it('is a time in UTC, whatever its zone was', () => {
    assert.equal(minute('2026-11-24T12:57:02.004+01:00'), '2026-11-24 11:57 UTC')
    assert.equal(day('Nov 24 23:30:00 2026 GMT'), '2026-11-24')
  })

  it('is the text as it is, if this is not a time', () => {
    assert.deepEqual([minute('soon'), day('')], ['soon', ''])
  })
})
