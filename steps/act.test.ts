import assert from 'node:assert/strict'
import { loadCatalogue } from '../support/catalogue/catalogue.ts'
import { loadFeatures, placeOf, select } from '../support/catalogue/features.ts'
import { loadDimensions } from '../support/circumstances/dimensions.ts'
import { reference } from '../support/reference/gateway.ts'
import { runExamples } from '../support/run/cucumber.ts'
import { withRun } from '../support/run/current.ts'
import { Run } from '../support/run/run.ts'

describe('a partner that sends an answer about its status along', () => {
  it('has no group that would take a HelloRetryRequest, and is judged without this circumstance', async () => {
    const catalogue = loadCatalogue()
    const rules = select(loadFeatures(catalogue), catalogue, { requirements: ['OCSP-01'] })
    const group = loadDimensions()
      .flatMap(({ values }) => values)
      .find(({ sets }) => (sets as { partner?: { group?: string } }).partner?.group === 'P-384')!
    const run = await Run.start({ source: reference({}), aftermath: 0 })
    try {
      const pass = run.pass(new Map(rules.map(rule => [placeOf(rule), [group]])))
      await withRun(pass, () => runExamples(rules, 4))
      assert.ok(pass.verdicts.length > 6)
      for (const { verdict, detail } of pass.verdicts) assert.equal(verdict, 'conformant', detail)
      assert.deepEqual(new Set(pass.verdicts.map(({ seen }) => seen.held?.length)), new Set([0, 1]))
    } finally {
      await run.stop()
    }
  })
})
