import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures, select } from '../catalogue/features.ts'
import { Pki } from '../pki/pki.ts'
import { reference } from '../reference/gateway.ts'
import { runExamples } from './cucumber.ts'
import { withRun } from './current.ts'
import { Run } from './run.ts'

describe('the verdicts of a whole run', function () {
  this.timeout(180_000)

  it('have conversations as evidence', async () => {
    const catalogue = loadCatalogue()
    const run = await Run.start({ source: reference(), pki: new Pki() })
    try {
      await withRun(run, () => runExamples(select(loadFeatures(catalogue), catalogue, {}), 8))
    } finally {
      await run.stop()
    }
    const bare = run.verdicts.filter(
      ({ verdict, seen }) => verdict !== 'inapplicable' && seen.conversations.length === 0,
    )
    assert.deepEqual(
      bare.map(({ scenario, title }) => `${scenario} ${title}`),
      [],
    )
    assert.ok(run.verdicts.length > 200, String(run.verdicts.length))
  })
})
