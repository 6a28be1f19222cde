import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { type FeatureRule, loadFeatures } from '../catalogue/features.ts'
import { type Circumstance, loadDimensions } from '../circumstances/dimensions.ts'
import type { Defect } from '../reference/decisions/defect.ts'
import { reference } from '../reference/gateway.ts'
import { withRun } from './current.ts'
import { Run } from './run.ts'
import { Bench } from './under-combinations.ts'

describe('Rules with the same control under the same combination', () => {
  const catalogue = loadCatalogue()
  const sentences = ({ examples }: FeatureRule) =>
    JSON.stringify(examples.find(({ control }) => control)?.steps)
  const all = loadFeatures(catalogue)
  const first = all.find(({ requirement }) => requirement === 'EXO-FRC-01')!
  const rules = all.filter(one => one.role === 'sender' && sentences(one) === sentences(first))
  const tickets = loadDimensions().flatMap(
    ({ values }) =>
      values.find(({ sets }) => 'tickets' in ((sets as { partner?: object }).partner ?? {})) ?? [],
  )[0]!

  async function judged(defect: Defect, combination: Circumstance[] = [tickets]) {
    const run = await Run.start({ source: reference(defect), aftermath: 0 })
    try {
      const bench = new Bench(run, 8)
      const cells = await withRun(run, () => bench.judged(rules.map(rule => ({ rule, combination }))))
      return { cells, judgements: bench.judgements }
    } finally {
      await run.stop()
    }
  }
  const examples = rules.reduce((sum, rule) => sum + rule.examples.length, 0)

  it('run it once, and each of them has its verdict', async () => {
    assert.ok(rules.length > 5)
    const { cells, judgements } = await judged({})
    assert.equal(judgements, examples - rules.length + 1)
    assert.equal(cells.length, examples)
    assert.deepEqual([...new Set(cells.map(({ verdict }) => verdict.verdict))], ['conformant'])
    for (const { rule, verdict, control } of cells) {
      assert.equal(verdict.requirement, rule.requirement)
      assert.equal(control?.requirement, rule.requirement)
      if (verdict.control) assert.equal(verdict.scenario, control?.scenario)
    }
    assert.equal(new Set(cells.map(({ verdict }) => verdict.scenario)).size, examples)
  })

  it('run it each for itself where it does not hold, and no refusal counts then', async () => {
    const { cells, judgements } = await judged({ sender: { usesTls: () => false } })
    assert.ok(judgements > examples)
    assert.equal(cells.length, examples)
    for (const { verdict } of cells) assert.notEqual(verdict.verdict, 'conformant')
  })

  it('run at the connector whose turn it is', async () => {
    const run = await Run.start({ source: reference(), aftermath: 0 })
    try {
      const bench = new Bench(run, 8)
      const assigned = rules.slice(0, 1).map(rule => ({ rule, combination: [tickets] }))
      const at = async (turn: number) =>
        (await bench.judged(assigned, { turn })).map(({ verdict }) => [verdict.connector, verdict.verdict])
      const all = await withRun(run, async () => [await at(0), await at(1), await at(7)])
      const [first, second] = all.map(cells => cells[0]![0])
      assert.notEqual(first, second)
      // After the last connector it is the turn of the first one again.
      for (const [connector, verdict] of all.flat())
        assert.deepEqual([connector === undefined, verdict], [false, 'conformant'])
    } finally {
      await run.stop()
    }
  })
})
