import assert from 'node:assert/strict'
import { sampleRun } from '../test-bed/fixtures/sample-run.ts'
import type { Verdict, VerdictName } from '../verdicts/verdict.ts'
import { difference } from './diff.ts'
import { type VerdictsDocument, verdictsDocument } from './run-record.ts'

const run = verdictsDocument(sampleRun(), [])
const [example] = run.verdicts

/** A run of one example with a verdict, or of none. */
function having(verdict?: VerdictName, more: Partial<Verdict> = {}): VerdictsDocument {
  return { ...run, verdicts: verdict ? [{ ...example!, symptom: 'seen', ...more, verdict }] : [] }
}

const kinds = (before: VerdictsDocument, after: VerdictsDocument) =>
  Object.entries(difference(before, after)).flatMap(([kind, changes]) => changes.map(() => kind))

describe('the difference of two runs', () => {
  const CASES: [what: string, before: VerdictsDocument, after: VerdictsDocument, kinds: string[]][] = [
    ['nothing', having('conformant'), having('conformant'), []],
    ['the same fault', having('non-conformant'), having('non-conformant'), []],
    ['a new fault', having('conformant'), having('non-conformant'), ['worse']],
    ['a fault of an example that is new', having(), having('non-conformant'), ['worse']],
    ['a fault of what did not apply before', having('inapplicable'), having('non-conformant'), ['worse']],
    ['something unclear that did not apply', having('inapplicable'), having('inconclusive'), ['gained']],
    ['a fault that is no longer recorded', having('deviates'), having('non-conformant'), ['worse']],
    ['a fault that is recorded now', having('non-conformant'), having('deviates'), ['better']],
    ['something unclear', having('conformant'), having('inconclusive'), ['worse']],
    ['a fault that is gone', having('non-conformant'), having('conformant'), ['better']],
    ['a fault whose example is gone', having('non-conformant'), having(), ['lost']],
    ['an example that does not apply any more', having('conformant'), having('inapplicable'), ['lost']],
    ['an example that applies now', having('inapplicable'), having('conformant'), ['gained']],
    [
      'another fault',
      having('non-conformant'),
      having('non-conformant', { symptom: 'seen today' }),
      ['otherwise'],
    ],
    [
      'a line that moved',
      having('conformant', { scenario: 'features/a.feature:5' }),
      having('conformant', { scenario: 'features/a.feature:9' }),
      [],
    ],
  ]
  for (const [what, before, after, expected] of CASES)
    it(`tells of ${what}: ${expected[0] ?? 'no change'}`, () =>
      assert.deepEqual(kinds(before, after), expected))

  it('tells examples with the same title apart', () => {
    const twice = (verdict: VerdictName) => ({
      ...run,
      verdicts: [...having('conformant').verdicts, ...having(verdict).verdicts],
    })
    assert.deepEqual(kinds(twice('conformant'), twice('non-conformant')), ['worse'])
  })

  it('finds nothing between a run and itself', () => assert.deepEqual(kinds(run, run), []))
})
