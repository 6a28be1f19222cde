import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures, select } from '../catalogue/features.ts'
import { withRun } from '../run/current.ts'
import { judgeAll } from '../run/judge-all.ts'
import { Run } from '../run/run.ts'
import type { Defect } from './decisions/defect.ts'
import { reference } from './gateway.ts'
import { despite } from './mutants/shared.ts'

/** What a sound gateway may do. The requirements are those that could be thought to be broken by it. */
const HABITS: Record<string, Defect & { requirements: string[] }> = {
  'accepts a client whose certificate is for servers': {
    requirements: ['EXO-FRC-14', 'RFC3207-11'],
    receiver: { trustsChain: despite(/^INVALID_PURPOSE$/) },
  },
  'offers no suites but those that RFC 9325 recommends': {
    requirements: ['EXO-OPP-03', 'EXO-OPP-01'],
    sender: { tls: (_, correct) => ({ ...correct, suites: correct.suites.filter(isRecommended) }) },
  },
}

/** RFC 9325 s4.2. */
const isRecommended = (suite: string): boolean => /^(TLS_|ECDHE-).*(GCM|CHACHA20)/.test(suite)

describe('nothing is held against a gateway that', function () {
  this.timeout(60_000)
  const catalogue = loadCatalogue()
  for (const [habit, { requirements, ...defect }] of Object.entries(HABITS))
    it(habit, async () => {
      const run = await Run.start({ source: reference(defect), aftermath: 100 })
      try {
        await withRun(run, () =>
          judgeAll(run, select(loadFeatures(catalogue), catalogue, { requirements }), 4),
        )
        const held = run.verdicts.filter(
          ({ verdict }) => verdict !== 'conformant' && verdict !== 'inapplicable',
        )
        assert.deepEqual(
          held.map(({ requirement, title, detail }) => `${requirement} ${title}: ${detail}`),
          [],
        )
        assert.deepEqual(new Set(run.verdicts.map(({ requirement }) => requirement)), new Set(requirements))
      } finally {
        await run.stop()
      }
    })
})
