import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import type { FeatureRule } from '../catalogue/features.ts'
import type { Deviation } from '../verdicts/deviations.ts'
import { broken, kept, type Observation, refused, unclear } from '../verdicts/observation.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import type { Judged, VerdictName } from '../verdicts/verdict.ts'
import type { RuleExample } from './example.ts'
import { VerdictRecord } from './verdict-record.ts'

const MUST = 'EXO-FRC-01'
const rule = (requirement: string, line = 4): FeatureRule => ({
  ...{ requirement, role: 'sender', name: 'a Rule', uri: 'features/a.feature', line },
  ...{ description: '', examples: [] },
})
const RULE = rule(MUST)
const CONTROL: RuleExample = { rule: RULE, title: 'all is well', control: true }
const EXAMPLE: RuleExample = { rule: RULE, title: 'no TLS', control: false }

const deviation = (changed: Partial<Deviation> = {}): Deviation => ({
  ...{
    requirement: MUST,
    symptom: 'arrived in clear',
    why: 'it always did',
    since: '2026-11-21',
    ...changed,
  },
})

describe('the record of a run', () => {
  const recordWith = (deviations: Deviation[] = [], told?: (key: string, v: RecordedVerdict) => void) =>
    new VerdictRecord(loadCatalogue(), deviations, told)
  const seen = () => ({ conversations: [], notes: [], steps: [] })
  const add = (
    record: VerdictRecord,
    example: RuleExample,
    judged: Judged,
    scenario = 'features/a.feature:6',
  ) => record.add('key', { example, scenario, judged, durationMs: 1, seen: seen() })
  const addSeen = (record: VerdictRecord, example: RuleExample, what: Observation) =>
    add(record, example, record.judge(example, what))

  describe('judges', () => {
    const inClear = broken('the message arrived in clear')
    const cases: [what: string, deviations: Deviation[], seen: Observation, verdict: VerdictName][] = [
      ['what is kept', [], kept('it was held back'), 'conformant'],
      ['what is broken', [], inClear, 'non-conformant'],
      ['what is not clear', [], unclear('nothing was seen'), 'inconclusive'],
      ['what is recorded', [deviation()], inClear, 'deviates'],
      ['what is broken otherwise than recorded', [deviation()], broken('it was lost'), 'non-conformant'],
      ['what is recorded of another', [deviation({ requirement: 'EXO-FRC-02' })], inClear, 'non-conformant'],
    ]
    for (const [what, deviations, seen, verdict] of cases)
      it(`${what}: ${verdict}`, () => {
        assert.equal(recordWith(deviations).judge(EXAMPLE, seen).verdict, verdict)
      })
  })

  it('has all of an example that is over, and tells of it', () => {
    const told: string[] = []
    const record = recordWith([], (key, { verdict }) => told.push(`${key} ${verdict}`))
    const verdict = addSeen(record, EXAMPLE, broken('it arrived in clear at 12:00', 'in clear'))
    assert.deepEqual(record.verdicts, [verdict])
    assert.deepEqual(verdict, {
      ...{ requirement: MUST, level: 'must', actor: 'sender', scenario: 'features/a.feature:6' },
      ...{ title: 'no TLS', control: false, verdict: 'non-conformant', symptom: 'in clear' },
      ...{ detail: 'it arrived in clear at 12:00', durationMs: 1, seen: seen() },
    })
    assert.deepEqual(told, ['key non-conformant'])
  })

  describe('holds a refusal against the control of its Rule', () => {
    const refusal = refused('it was held back')
    const says = {
      held: ['conformant', /^it was held back$/],
      failed: ['inconclusive', /; but the control of this Rule failed too, so the refusal proves nothing$/],
      absent: [
        'inconclusive',
        /; but there was no control to compare the refusal with: .* is inconclusive \(nothing came\)$/,
      ],
    } as const
    const seen = { held: kept('it arrived'), failed: broken('it was lost'), absent: unclear('nothing came') }

    for (const state of ['held', 'failed', 'absent'] as const) {
      const [verdict, detail] = says[state]
      it(`that ${state === 'absent' ? 'is absent' : state}: ${verdict}`, () => {
        const record = recordWith()
        addSeen(record, CONTROL, seen[state])
        const judged = record.judge(EXAMPLE, refusal)
        assert.equal(judged.verdict, verdict)
        assert.match(judged.detail, detail)
        // What is seen on the wire counts whatever became of the control.
        assert.equal(record.judge(EXAMPLE, broken('in clear')).verdict, 'non-conformant')
        assert.equal(record.judge(EXAMPLE, kept('it arrived')).verdict, 'conformant')
      })

      if (state !== 'held')
        it(`that ${state === 'absent' ? 'is absent' : state} only afterwards: inconclusive`, () => {
          const record = recordWith()
          const control = addSeen(record, CONTROL, kept('it arrived'))
          const examples = [refusal, kept('it arrived'), broken('in clear')].map(what =>
            addSeen(record, EXAMPLE, what),
          )
          record.change(control, record.judge(CONTROL, seen[state]))
          record.recheckRefusals()
          assert.deepEqual(
            examples.map(({ verdict }) => verdict),
            ['inconclusive', 'conformant', 'non-conformant'],
          )
          assert.match(examples[0]!.detail, detail)
        })
    }

    it('that was not run: inconclusive', () => {
      const { verdict, detail } = recordWith().judge(EXAMPLE, refusal)
      assert.equal(verdict, 'inconclusive')
      assert.match(detail, /: the control of this Rule was not run$/)
    })

    it('and of no other Rule of the same requirement', () => {
      const record = recordWith()
      const other = rule(MUST, 20)
      addSeen(record, CONTROL, kept('it arrived'))
      addSeen(record, { ...CONTROL, rule: other }, broken('it was lost'))
      assert.equal(record.judge(EXAMPLE, refusal).verdict, 'conformant')
      assert.equal(record.judge({ ...EXAMPLE, rule: other }, refusal).verdict, 'inconclusive')
    })

    it('and not where the control itself refuses', () => {
      assert.equal(recordWith().judge(CONTROL, refusal).verdict, 'conformant')
    })
  })

  it('has the second verdict of an example that was judged again', () => {
    const record = recordWith()
    const [first, other] = [3, 6].map(line =>
      add(record, EXAMPLE, { verdict: 'conformant', detail: 'first' }, `features/a.feature:${line}`),
    )
    const again = add(record, EXAMPLE, { verdict: 'inconclusive', detail: 'again' }, first!.scenario)
    record.dropFormer(2)
    assert.deepEqual(record.verdicts, [other, again])
  })

  it('blames an example at the level of a must, and tells of it', () => {
    const told: string[] = []
    const record = recordWith([], (key, { verdict }) => told.push(`${key} ${verdict}`))
    const may = {
      ...EXAMPLE,
      rule: rule(loadCatalogue().requirements.find(({ level }) => level === 'should')!.id),
    }
    const verdict = add(record, may, { verdict: 'conformant', detail: 'it answered' })
    record.blame(verdict, may, 'it ended by itself (twice)')
    assert.deepEqual(
      [verdict.verdict, verdict.detail, verdict.symptom],
      ['non-conformant', 'it ended by itself (twice)', 'ended by itself'],
    )
    assert.deepEqual(told, ['key conformant', ' non-conformant'])
  })

  it('claims nothing about examples that are withdrawn', () => {
    const record = recordWith()
    const [one, other] = [3, 6].map(line =>
      add(record, EXAMPLE, { verdict: 'conformant', detail: 'first' }, `features/a.feature:${line}`),
    )
    record.withdraw(new Set([one!.scenario]), 'the gateway ended')
    assert.deepEqual(
      [one!.verdict, one!.detail, other!.verdict],
      ['lab-error', 'the gateway ended', 'conformant'],
    )
  })
})
