import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures, select } from '../catalogue/features.ts'
import type { Defect } from '../reference/decisions/defect.ts'
import { reference } from '../reference/gateway.ts'
import { withRun } from './current.ts'
import { judgeAll } from './judge-all.ts'
import { judgeOtherConnectors } from './other-connectors.ts'
import { Run } from './run.ts'

describe('judging at further connectors', () => {
  const catalogue = loadCatalogue()

  /** A gateway that takes no mail for the domains of a connector, so many times. */
  async function judged(times: number) {
    let left = times
    const refusal = () => {
      left--
      return '550 5.7.1 Not now'
    }
    const defect: Defect = {
      receiver: {
        replyInstead: ({ verb, argument }, correct) =>
          verb === 'RCPT' && /\.both\.test>/.test(argument) && left > 0 ? refusal() : correct,
      },
    }
    const run = await Run.start({ source: reference(defect), aftermath: 0 })
    try {
      const rules = select(loadFeatures(catalogue), catalogue, { requirements: ['EXO-FRC-01'] })
      await withRun(run, async () => {
        await judgeAll(run, rules, 4)
        await judgeOtherConnectors(run, rules, 1)
      })
      return { left, verdicts: run.verdicts }
    } finally {
      await run.stop()
    }
  }

  it('tries once more where nothing could be said', async () => {
    const { left, verdicts } = await judged(1)
    assert.equal(left, 0)
    for (const { verdict, detail } of verdicts) assert.equal(verdict, 'conformant', detail)
  })

  it('says so where nothing can be said again', async () => {
    const { verdicts } = await judged(Number.POSITIVE_INFINITY)
    const open = verdicts.filter(({ verdict }) => verdict === 'inconclusive')
    assert.ok(open.length > 0)
    assert.match(open[0]!.detail, /did not accept the message .* \(at the connector \*\.both\.test, not at/)
  })
})
