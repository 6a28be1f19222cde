import assert from 'node:assert/strict'
import {
  controlOf,
  judge,
  type ToJudge,
  totals,
  VERDICTS,
  type Verdict,
  type VerdictName,
  withoutReason,
} from './verdict.ts'

const deviation = {
  requirement: 'EXO-FRC-01',
  symptom: 'Sent in clear',
  why: 'it always was so',
  since: '2026-11-21',
}

const verdict = (name: VerdictName, changed: Partial<Verdict> = {}): Verdict => ({
  requirement: 'EXO-FRC-01',
  level: 'must',
  actor: 'sender',
  scenario: 'features/outbound/forced-tls.feature:14',
  title: 'a partner without TLS gets nothing',
  control: false,
  verdict: name,
  detail: 'nothing was sent',
  durationMs: 12,
  ...changed,
})

describe('a verdict', () => {
  const judged = (changed: Partial<ToJudge>) =>
    judge({
      level: 'must',
      observation: { kind: 'kept', detail: 'it was held back' },
      ...changed,
    })
  const broken = { kind: 'broken', detail: 'the message was sent in clear' } as const
  const refusal = { kind: 'kept', detail: 'it was refused', refusal: true } as const

  it('is conformant when the requirement is kept', () => {
    assert.deepEqual(judged({}), { verdict: 'conformant', detail: 'it was held back' })
  })

  const controls: [by: VerdictName | undefined, verdict: VerdictName, says: string][] = [
    ['conformant', 'conformant', ''],
    ...(['non-conformant', 'deviates', 'declined'] as const).map(
      by =>
        [
          by,
          'inconclusive',
          '; but the control of this Rule failed too, so the refusal proves nothing',
        ] as (typeof controls)[number],
    ),
    [
      'inapplicable',
      'inconclusive',
      '; but there was no control to compare the refusal with: the control of this Rule is inapplicable (no file)',
    ],
    [
      'inconclusive',
      'inconclusive',
      '; but there was no control to compare the refusal with: the control of this Rule is inconclusive (no file)',
    ],
    [
      'lab-error',
      'inconclusive',
      '; but there was no control to compare the refusal with: the lab failed in the control of this Rule (no file)',
    ],
    [
      undefined,
      'inconclusive',
      '; but there was no control to compare the refusal with: the control of this Rule was not run',
    ],
  ]
  for (const [by, expected, says] of controls) {
    const control = controlOf(by && { verdict: by, detail: 'no file' })
    it(`is ${expected} for a refusal beside a control that is ${by ?? 'not run'}`, () => {
      assert.deepEqual(judged({ observation: refusal, control }), {
        verdict: expected,
        detail: `it was refused${says}`,
        ...(expected === 'conformant' ? { refusal: true } : {}),
      })
    })

    it(`does not ask for a control that is ${by ?? 'not run'} where nothing was refused`, () => {
      assert.equal(judged({ control }).verdict, 'conformant')
      assert.equal(judged({ control, observation: broken }).verdict, 'non-conformant')
    })
  }

  it('has a state for every verdict of a control', () => {
    assert.deepEqual(
      new Set(VERDICTS.filter(name => name !== 'stale')),
      new Set(controls.flatMap(([by]) => by ?? [])),
    )
  })

  it('asks for no other control where the example is the control itself', () => {
    assert.deepEqual(judged({ observation: refusal }), { verdict: 'conformant', detail: 'it was refused' })
  })

  it('is inconclusive for what is unclear, whatever is recorded', () => {
    const observation = { kind: 'unclear', detail: 'sent in clear, perhaps' } as const
    for (const level of ['must', 'should'] as const)
      assert.deepEqual(judged({ level, observation, deviation }), {
        verdict: 'inconclusive',
        detail: 'sent in clear, perhaps',
      })
  })

  it('is non-conformant for a broken must and declined for anything weaker', () => {
    assert.deepEqual(judged({ observation: broken }), {
      ...{ verdict: 'non-conformant', detail: broken.detail, symptom: broken.detail },
    })
    for (const level of ['should', 'may', 'observed'] as const)
      assert.deepEqual(judged({ level, observation: broken }), {
        ...{ verdict: 'declined', detail: broken.detail, symptom: broken.detail },
      })
  })

  it('deviates when the recorded symptom shows, at any level', () => {
    for (const level of ['must', 'should', 'may', 'observed'] as const)
      assert.deepEqual(judged({ level, observation: broken, deviation }), {
        verdict: 'deviates',
        detail: 'the message was sent in clear (recorded: it always was so)',
        deviation,
        symptom: 'the message was sent in clear',
      })
  })

  it('has the symptom of what was seen', () => {
    const observation = { kind: 'broken', detail: 'sent in clear as 4F2', symptom: 'sent in clear' } as const
    assert.equal(judged({ observation }).symptom, 'sent in clear')
    assert.equal(judged({ observation, deviation }).verdict, 'deviates')
  })

  it('is non-conformant when another symptom shows', () => {
    const observation = { kind: 'broken', detail: 'the message was lost' } as const
    assert.equal(judged({ observation, deviation }).verdict, 'non-conformant')
  })

  it('is conformant when nothing recorded shows: only the whole run tells that it is stale', () => {
    assert.equal(judged({ deviation }).verdict, 'conformant')
  })

  it('gives back what was seen, without the reason', () => {
    assert.equal(withoutReason(judged({ observation: broken, deviation }).detail), broken.detail)
    assert.equal(withoutReason('nothing was sent'), 'nothing was sent')
  })
})

describe('totals', () => {
  it('count every verdict, also those that were not given', () => {
    assert.deepEqual(totals([verdict('conformant'), verdict('declined'), verdict('conformant')]), {
      conformant: 2,
      'non-conformant': 0,
      deviates: 0,
      stale: 0,
      declined: 1,
      inapplicable: 0,
      inconclusive: 0,
      'lab-error': 0,
    })
    assert.deepEqual(Object.keys(totals([])), [...VERDICTS])
  })
})
