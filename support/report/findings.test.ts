import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { hostileRun, sampleRun } from '../test-bed/fixtures/sample-run.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { BY_URGENCY, ENDED_BY_ITSELF, totals, VERDICTS, type VerdictName } from '../verdicts/verdict.ts'
import { type Findings, findingsOf } from './findings.ts'
import type { RunRecord } from './run-record.ts'

const { requirements } = loadCatalogue()
const [any] = sampleRun().verdicts

/** A run with these verdicts, each about a requirement of its own. */
function run(...verdicts: VerdictName[]): RunRecord {
  return withVerdicts(
    verdicts.map((verdict, index) => ({ ...any!, verdict, requirement: requirements[index]!.id })),
  )
}

function withVerdicts(verdicts: RecordedVerdict[]): RunRecord {
  return { ...sampleRun(), verdicts, totals: totals(verdicts) }
}

const findings = (record: RunRecord): Findings => findingsOf(record, requirements)

describe('findingsOf', () => {
  it('has an order for every verdict', () => {
    assert.deepEqual(new Set(BY_URGENCY), new Set(VERDICTS))
  })

  it('says in one sentence what became of the requirements', () => {
    const says = (...verdicts: VerdictName[]) => findings({ ...run(...verdicts), profiles: [] }).headline
    assert.equal(says('conformant', 'conformant'), 'haraka 3.3.4 keeps all 2 requirements that apply')
    assert.equal(
      says('conformant', 'inapplicable'),
      'haraka 3.3.4 keeps the one requirement that applies (1 of 2 judged)',
    )
    assert.equal(
      says('conformant', 'conformant', 'non-conformant', 'deviates', 'deviates', 'inapplicable'),
      'haraka 3.3.4 keeps 2 of 5 requirements that apply (5 of 6 judged); 1 is broken; 2 deviate as recorded',
    )
    assert.equal(
      says('stale', 'lab-error', 'declined', 'inconclusive'),
      'haraka 3.3.4 keeps none of 4 requirements that apply; 1 recorded deviation no longer shows; ' +
        'the lab failed on 1; 1 optional one is not followed; 1 could not be decided',
    )
    assert.equal(
      says('deviates', 'inapplicable'),
      'haraka 3.3.4 breaks the one requirement that applies, as recorded (1 of 2 judged)',
    )
    assert.equal(says('lab-error'), 'The lab failed on the one requirement that applies to haraka 3.3.4')
    for (const verdict of VERDICTS) assert.match(says(verdict), /applies/)
    assert.equal(says('inapplicable'), 'No requirement applies to haraka 3.3.4 (0 of 1 judged)')
    assert.equal(says(), 'Nothing was judged: no example ran against haraka 3.3.4')
  })

  it('says how many requirements of the profiles were judged', () => {
    const { headline, unseen } = findings({ ...run('conformant', 'declined'), profiles: ['dane'] })
    const judged = `(2 of ${2 + unseen.length} judged)`
    assert.match(
      headline,
      /^haraka 3\.3\.4 keeps 1 of 2 requirements that apply \(2 of \d+ judged\); 1 optional/,
    )
    assert.ok(headline.includes(judged), `${headline} has ${judged}`)
  })

  it('says first that the run was interrupted, and how far it came', () => {
    const partial = { ...run('conformant', 'stale', 'conformant'), profiles: [], partial: true }
    assert.match(
      findings({ ...partial, planned: 259 }).headline,
      /^The run was interrupted after 2 of 259 examples; haraka 3\.3\.4 keeps 2 of 3/,
    )
    assert.match(findings(partial).headline, /^The run was interrupted after 2 examples; haraka/)
    assert.equal(findings(partial).exit, 2)
  })

  it('says first that the gateway ended by itself, and puts that above all else', () => {
    const ended = { ...any!, requirement: requirements[1]!.id, symptom: ENDED_BY_ITSELF }
    const record = withVerdicts([
      { ...any!, verdict: 'non-conformant', requirement: requirements[0]!.id },
      { ...ended, verdict: 'conformant', symptom: '' },
      { ...ended, verdict: 'non-conformant', title: 'it ends' },
    ])
    const { headline, attention } = findings(record)
    assert.match(headline, /^haraka 3\.3\.4 ended by itself in 1 of 3 examples; haraka 3\.3\.4 keeps none/)
    assert.equal(attention[0]!.deciding.judged.title, 'it ends')
    assert.match(
      findings(withVerdicts([{ ...ended, verdict: 'lab-error' }])).headline,
      /^haraka 3\.3\.4 ended by itself, and no single example makes it end again; The lab failed/,
    )
  })

  it('says so before it says that the run was interrupted', () => {
    const ended = { ...any!, verdict: 'non-conformant' as const, symptom: ENDED_BY_ITSELF }
    const { headline } = findings({ ...withVerdicts([ended]), partial: true, planned: 9 })
    assert.match(
      headline,
      /^haraka 3\.3\.4 ended by itself in 1 of 1 example; The run was interrupted after 1 of 9/,
    )
  })

  it('says what was judged twice', () => {
    assert.equal(findings(withVerdicts([any!])).again, undefined)
    assert.equal(
      findings(withVerdicts([{ ...any!, again: true }, any!])).again,
      `1 example was judged twice, the second time one by one, because haraka had ended by itself; the second verdict stands (${any!.requirement}).`,
    )
  })

  it('counts and shows each stale deviation, also beside something worse', () => {
    const stale = { ...any!, verdict: 'stale' as const, title: 'a recorded deviation no longer shows' }
    const record = withVerdicts([{ ...any!, verdict: 'non-conformant' }, stale, { ...stale }])
    const { headline, counts, attention, applying } = findings({ ...record, profiles: [] })
    assert.equal(counts.stale, 2)
    assert.equal(applying, 1)
    assert.equal(
      headline,
      'haraka 3.3.4 breaks the one requirement that applies; 2 recorded deviations no longer show',
    )
    assert.deepEqual(
      attention.map(({ verdict, deciding }) => [verdict, deciding.judged.verdict]),
      [
        ['non-conformant', 'non-conformant'],
        ['stale', 'stale'],
      ],
    )
  })

  it('gives a requirement the most urgent verdict of its examples', () => {
    const verdicts = (['inapplicable', 'conformant', 'inconclusive', 'deviates'] as const).map(verdict => ({
      ...any!,
      verdict,
      title: verdict,
    }))
    const of = (count: number) => findings(withVerdicts(verdicts.slice(0, count))).areas[0]!.findings[0]!
    assert.equal(of(1).verdict, 'inapplicable')
    assert.equal(of(2).verdict, 'conformant')
    assert.equal(of(3).verdict, 'inconclusive')
    assert.equal(of(4).verdict, 'deviates')
    assert.equal(of(4).deciding.judged.title, 'deviates')
    assert.equal(of(4).examples.length, 4)
  })

  it('puts what fails the run first', () => {
    const { attention } = findings(run(...VERDICTS))
    assert.deepEqual(
      attention.map(({ verdict }) => verdict),
      ['non-conformant', 'stale', 'lab-error', 'deviates', 'declined', 'inconclusive'],
    )
  })

  it('takes the exit status from the run, and from strict', () => {
    assert.equal(findings(run('conformant', 'declined')).exit, 0)
    assert.equal(findings({ ...run('conformant', 'declined'), strict: true }).exit, 1)
    assert.equal(findings(run()).exit, 2)
  })

  it('names the requirements of the profiles that did not run, and no others', () => {
    const { unseen } = findings({ ...run('conformant'), profiles: ['dane'] })
    assert.ok(unseen.length > 5)
    assert.ok(unseen.every(({ profiles }) => profiles.includes('dane')))
  })

  it('keeps a requirement that the catalogue does not know', () => {
    const { areas } = findings(withVerdicts([{ ...any!, requirement: 'NEW-1' }]))
    assert.equal(areas[0]?.area, 'other')
  })

  it('gives each example a place of its own that is safe in a path', () => {
    const twice = [
      any!,
      { ...any! },
      { ...any!, requirement: '../../etc', title: '../../passwd', scenario: '' },
    ]
    const { areas } = findings(withVerdicts([...hostileRun().verdicts, ...twice]))
    const places = areas.flatMap(area => area.findings).flatMap(({ examples }) => examples)
    assert.equal(new Set(places.map(({ place }) => place)).size, places.length)
    for (const { place } of places) assert.match(place, /^[A-Za-z0-9_-]+\/[a-z0-9-]+$/)
  })
})
