import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import type { FeatureRule } from '../catalogue/features.ts'
import { because, broken, kept, type Observation, refused, unclear } from '../verdicts/observation.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import type { Deviation, Judged, VerdictName } from '../verdicts/verdict.ts'
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

  describe('takes a failed control for what it shows', () => {
    const OTHER = 'EXO-OPP-01'
    const lacks = { what: 'sends', domain: 'd1.may.test' } as const
    const nothing = because(broken('nothing arrived: deferred after 1 connection', 'nothing arrived'), lacks)
    const recordOf = (breaks: string | undefined, deviations: Deviation[] = []) =>
      new VerdictRecord(loadCatalogue(), deviations, undefined, () => breaks)
    const found = (record: VerdictRecord) =>
      record.ofFailedControls().map(({ requirement, verdict, detail }) => [requirement, verdict, detail])

    it('another requirement is broken, once, and its own Rule is not decided', () => {
      const record = recordOf(OTHER)
      const control = addSeen(record, CONTROL, nothing)
      addSeen(record, { ...CONTROL, rule: rule('EXO-FRC-02', 20) }, nothing)
      assert.deepEqual(
        [control.verdict, control.detail],
        ['inconclusive', 'the control failed: nothing arrived: deferred after 1 connection (see EXO-OPP-01)'],
      )
      assert.deepEqual(found(record), [
        [OTHER, 'non-conformant', 'nothing arrived: deferred after 1 connection (in 2 controls)'],
      ])
      const [finding] = record.ofFailedControls()
      assert.deepEqual(
        [finding!.symptom, finding!.control, finding!.scenario],
        ['nothing arrived', false, control.scenario],
      )
    })

    it('the same in another example of its Rule says no more, and everything else counts', () => {
      const record = recordOf(OTHER)
      addSeen(record, CONTROL, nothing)
      const judged = (seen: Observation) => record.judge(EXAMPLE, seen)
      assert.equal(judged(nothing).verdict, 'inconclusive')
      assert.match(judged(nothing).detail, /; but the control of this Rule failed in the same way$/)
      assert.equal(judged(refused('it was held back')).verdict, 'inconclusive')
      assert.match(judged(refused('it was held back')).detail, /control of this Rule failed too/)
      assert.equal(judged(broken('in clear')).verdict, 'non-conformant')
      assert.equal(
        judged(because(broken('in clear'), { ...lacks, what: 'sends over TLS' })).verdict,
        'non-conformant',
      )
      assert.equal(judged(kept('it arrived')).verdict, 'conformant')
    })

    it('the same is broken where nothing is known of the control', () => {
      assert.equal(recordOf(OTHER).judge(EXAMPLE, nothing).verdict, 'non-conformant')
    })

    for (const [what, breaks] of [
      ['its own requirement', MUST],
      ['no requirement in particular', undefined],
    ] as const)
      it(`it is broken itself where it shows ${what}`, () => {
        const record = recordOf(breaks)
        assert.equal(addSeen(record, CONTROL, nothing).verdict, 'non-conformant')
        assert.deepEqual(found(record), [])
      })

    it('nothing more where examples of the other requirement show that it is broken', () => {
      const record = recordOf(OTHER)
      addSeen(record, CONTROL, nothing)
      addSeen(record, { ...EXAMPLE, rule: rule(OTHER, 30) }, broken('it arrived in clear'))
      assert.deepEqual(found(record), [])
    })

    it('what is recorded of the other requirement deviates', () => {
      const record = recordOf(OTHER, [deviation({ requirement: OTHER, symptom: 'nothing arrived' })])
      addSeen(record, CONTROL, nothing)
      assert.deepEqual(
        record.ofFailedControls().map(({ verdict }) => verdict),
        ['deviates'],
      )
    })

    it('nothing any more where the control is judged otherwise since', () => {
      const record = recordOf(OTHER)
      const control = addSeen(record, CONTROL, nothing)
      record.change(control, record.judge(CONTROL, kept('it arrived')))
      assert.deepEqual(found(record), [])
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
