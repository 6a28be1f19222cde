import assert from 'node:assert/strict'
import { exitStatus } from './exit-status.ts'
import type { VerdictName } from './verdict.ts'

describe('the exit status', () => {
  const status = (names: VerdictName[], strict = false) =>
    exitStatus(
      names.map(name => ({ verdict: name })),
      { strict },
    )
  const cases: [names: VerdictName[], plain: number, strict: number][] = [
    [[], 2, 2],
    [['conformant'], 0, 0],
    [['deviates'], 0, 0],
    [['declined'], 0, 1],
    [['non-conformant'], 1, 1],
    [['stale'], 1, 1],
    [['inapplicable'], 2, 2],
    [['inconclusive'], 2, 2],
    [['inapplicable', 'inconclusive'], 2, 2],
    [['lab-error'], 2, 2],
    [['conformant', 'inapplicable'], 0, 0],
    [['conformant', 'inconclusive'], 0, 1],
    [['conformant', 'declined'], 0, 1],
    [['conformant', 'deviates'], 0, 0],
    [['conformant', 'non-conformant'], 1, 1],
    [['conformant', 'stale'], 1, 1],
    [['inapplicable', 'inconclusive', 'non-conformant'], 1, 1],
    [['inapplicable', 'inconclusive', 'deviates'], 0, 1],
    [['conformant', 'lab-error'], 2, 2],
    [['non-conformant', 'lab-error'], 2, 2],
    [['stale', 'lab-error'], 2, 2],
  ]
  it('is 2 for a partial run, whatever it found', () => {
    for (const name of ['conformant', 'non-conformant'] as const)
      assert.equal(exitStatus([{ verdict: name }], { strict: false, partial: true }), 2)
  })

  for (const [names, plain, strict] of cases)
    it(`is ${plain} (strict: ${strict}) for ${names.join(', ') || 'an empty run'}`, () => {
      assert.equal(status(names), plain)
      assert.equal(status(names, true), strict)
    })
})
