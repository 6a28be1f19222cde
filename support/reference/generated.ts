import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { sideBySide } from '../side-by-side.ts'
import type { Clean, DrawOptions, Trial } from './try-generated-defect.ts'
import { Crew } from './worker-threads.ts'

export interface GeneratedResult {
  seed: string
  /** In the order in which they were drawn. */
  trials: Trial[]
  clean: Clean
  durationMs: number
}

/** Runs of one thread that go on side by side: one waits while another one computes. */
const RUNS = 4
/** What a thread of the crew is asked, and what it answers. `trial`: the number of a draw. */
export type Task = { clean: string } | { trial: number }
export type Answer = Clean | Trial

/**
 * Plants so many conditional defects, one at a time, and judges each gateway by the Rules of the requirement that the defect
 * breaks. Then judges the gateway without a defect by the same Rules. Throws GatewayFailure.
 */
export async function generatedSelftest(
  { count, ...options }: DrawOptions & { count: number },
  progressed: (done: number, total: number, name: string) => void = () => {},
): Promise<GeneratedResult> {
  const began = performance.now()
  const crew = new Crew<Task, Answer>(
    new URL(`./generated-thread${extname(import.meta.filename)}`, import.meta.url),
    options,
  )
  try {
    const trials: Trial[] = []
    const planted = () => trials.filter(one => one?.outcome !== 'not planted')
    let next = 0
    const lane = async () => {
      while (planted().length < count) {
        const number = next++
        const trial = (await crew.does({ trial: number })) as Trial
        trials[number] = trial
        if (planted().length <= count) progressed(planted().length, count, trial.name)
      }
    }
    const lanes = Math.min(count, RUNS * availableParallelism())
    await Promise.all(Array.from({ length: lanes }, lane))
    const kept = trials.slice(0, trials.indexOf(planted()[count - 1]!) + 1)
    const clean: Clean = { judgements: 0, alarms: [] }
    const requirements = [...new Set(planted().map(({ requirement }) => requirement))]
    let checked = 0
    await sideBySide(requirements, RUNS * availableParallelism(), async one => {
      const { judgements, alarms } = (await crew.does({ clean: one })) as Clean
      clean.judgements += judgements
      clean.alarms.push(...alarms)
      progressed(++checked, requirements.length, `no defect: ${one}`)
    })
    return { seed: options.seed, trials: kept, clean, durationMs: Math.round(performance.now() - began) }
  } finally {
    await crew.end()
  }
}
