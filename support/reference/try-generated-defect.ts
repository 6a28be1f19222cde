import type { Catalogue } from '../catalogue/catalogue.ts'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { type FeatureRule, loadFeatures } from '../catalogue/features.ts'
import { type Circumstance, type Combination, loadDimensions } from '../circumstances/dimensions.ts'
import { Pki } from '../pki/pki.ts'
import type { Selection } from '../run/choose-combinations.ts'
import { withRun } from '../run/current.ts'
import { judgeAll } from '../run/judge-all.ts'
import { judgeInCircumstances, judgeUnder, judgeUnderPass, planned } from '../run/judge-in-circumstances.ts'
import { Run } from '../run/run.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { isBroken } from '../verdicts/verdict.ts'
import { conditional } from './conditional-defect.ts'
import type { Defect } from './decisions/defect.ts'
import { type Draw, draws, rulesOf } from './draw-defects.ts'
import { reference } from './gateway.ts'
import type { Mutant } from './mutants/index.ts'
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

/** What the suite said of the gateway without a defect. */
export interface Clean {
  /** How many times an example was judged. */
  judgements: number
  /** What the suite called broken, each in a sentence. */
  alarms: string[]
}

export interface DrawOptions {
  seed: string
  /** Those that the defects may break; default: all. */
  requirements?: readonly string[] | undefined
}

/** As for `Run`: a defect that acts later acts within 100 ms. */
const AFTERMATH = 400
/** Examples of one run that go on side by side; several runs do. */
const PARALLEL = 2
/** So many times at most. */
const TRIES = 3

/** Draws defects and judges gateways with them, in one thread. The same for the same seed. */
export class Workshop {
  readonly #selection: Selection
  readonly #catalogue: Catalogue = loadCatalogue()
  readonly #rules: readonly FeatureRule[] = loadFeatures(this.#catalogue)
  readonly #pki = new Pki()
  readonly #draws: Generator<Draw, never>
  readonly #drawn: Draw[] = []
  readonly #visit: Circumstance

  constructor({ seed, requirements }: DrawOptions) {
    this.#selection = { strength: 2, seed }
    const all = loadDimensions(undefined, this.#catalogue)
    const dimensions = all.map(one => ({ ...one, values: one.values.filter(({ name }) => isSeen(name)) }))
    this.#visit = all.find(({ name }) => name === BEFORE)!.values[0]!
    this.#draws = draws(seed, { rules: this.#rules, dimensions, requirements })
  }

  /** The draw with this number, from 0. */
  draw(number: number): Draw {
    while (this.#drawn.length <= number) this.#drawn.push(this.#draws.next().value)
    return this.#drawn[number]!
  }

  /** Judges the gateway without a defect by one requirement, under combinations that have every value. Throws GatewayFailure. */
  async clean(requirement: string): Promise<Clean> {
    const { undecided, ...clean } = await untilDecided(() => this.#clean(requirement))
    return clean
  }

  async #clean(requirement: string): Promise<Clean & { undecided: boolean }> {
    return this.#with({}, requirement, async (run, rules) => {
      await judgeAll(run, rules, PARALLEL)
      const options = { ...this.#selection, parallel: PARALLEL, most: 'every value' } as const
      const tried = await judgeInCircumstances(run, rules, options)
      const red = [...run.verdicts.filter(isAlarm), ...run.record.ofFailedControls()]
      return {
        undecided: red.length > 0 && !red.some(isBroken),
        judgements: run.verdicts.length + (tried?.judgements ?? 0),
        alarms: red.map(({ requirement, title, detail }) => `${requirement}, ${title}: ${detail}`),
      }
    })
  }

  /**
   * Judges a gateway with a defect that was drawn: as the examples are written, and then in the passes that have the
   * circumstances of the defect, since in others it does as the correct one does. If it shows in none of them, in all.
   * Throws GatewayFailure.
   */
  async trial(draw: Draw): Promise<Trial> {
    const { undecided, ...trial } = await untilDecided(() => this.#trial(draw))
    return trial
  }

  async #trial({ base, circumstances }: Draw): Promise<Trial & { undecided: boolean }> {
    let undecided = false
    const began = performance.now()
    const { name, requirement } = base
    let acted = 0
    const planted = {
      ...conditional(base, circumstances, () => acted++),
      ...(base.as ? { as: base.as } : {}),
    }
    const over = (outcome: Outcome, detail: string, named: string[] = []) => ({
      ...{ undecided, requirement, name, circumstances: circumstances.map(one => one.name) },
      ...{ outcome, detail, named, durationMs: Math.round(performance.now() - began) },
    })
    const exactly = (isOver?: () => boolean) =>
      this.#with(planted, requirement, (run, rules) =>
        judgeUnder(run, rules, this.#possible(circumstances), PARALLEL, isOver),
      )
    // That the gateway acts is enough to know.
    const asPlanted = await exactly(() => acted > 0)
    undecided = acted === 0 && asPlanted.some(isAlarm)
    if (acted === 0) return over('not planted', 'the gateway never sees them where it decides')
    acted = 0
    const found = ({ verdicts }: Run) => {
      const red = verdicts.find(isBroken)
      const named = red?.circumstances?.only ?? []
      const right = isRight(named, new Set(circumstances.map(({ name }) => name)))
      return red && over(right ? 'found' : 'found with other circumstances', red.detail, named)
    }
    const early = await this.#with(planted, requirement, async (run, rules) => {
      await judgeAll(run, rules, PARALLEL)
      const plainly = run.verdicts.find(isBroken)
      if (plainly && acted === 0)
        return over('not planted', 'a gateway that decides so late breaks the requirement anyway')
      if (plainly) return over('found', plainly.detail)
      undecided = acted === 0 && run.verdicts.some(isAlarm)
      if (undecided) return over('missed', 'the examples as they are written could not be judged')
      const { passes } = await planned(run, rules, this.#selection)
      for (const pass of [...passes.receiver, ...passes.sender]) {
        const own = pass.filter(({ combination }) => hasAll(combination, circumstances))
        if (own.length > 0 && !found(run)) await judgeUnderPass(run, own, PARALLEL)
      }
      return found(run)
    })
    return (
      early ??
      this.#with(planted, requirement, async (run, rules) => {
        await judgeAll(run, rules, PARALLEL)
        await judgeInCircumstances(run, rules, { ...this.#selection, parallel: PARALLEL })
        const [elsewhere] = run.record.ofFailedControls()
        return (
          found(run) ??
          (elsewhere
            ? over('found elsewhere', `${elsewhere.requirement}: ${elsewhere.detail}`)
            : over('missed', whyMissed(await exactly(), run.verdicts)))
        )
      })
    )
  }

  /** What happened before something does not come about without that something. */
  #possible(circumstances: Combination): Combination {
    const has = (dimension: string) => circumstances.some(one => one.dimension === dimension)
    return has(EARLIER) && !has(BEFORE) ? [...circumstances, this.#visit] : circumstances
  }

  async #with<T>(
    { as, ...defect }: Defect & Pick<Mutant, 'as'>,
    requirement: string,
    work: (run: Run, rules: readonly FeatureRule[]) => Promise<T>,
  ): Promise<T> {
    const run = await Run.start({ source: reference(defect, as), pki: this.#pki, aftermath: AFTERMATH })
    try {
      return await withRun(run, () => work(run, rulesOf(requirement, this.#rules)))
    } finally {
      await run.stop()
    }
  }
}

const hasAll = (combination: Combination, circumstances: Combination): boolean =>
  circumstances.every(({ name }) => combination.some(one => one.name === name))

/** On a machine with much other work, an answer may come too late for a verdict. What is broken is never judged again. */
async function untilDecided<T extends { undecided: boolean }>(work: () => Promise<T>): Promise<T> {
  let result = await work()
  for (let more = 1; result.undecided && more < TRIES; more++) result = await work()
  return result
}

/** An example may bring a circumstance along, and a defect may show only with more than makes it act. */
export function isRight(named: readonly string[], planted: ReadonlySet<string>): boolean {
  const ofClient = named.includes(`${BEFORE}: ${OTHER}`) ? named.map(lastOfClient) : []
  const all = new Set([...named, ...ofClient, ...named.map(sameMessage)])
  return planted.isSubsetOf(all) || planted.isSupersetOf(new Set(named))
}

const BEFORE = 'what happened before on another connection'
const EARLIER = 'what happened before that'
const OTHER = 'an unencrypted delivery of another client'
/** Where another client came last, what was before that is the last that the gateway knows of the same client. */
const lastOfClient = (name: string): string => name.replace(EARLIER, BEFORE)

/** A gateway that gets a message cannot tell whether a partner delivers it or a user wants it sent. */
const sameMessage = (name: string): string =>
  name.replace(' of the delivered message: ', ' of the sent message: ')

function whyMissed(exactly: readonly RecordedVerdict[], verdicts: readonly RecordedVerdict[]): string {
  const shown = exactly.find(isBroken)
  if (shown) return `with exactly these circumstances it shows: ${shown.detail}`
  const unclear = [...exactly, ...verdicts].find(isAlarm)
  if (unclear) return `with exactly these circumstances: ${unclear.verdict}: ${unclear.detail}`
  return 'with exactly these circumstances everything is conformant'
}
