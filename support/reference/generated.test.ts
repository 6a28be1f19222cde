import assert from 'node:assert/strict'
import { loadDimensions } from '../circumstances/dimensions.ts'
import { generatedSelftest, type Outcome, type Trial, Workshop } from './generated.ts'
import { generatedText } from './generated-text.ts'
import { MUTANTS } from './mutants/index.ts'
import { CLIENT_CIRCUMSTANCES, UNSEEN_OF_CLIENTS } from './seen/client-circumstances.ts'
import { PARTNER_CIRCUMSTANCES, UNSEEN_OF_PARTNERS } from './seen/partner-circumstances.ts'
import { isSeen } from './seen/seen.ts'

describe('the circumstances that a gateway sees', () => {
  const names = loadDimensions().flatMap(({ values }) => values.map(({ name }) => name))
  const unseen = { ...UNSEEN_OF_CLIENTS, ...UNSEEN_OF_PARTNERS }

  it('are all of features/circumstances.yaml, apart from those with a reason', () => {
    assert.deepEqual(
      names.filter(name => isSeen(name) === name in unseen),
      [],
    )
  })

  it('are circumstances of features/circumstances.yaml', () => {
    const known = { ...CLIENT_CIRCUMSTANCES, ...PARTNER_CIRCUMSTANCES, ...unseen }
    assert.deepEqual(
      Object.keys(known).filter(name => !names.includes(name)),
      [],
    )
  })
})

describe('conditional defects', function () {
  this.timeout(60_000)

  it('are the same for the same seed', () => {
    const [one, same, other] = ['one', 'one', 'other'].map(seed => {
      const workshop = new Workshop({ seed })
      return Array.from({ length: 20 }, (_, at) => workshop.draw(at))
    })
    assert.deepEqual(one, same)
    assert.notDeepEqual(one, other)
  })

  it('break every requirement in turn, in circumstances that must not matter to it', () => {
    const workshop = new Workshop({ seed: 'one' })
    const drawn = Array.from({ length: 60 }, (_, at) => workshop.draw(at))
    assert.ok(new Set(drawn.slice(0, 30).map(({ base }) => base.requirement)).size === 30)
    for (const { base, circumstances } of drawn)
      for (const { mattersTo } of circumstances) assert.ok(!mattersTo.includes(base.requirement), base.name)
  })

  /** Of the first defect of EXO-FRC-11. */
  const when = (...names: string[]) => ({
    base: MUTANTS.find(({ requirement }) => requirement === 'EXO-FRC-11')!,
    circumstances: loadDimensions()
      .flatMap(({ values }) => values)
      .filter(({ name }) => names.includes(name)),
  })

  it('are found under their requirement, with their circumstances', async () => {
    const names = ['how the client greets: HELO before EHLO', 'headers of the delivered message: folded']
    const { outcome, named, detail } = await new Workshop({ seed: 'one' }).trial(when(...names))
    assert.deepEqual([outcome, named], ['found', names], detail)
  })

  it('are not planted where the gateway never sees their circumstances', async () => {
    const unencrypted = when('TLS versions of the client: TLS 1.2 at most')
    const { outcome } = await new Workshop({ seed: 'one' }).trial(unencrypted)
    assert.equal(outcome, 'not planted')
  })

  it('are tried on all cores, beside a gateway without a defect', async () => {
    const options = { count: 1, seed: 'one', requirements: ['RFC3207-04'] }
    const { trials, clean } = await generatedSelftest(options)
    assert.equal(trials.at(-1)!.outcome, 'found', trials.at(-1)!.detail)
    assert.deepEqual(clean.alarms, [])
    assert.ok(clean.judgements > 60)
  })
})

describe('the scoreboard of conditional defects', () => {
  const trial = (outcome: Outcome): Trial => ({
    ...{ requirement: 'EXO-FRC-11', name: 'takes mail in clear', circumstances: ['it rains', 'it is late'] },
    ...{ outcome, detail: 'what was seen', named: [], durationMs: 1 },
  })

  it('tells what was not found as it should be, the false alarms and the score', () => {
    const text = generatedText(
      {
        seed: 'one',
        trials: [trial('found'), trial('missed'), trial('not planted')],
        clean: { judgements: 2, alarms: ['EXO-FRC-11, an example: no'] },
        durationMs: 1_200,
      },
      { colour: false },
    )
    assert.deepEqual(text.trimEnd().split('\n'), [
      'missed  EXO-FRC-11: a gateway that takes mail in clear, only when it rains and it is late',
      '        what was seen',
      'alarm   without any defect: EXO-FRC-11, an example: no',
      '1 of 2 conditional defects found, 0 found with other circumstances, 0 found elsewhere, 1 missed, 1 false alarm',
      '(seed one; 1 more drawn that the gateway cannot have; 2 judgements of the gateway without defect; 1.2 s)',
    ])
  })
})
