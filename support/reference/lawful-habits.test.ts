import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures, select } from '../catalogue/features.ts'
import { Pki } from '../pki/pki.ts'
import { withRun } from '../run/current.ts'
import { judgeAll } from '../run/judge-all.ts'
import { Run } from '../run/run.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { reference } from './gateway.ts'
import { HABITS, type Habit } from './lawful-habits.ts'
import { isAlarm } from './selftest.ts'

describe('a sound gateway', function () {
  this.timeout(120_000)
  const pki = new Pki()
  const catalogue = loadCatalogue()
  const rules = loadFeatures(catalogue)
  // Streams of mail take long where the gateway takes none, and are judged by the same replies.
  const received = rules.filter(
    ({ role, requirement }) => role === 'receiver' && !requirement.startsWith('EXO-TRN'),
  )
  /** Where the habit is to be waited for, everything can be judged. */
  const JUDGED = ['greylists each client domain', 'closes in answer to QUIT']

  const verdictsOn = async ({ requirements, ...habit }: Habit): Promise<RecordedVerdict[]> => {
    const run = await Run.start({ source: reference(habit), pki, aftermath: 100 })
    try {
      const selection = requirements
        ? select(rules, catalogue, { requirements: [...requirements] })
        : received
      await withRun(run, () => judgeAll(run, selection, 8))
      return run.verdicts
    } finally {
      await run.stop()
    }
  }
  const said = ({ requirement, title, verdict, detail }: RecordedVerdict) =>
    `${requirement}, ${title}: ${verdict}: ${detail}`

  for (const [name, habit] of Object.entries(HABITS))
    it(`${name}, and nothing is held against it`, async () => {
      const { requirements } = habit
      const verdicts = await verdictsOn(habit)
      // The suite cannot make a second server come again.
      const open = requirements ? /(?!)/ : JUDGED.includes(name) ? /second server|^reference/ : /./
      const wrong = (one: RecordedVerdict) =>
        isAlarm(one) && !(one.verdict === 'inconclusive' && open.test(one.detail))
      assert.deepEqual(verdicts.filter(wrong).map(said), [])
      assert.ok(verdicts.some(({ verdict }) => verdict === 'conformant'))
      if (requirements)
        assert.deepEqual(new Set(verdicts.map(({ requirement }) => requirement)), new Set(requirements))
    })
})
