import assert from 'node:assert/strict'
import type { RunRecord } from '../report/run-record.ts'
import { largeRun } from '../report/sample-run.ts'
import type { VerdictName } from '../verdicts/verdict.ts'
import { became } from './matrix.ts'

/** A run with these verdicts of requirements R1, R2, … */
function judged(...verdicts: VerdictName[]): RunRecord {
  const record = largeRun(verdicts.length)
  return {
    ...record,
    verdicts: record.verdicts.map((one, n) => ({ ...one, requirement: `R${n + 1}`, verdict: verdicts[n]! })),
  }
}

describe('the line of a matrix for a gateway', () => {
  it('has how much it keeps of what applies', () => {
    assert.equal(became(judged('conformant', 'inapplicable', 'declined')), 'keeps 1 of 2')
    assert.equal(became(judged('inapplicable')), 'no requirement applies')
  })

  it('names what is behind its exit status', () => {
    assert.equal(
      became(judged('lab-error', 'stale', 'non-conformant', 'conformant', 'non-conformant', 'deviates')),
      'keeps 1 of 6, broken: R3 R5, no longer shows: R2, the lab failed on: R1',
    )
  })

  it('does not name more than fits', () => {
    const all = Array.from({ length: 10 }, () => 'non-conformant' as const)
    assert.equal(became(judged(...all)), 'keeps 0 of 10, broken: R1 R2 R3 R4 R5 R6 R7 R8 and 2 more')
  })
})
