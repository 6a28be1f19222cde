import { availableParallelism } from 'node:os'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { type FeatureRule, loadFeatures } from '../catalogue/features.ts'
import { loadDimensions } from '../circumstances/dimensions.ts'
import { Pki } from '../pki/pki.ts'
import { withRun } from '../run/current.ts'
import { judgeAll } from '../run/judge-all.ts'
import { judgeInCircumstances, judgeUnder } from '../run/judge-in-circumstances.ts'
import { Run } from '../run/run.ts'
import { sideBySide } from '../side-by-side.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { isBroken } from '../verdicts/verdict.ts'
import { conditional } from './conditional.ts'
import { Crew } from './crew.ts'
import type { Defect } from './decisions/defect.ts'
import { type Draw, draws, rulesOf } from './draw.ts'
import { reference } from './gateway.ts'
import { isSeen } from './seen/seen.ts'
import { isAlarm } from './selftest.ts'

/**
 * `found`: under the requirement, with the circumstances of the defect. `found with other circumstances`: some of them are
 * not among those that the suite names, which are not all of the defect's. `found elsewhere`: under another requirement only. `not planted`: the
 * gateway cannot act so, which says nothing about the suite.
 */
export const OUTCOMES = [
  'found',
  'found with other circumstances',
  'found elsewhere',
  'missed',
  'not planted',
] as const
export type Outcome = (typeof OUTCOMES)[number]

/** What the suite said of a gateway with one conditional defect. */
export interface Trial {
  requirement: string
  /** What the gateway does wrong, beginning with the verb. */
  name: string
  /** When it does so. */
  circumstances: string[]
  outcome: Outcome
  /** What the suite said, or why the defect was missed or not planted. */
  detail: string
  /** The fewest circumstances that the suite named; empty where it found the defect in an example as it is written. */
  named: string[]
  durationMs: number
}

/** What the suite said of the gateway without a defect, under the same combinations. */
export interface Clean {
  /** How many times an example was judged. */
  judgements: number
  /** What the suite called broken, each in a sentence. */
  alarms: string[]
}

export interface GeneratedResult {
  seed: string
  /** In the order in which they were drawn. */
  trials: Trial[]
  clean: Clean
  durationMs: number
}

/** As for `Run`: a defect that acts later acts within 100 ms. */
const AFTERMATH = 400
/** Examples of one run that go on side by side; several runs do. */
const PARALLEL = 2
/** Runs of one thread that go on side by side: one waits while another one computes. */
const RUNS = 3

/** Draws defects and judges gateways with them, in one thread. The same for the same seed. */
export class Workshop {
  readonly #seed: string
  readonly #catalogue: Catalogue = loadCatalogue()
  readonly #rules: readonly FeatureRule[] = loadFeatures(this.#catalogue)
  readonly #pki = new Pki()
  readonly #draws: Generator<Draw, never>
  readonly #drawn: Draw[] = []

  /** `requirements`: those that the defects may break; default: all. */
  constructor({ seed, requirements }: DrawOptions) {
    this.#seed = seed
    const dimensions = loadDimensions(undefined, this.#catalogue).map(one => ({
      ...one,
      values: one.values.filter(({ name }) => isSeen(name)),
    }))
    this.#draws = draws(seed, { rules: this.#rules, dimensions, requirements })
  }

  /** The draw with this number, from 0. */
  draw(number: number): Draw {
    while (this.#drawn.length <= number) this.#drawn.push(this.#draws.next().value)
    return this.#drawn[number]!
  }

  /** Judges a gateway with a defect that was drawn. Throws GatewayFailure. */
  async trial({ base, circumstances }: Draw): Promise<Trial> {
    const began = performance.now()
    const { name, requirement } = base
    let acted = 0
    const defect = conditional(base, circumstances, () => acted++)
    const over = (outcome: Outcome, detail: string, named: string[] = []): Trial => ({
      ...{ requirement, name, circumstances: circumstances.map(one => one.name) },
      ...{ outcome, detail, named, durationMs: Math.round(performance.now() - began) },
    })
    return this.#with(defect, requirement, async (run, rules) => {
      const exactly = await judgeUnder(run, rules, circumstances, PARALLEL)
      if (acted === 0) return over('not planted', 'the gateway never sees them where it decides')
      acted = 0
      await judgeAll(run, rules, PARALLEL)
      const plainly = run.verdicts.find(isBroken)
      if (plainly && acted === 0)
        return over('not planted', 'a gateway that decides so late breaks the requirement anyway')
      if (plainly) return over('found', plainly.detail)
      await this.#inCircumstances(run, rules, { untilFound: true })
      const red = run.verdicts.find(isBroken)
      const [elsewhere] = run.record.ofFailedControls()
      if (!red && elsewhere) return over('found elsewhere', `${elsewhere.requirement}: ${elsewhere.detail}`)
      if (!red) return over('missed', whyMissed(exactly, run.verdicts))
      const named = red.circumstances?.only ?? []
      const right = isRight(named, new Set(circumstances.map(({ name }) => name)))
      return over(right ? 'found' : 'found with other circumstances', red.detail, named)
    })
  }

  /** Judges the gateway without a defect by one requirement. Throws GatewayFailure. */
  async clean(requirement: string): Promise<Clean> {
    return this.#with({}, requirement, async (run, rules) => {
      await judgeAll(run, rules, PARALLEL)
      const tried = await this.#inCircumstances(run, rules)
      const red = [...run.verdicts.filter(isAlarm), ...run.record.ofFailedControls()]
      return {
        judgements: run.verdicts.length + (tried?.judgements ?? 0),
        alarms: red.map(({ requirement, title, detail }) => `${requirement}, ${title}: ${detail}`),
      }
    })
  }

  async #with<T>(
    defect: Defect,
    requirement: string,
    work: (run: Run, rules: readonly FeatureRule[]) => Promise<T>,
  ): Promise<T> {
    const run = await Run.start({ source: reference(defect), pki: this.#pki, aftermath: AFTERMATH })
    try {
      return await withRun(run, () => work(run, rulesOf(requirement, this.#rules)))
    } finally {
      await run.stop()
    }
  }

  #inCircumstances(run: Run, rules: readonly FeatureRule[], { untilFound = false } = {}) {
    const options = { strength: 2, seed: this.#seed, parallel: PARALLEL, untilFound } as const
    return judgeInCircumstances(run, rules, options)
  }
}

/** An example may bring a circumstance along, and a defect may show only with more than makes it act. */
const isRight = (named: readonly string[], planted: ReadonlySet<string>): boolean =>
  planted.isSubsetOf(new Set(named)) || planted.isSupersetOf(new Set(named))

function whyMissed(exactly: readonly RecordedVerdict[], verdicts: readonly RecordedVerdict[]): string {
  const shown = exactly.find(isBroken)
  if (shown) return `with exactly these circumstances it shows: ${shown.detail}`
  const unclear = [...exactly, ...verdicts].find(isAlarm)
  if (unclear) return `with exactly these circumstances: ${unclear.verdict}: ${unclear.detail}`
  return 'with exactly these circumstances everything is conformant'
}

export interface DrawOptions {
  seed: string
  requirements?: readonly string[] | undefined
}

/** What a thread of the crew is asked, and what it answers. */
export type Task = { trial: number } | { clean: string }
export type Answer = Trial | Clean

/**
 * Plants so many conditional defects, one at a time, and judges each gateway by the Rules of the requirement that the defect
 * breaks. Then judges the gateway without a defect by the same Rules. Throws GatewayFailure.
 */
export async function generatedSelftest(
  { count, ...options }: DrawOptions & { count: number },
  progressed: (done: number, total: number, name: string) => void = () => {},
): Promise<GeneratedResult> {
  const began = performance.now()
  const crew = new Crew<Task, Answer>(new URL('./generated-thread.ts', import.meta.url), options)
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
