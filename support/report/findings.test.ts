import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { hostileRun, sampleRun } from '../test-bed/fixtures/sample-run.ts'
import type { RecordedVerdict } from '../verdicts/record.ts'
import { totals, VERDICTS, type VerdictName } from '../verdicts/verdict.ts'
import { BY_URGENCY, type Findings, findingsOf } from './findings.ts'
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
    const says = (...verdicts: VerdictName[]) => findings(run(...verdicts)).headline
    assert.equal(says('conformant', 'conformant'), 'haraka 3.3.4 keeps all 2 requirements that apply')
    assert.equal(says('conformant', 'inapplicable'), 'haraka 3.3.4 keeps the one requirement that applies')
    assert.equal(
      says('conformant', 'conformant', 'non-conformant', 'deviates', 'deviates', 'inapplicable'),
      'haraka 3.3.4 keeps 2 of 5 requirements that apply; 1 is broken; 2 differ as recorded',
    )
    assert.equal(
      says('stale', 'lab-error', 'declined', 'inconclusive'),
      'haraka 3.3.4 keeps none of 4 requirements that apply; 1 recorded deviation no longer shows; ' +
        'the lab failed on 1; 1 optional one is not followed; 1 could not be decided',
    )
    assert.equal(
      says('deviates', 'inapplicable'),
      'haraka 3.3.4 does not keep the one requirement that applies; it differs as recorded',
    )
    assert.equal(says('lab-error'), 'The lab failed on the one requirement that applies to haraka 3.3.4')
    for (const verdict of VERDICTS) assert.match(says(verdict), /applies/)
    assert.equal(says('inapplicable'), 'No requirement applies to haraka 3.3.4')
    assert.equal(says(), 'Nothing was judged: no example ran against haraka 3.3.4')
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
