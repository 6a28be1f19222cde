import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures } from '../catalogue/features.ts'
import { Pki } from '../pki/pki.ts'
import { withRun } from '../run/current.ts'
import { judgeAll } from '../run/judge-all.ts'
import { Run } from '../run/run.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { reference } from './gateway.ts'
import { HABITS } from './habits.ts'

describe('a sound gateway', function () {
  this.timeout(120_000)
  const pki = new Pki()
  // Streams of mail take long where the gateway takes none, and are judged by the same replies.
  const received = loadFeatures(loadCatalogue()).filter(
    ({ role, requirement }) => role === 'receiver' && !requirement.startsWith('EXO-TRN'),
  )
  /** Where the habit is to be waited for, everything can be judged. */
  const JUDGED = ['greylists each client domain', 'closes in answer to QUIT']

  const verdictsOn = async (habit: string): Promise<RecordedVerdict[]> => {
    const run = await Run.start({ source: reference(HABITS[habit]), pki, aftermath: 0 })
    try {
      await withRun(run, () => judgeAll(run, received, 8))
      return run.verdicts
    } finally {
      await run.stop()
    }
  }
  const said = ({ requirement, title, verdict, detail }: RecordedVerdict) =>
    `${requirement}, ${title}: ${verdict}: ${detail}`

  for (const habit of Object.keys(HABITS))
    it(`${habit}, and nothing is held against it`, async () => {
      const verdicts = await verdictsOn(habit)
      // The suite cannot make a second server come again.
      const open = JUDGED.includes(habit) ? /second server|^reference/ : /./
      const wrong = ({ verdict, detail }: RecordedVerdict) =>
        !['conformant', 'inapplicable'].includes(verdict) &&
        !(verdict === 'inconclusive' && open.test(detail))
      assert.deepEqual(verdicts.filter(wrong).map(said), [])
      assert.ok(verdicts.some(({ verdict }) => verdict === 'conformant'))
    })
})
