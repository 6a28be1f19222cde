import assert from 'node:assert/strict'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { MUTANTS, OMISSIONS } from './mutants/index.ts'
import { found, type SelftestResult, selftest, selftestJson, selftestText, withheld } from './selftest.ts'

const verdict = (about: Partial<RecordedVerdict>, steps: string[] = []): RecordedVerdict => ({
  requirement: 'EXO-FRC-01',
  level: 'must',
  actor: 'sender',
  scenario: 'features/outbound/forced-tls.feature:9',
  title: 'an example',
  control: false,
  verdict: 'conformant',
  detail: 'all is well',
  durationMs: 1,
  seen: { conversations: [], notes: [], steps },
  ...about,
})

const mutant = { name: 'is wrong', requirement: 'EXO-FRC-01', symptom: 'unencrypted' } as const
const red = verdict({ verdict: 'non-conformant', detail: 'the message arrived unencrypted' })
const control = verdict({ control: true, title: 'the control' })

describe('a mutant', () => {
  it('is found by its symptom under its requirement', () => {
    const result = found(mutant, [control, red])
    assert.deepEqual(result, { found: true, detail: 'the message arrived unencrypted', alarms: [] })
  })

  it('is missed where nothing is red, or something else', () => {
    const other = verdict({ verdict: 'non-conformant', detail: 'it was returned' })
    assert.equal(found(mutant, [control, verdict({})]).found, false)
    const result = found(mutant, [control, other])
    assert.equal(result.found, false)
    assert.match(result.detail, /^it shows otherwise than expected: .*it was returned/)
  })

  it('is missed where it is red under another requirement only', () => {
    const elsewhere = { ...red, requirement: 'DGR-01' }
    const result = found(mutant, [control, elsewhere])
    assert.equal(result.found, false)
    assert.equal(result.alarms.length, 1)
    assert.deepEqual(found({ ...mutant, explains: ['DGR-01'] }, [control, elsewhere]).alarms, [])
  })

  it('raises a false alarm where the control does not hold, unless the symptom shows there too', () => {
    const broken = { ...control, verdict: 'inconclusive' } as const
    assert.equal(found(mutant, [broken, red]).alarms.length, 1)
    assert.deepEqual(found(mutant, [{ ...red, control: true }, red]).alarms, [])
  })
})

describe('a mutant of a text of the service', () => {
  it('raises no alarm where a control is about another text', () => {
    const other = { ...control, verdict: 'inapplicable' } as const
    assert.deepEqual(found({ ...mutant, as: 'exchange-online-2018' }, [control, other, red]).alarms, [])
    assert.equal(found(mutant, [control, other, red]).alarms.length, 1)
  })
})

describe('an omission', () => {
  const held = ['When the gateway sends a message', 'Then the message does not arrive']

  it('is found where no refusal passes', () => {
    const inconclusive = verdict({ verdict: 'inconclusive', detail: 'nothing was seen' }, held)
    assert.equal(withheld([control, inconclusive]).found, true)
  })

  it('is missed where one passes, and where there is none', () => {
    assert.equal(withheld([control, verdict({}, held)]).found, false)
    assert.equal(withheld([control]).found, false)
  })
})

describe('the scoreboard', () => {
  const result: SelftestResult = {
    clean: { examples: 2, alarms: ['EXO-FRC-01, an example: non-conformant: no'] },
    mutants: [
      {
        name: 'is found',
        requirements: ['DGR-01'],
        omission: false,
        found: true,
        detail: 'seen',
        alarms: [],
        durationMs: 1,
      },
      {
        name: 'is missed',
        requirements: ['DGR-02'],
        omission: false,
        found: false,
        detail: 'unseen',
        alarms: [],
        durationMs: 1,
      },
    ],
    durationMs: 1_234,
  }

  it('tells what was missed and what was a false alarm, and the score at the end', () => {
    const lines = selftestText(result, { colour: false }).trimEnd().split('\n')
    assert.deepEqual(lines, [
      'missed  DGR-02: a gateway that is missed',
      '        unseen',
      'alarm   without any defect: EXO-FRC-01, an example: non-conformant: no',
      '1 of 2 mutants found, 1 false alarms (2 examples of a gateway without defect, 1.2 s)',
    ])
  })

  it('is one JSON document', () => {
    const { totals, mutants } = JSON.parse(selftestJson(result))
    assert.deepEqual(totals, { found: 1, of: 2, alarms: 1 })
    assert.equal(mutants.length, 2)
  })
})

describe('the selftest', () => {
  it('finds some mutants and an omission, side by side, and nothing in a gateway without defect', async function () {
    this.timeout(120_000)
    const few = MUTANTS.filter(({ requirement }) =>
      ['EXO-FRC-01', 'RFC3207-02', 'TRC-01'].includes(requirement),
    )
    const omissions = OMISSIONS.filter(({ name }) => name.startsWith('delivers in clear'))
    const progress: number[] = []
    const result = await selftest(
      { progressed: (done, total) => progress.push(done / total) },
      { mutants: few, omissions },
    )
    assert.equal(
      selftestText(result, { colour: false }).split(' (')[0],
      `${few.length + 1} of ${few.length + 1} mutants found, 0 false alarms`,
    )
    assert.equal(progress.at(-1), 1)
  })
})
