import assert from 'node:assert/strict'
import { nearest } from './nearest.ts'

describe('nearest words', () => {
  it('come in the order of their distance', () => {
    assert.deepEqual(nearest('EXO-FRC-1', ['EXO-FRC-22', 'EXO-FRC-02', 'EXO-FRC-01']), [
      'EXO-FRC-01',
      'EXO-FRC-02',
      'EXO-FRC-22',
    ])
  })

  it('are found in upper and lower case', () => {
    assert.deepEqual(nearest('exo-frc-01', ['EXO-FRC-01']), ['EXO-FRC-01'])
  })

  it('include no word that is too different', () => {
    assert.deepEqual(nearest('dnae', ['dane', 'exchange-online-2021']), ['dane'])
    assert.deepEqual(nearest('quite something else', ['dane']), [])
  })

  it('are at most three', () => {
    assert.equal(nearest('a', ['a1', 'a2', 'a3', 'a4']).length, 3)
  })
})
