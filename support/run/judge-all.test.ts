import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures, select } from '../catalogue/features.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { GatewaySource } from '../gateway/source.ts'
import { Pki } from '../pki/pki.ts'
import { reference } from '../reference/gateway.ts'
import { mutant } from '../reference/mutants/index.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { ENDED_BY_ITSELF } from '../verdicts/verdict.ts'
import { runExamples } from './cucumber.ts'
import { withRun } from './current.ts'
import { judgeAll, judgedSoFar } from './judge-all.ts'
import { Run } from './run.ts'

/** One that forced mail meets a partner without TLS in, and others that go on meanwhile. */
const HOLDING = 'EXO-FRC-01'
const OTHERS = ['EXO-OPP-04', 'EXO-FRC-11', 'RFC3207-02']

const isStrange = ({ verdict }: RecordedVerdict) => verdict !== 'conformant' && verdict !== 'inapplicable'

describe('judging with a gateway that ends by itself', () => {
  const catalogue = loadCatalogue()
  const pki = new Pki()

  async function judged(source: GatewaySource, wanted = [HOLDING, ...OTHERS]) {
    const told: { verdict: RecordedVerdict; held: boolean }[] = []
    const listener = {
      began() {},
      judged: (_: string, verdict: RecordedVerdict, held = false) => told.push({ verdict, held }),
    }
    const run = await Run.start({ source, pki, listener })
    try {
      const rules = select(loadFeatures(catalogue), catalogue, { requirements: wanted })
      const messages = await withRun(run, () => judgeAll(run, rules, 4))
      // What was told last of each example, where it was told and not held.
      assert.ok(
        told.every(({ held, verdict }) => held || !isStrange(verdict) || run.verdicts.includes(verdict)),
      )
      const places = rules.flatMap(({ uri, examples }) => examples.map(({ line }) => `${uri}:${line}`))
      assert.deepEqual(run.verdicts.map(({ scenario }) => scenario).sort(), places.sort(), 'one of each')
      return { verdicts: run.verdicts, messages, told }
    } finally {
      await run.stop()
    }
  }

  it('blames only the example that ends the gateway in both runs', async () => {
    const { verdicts, messages, told } = await judged(
      reference(mutant('ends by itself instead of deferring a message')),
    )
    assert.ok(
      told.some(({ held }) => held),
      'what may be taken back is held',
    )
    const again = verdicts.filter(one => one.again)
    assert.ok(again.length > 0 && again.length <= verdicts.length)
    const red = verdicts.filter(({ verdict }) => verdict !== 'conformant')
    assert.ok(red.length > 0)
    for (const { requirement, verdict, control, detail } of red) {
      assert.deepEqual([requirement, verdict, control], [HOLDING, 'non-conformant', false], detail)
      assert.match(detail, /^reference ended by itself \(twice, /)
    }
    const finished = messages.filter(({ testCaseFinished }) => testCaseFinished).length
    assert.ok(finished > verdicts.length, 'both times are told')
    assert.equal(messages.filter(({ testRunFinished }) => testRunFinished).length, 1)
  })

  it('blames the example also if it ends a little later, whatever the level', async () => {
    const { verdicts } = await judged(
      reference(mutant('ends by itself a little after it has deferred a message')),
      [HOLDING, 'EXO-OPP-06'],
    )
    const red = verdicts.filter(({ verdict }) => verdict === 'non-conformant')
    assert.ok(red.some(({ requirement }) => requirement === HOLDING))
    for (const { detail } of red) assert.match(detail, /^reference ended by itself/)
    for (const { verdict } of verdicts) assert.ok(['conformant', 'non-conformant'].includes(verdict), verdict)
  })

  it('blames no example for an end that does not come again, and claims nothing', async () => {
    let started = 0
    const { verdicts } = await judged({
      ...reference(),
      start: flow =>
        reference(started++ === 0 ? mutant('ends by itself instead of deferring a message') : {}).start(flow),
    })
    const strange = verdicts.filter(({ verdict }) => verdict !== 'conformant')
    assert.ok(strange.some(({ requirement }) => requirement === HOLDING))
    for (const { verdict, detail, symptom } of strange) {
      if (verdict === 'inconclusive') {
        assert.match(detail, /; but there was no control .* the lab failed in the control of this Rule/)
        continue
      }
      assert.equal(verdict, 'lab-error')
      assert.match(detail, /^reference ended by itself; no example is known to cause this/)
      assert.equal(symptom, ENDED_BY_ITSELF)
    }
  })

  it('claims nothing about examples that were not judged again before an interrupt', async () => {
    const run = await Run.start({
      source: reference(mutant('ends by itself instead of deferring a message')),
      pki,
    })
    try {
      const rules = select(loadFeatures(catalogue), catalogue, { requirements: [HOLDING, ...OTHERS] })
      await withRun(run, () => runExamples(rules, 4))
      const suspects = new Set(run.ends.suspicious().flatMap(({ scenarios }) => [...scenarios]))
      const verdicts = judgedSoFar(run)
      assert.ok(suspects.size > 0)
      assert.equal(verdicts.length, run.verdicts.length)
      for (const { scenario, verdict, detail } of verdicts)
        if (suspects.has(scenario)) {
          assert.equal(verdict, 'lab-error')
          assert.match(detail, /interrupted before this example could be judged again$/)
        } else assert.equal(verdict, 'conformant', detail)
      run.verdicts.push(...run.verdicts)
      assert.deepEqual(judgedSoFar(run), run.verdicts.slice(verdicts.length), 'the second verdicts stand')
    } finally {
      await run.stop()
    }
  })

  it('gives later examples a new gateway, and stops all at the end', async () => {
    const started: Gateway[] = []
    await judged({
      ...reference(),
      async start(flow) {
        const gateway = await reference(mutant('ends by itself instead of deferring a message')).start(flow)
        started.push(gateway)
        return gateway
      },
    })
    assert.ok(started.length > 2, String(started.length))
    assert.ok(started.some(({ end }) => end) && started.some(({ end }) => !end))
  })
})
