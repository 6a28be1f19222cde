import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures } from '../catalogue/features.ts'
import { loadDimensions } from '../circumstances/dimensions.ts'
import { rangeOf } from '../circumstances/range.ts'
import { Pki } from '../pki/pki.ts'
import { withRun } from '../run/current.ts'
import { judgeUnder } from '../run/judge-in-circumstances.ts'
import { Run } from '../run/run.ts'
import { sideBySide } from '../side-by-side.ts'
import { conditional } from './conditional-defect.ts'
import { rulesOf } from './draw-defects.ts'
import { reference } from './gateway.ts'
import { generatedSelftest } from './generated.ts'
import { generatedText } from './generated-text.ts'
import { MUTANTS, mutant } from './mutants/index.ts'
import { CLIENT_CIRCUMSTANCES, UNSEEN_OF_CLIENTS } from './seen/client-circumstances.ts'
import { PARTNER_CIRCUMSTANCES, UNSEEN_OF_PARTNERS } from './seen/partner-circumstances.ts'
import { isSeen } from './seen/seen.ts'
import { isRight, type Outcome, type Trial, Workshop } from './try-generated-defect.ts'

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

describe('the gateway', function () {
  this.timeout(300_000)

  // Defects of this requirement act when everything else has been seen.
  const id = 'EXO-MSG-04'
  const bases = [
    'adds to the text of mail that came over TLS',
    'adds to the text of mail that it sends over TLS',
  ].map(mutant)
  const pki = new Pki()
  const dimensions = loadDimensions()
  const another = dimensions
    .find(({ name }) => name === 'what happened before on another connection')!
    .values.find(({ value }) => value === 'a delivery of the same client')!
  /** Circumstances that cannot come about in the examples of this requirement, and why. */
  const IMPOSSIBLE = {
    sender: {
      'what the gateway sent before: a message that waits because STARTTLS was not offered':
        'TLS is optional in these examples, so that no message waits for it',
    },
    receiver: {
      'parameters of MAIL: SMTPUTF8': 'the EHLO reply of the reference gateway does not list SMTPUTF8',
      'parameters of MAIL: RET and ENVID': 'the EHLO reply of the reference gateway does not list DSN',
      'how the client greets: HELO in place of EHLO': 'a client that learns of no STARTTLS cannot use TLS',
      "the key of the client's certificate: RSA with 3072 bits": 'no client of these examples shows one',
      "the key of the client's certificate: RSA with 4096 bits": 'no client of these examples shows one',
      "the key of the client's certificate: ECDSA on P-256": 'no client of these examples shows one',
      'the domain of the client: two names below':
        'no connector of these examples is for the domain of a client',
    },
  }

  for (const role of ['receiver', 'sender'] as const)
    it(`sees as a ${role} what comes about`, async () => {
      const rules = rulesOf(id, loadFeatures(loadCatalogue())).filter(one => one.role === role)
      const values = dimensions.filter(one => one.role === role).flatMap(({ values }) => values)
      const seen = new Set<string>()
      await sideBySide(values, 4, async one => {
        const before = one.dimension === 'what happened before that' ? [another] : []
        for (const base of bases) {
          if (seen.has(one.name)) break
          const source = reference(conditional(base, [one], () => seen.add(one.name)))
          const run = await Run.start({ source, pki, aftermath: 10 })
          await withRun(run, () => judgeUnder(run, rules, [one, ...before], 2)).finally(() => run.stop())
        }
      })
      const unseen = values.filter(
        ({ name, mattersTo }) => isSeen(name) && !mattersTo.includes(id) && !seen.has(name),
      )
      assert.deepEqual(new Set(unseen.map(({ name }) => name)), new Set(Object.keys(IMPOSSIBLE[role])))
    })
})

describe('conditional defects', function () {
  this.timeout(300_000)

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
  const when = (...names: string[]) => firstOf('EXO-FRC-11', names)
  const firstOf = (id: string, names: string[]) => ({
    base: MUTANTS.find(({ requirement }) => requirement === id)!,
    circumstances: loadDimensions()
      .flatMap(({ values }) => values)
      .filter(({ name }) => names.includes(name)),
  })

  it('are found under their requirement, with their circumstances', async () => {
    const names = ['how the client greets: HELO before EHLO', 'headers of the delivered message: folded']
    const { outcome, named, detail } = await new Workshop({ seed: 'one' }).trial(when(...names))
    assert.deepEqual([outcome, named], ['found', names], detail)
  })

  it('are found where they show with one kind of client certificate alone', async () => {
    const names = ["the key of the client's certificate: ECDSA on P-256"]
    const { outcome, named, detail } = await new Workshop({ seed: 'one' }).trial(firstOf('EXO-FRC-14', names))
    assert.deepEqual([outcome, named], ['found', names], detail)
  })

  it('are not planted where the gateway never sees their circumstances', async () => {
    const unencrypted = when('TLS versions of the client: TLS 1.2 at most')
    const { outcome } = await new Workshop({ seed: 'one' }).trial(unencrypted)
    assert.equal(outcome, 'not planted')
  })

  it('count as found with the circumstances of the same message in the other direction', () => {
    const planted = new Set(['the text of the sent message: 8-bit'])
    assert.equal(isRight(['the text of the delivered message: 8-bit'], planted), true)
    assert.equal(isRight(['the text of the delivered message: empty'], planted), false)
  })

  it('are tried on all cores, beside a gateway without a defect', async () => {
    const id = 'RFC3207-04'
    const { trials, clean } = await generatedSelftest({ count: 1, seed: 'one', requirements: [id] })
    assert.equal(trials.at(-1)!.outcome, 'found', trials.at(-1)!.detail)
    assert.deepEqual(clean.alarms, [])
    const rules = rulesOf(id, loadFeatures(loadCatalogue()))
    const examples = rules.flatMap(({ examples }) => examples).length
    // A combination has one value of each dimension, so a dimension with many values takes as many combinations.
    const combinations = Math.max(...rangeOf(id, rules, loadDimensions()).map(({ values }) => values.length))
    assert.ok(clean.judgements >= examples * (1 + combinations), `${clean.judgements} judgements`)
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
