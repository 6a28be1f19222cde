import { type FeatureExample, placeOf } from '../catalogue/features.ts'
import type { Combination } from '../circumstances/dimensions.ts'
import { sideBySide } from '../side-by-side.ts'
import { byScenario, type RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { isBroken as isBrokenByItself } from '../verdicts/verdict.ts'
import type { Tried } from './choose-combinations.ts'
import { judgedIn } from './judge-all.ts'
import type { Run } from './run.ts'
import { type Assigned, SharedControls } from './shared-controls.ts'

/** So many combinations of one example are tried at the same time. */
const AT_ONCE = 6

/** One example under a combination. */
export interface Cell extends Tried {
  verdict: RecordedVerdict
  /** The control of the Rule under the same combination. */
  control: RecordedVerdict | undefined
  /** Whose turn it was of the connectors that fit; see `Run.turn`. */
  turn: number
}

interface Judging {
  isOver?: () => boolean
  /** Whether a control that several Rules have runs once for all of them. */
  shares?: boolean
  turn?: number
}

/** One example, because of which a gateway may have ended by itself. */
interface Suspect extends Assigned {
  scenario: string
}

/** Runs examples under combinations. */
export class Bench {
  /** How many times an example was judged. */
  judgements = 0
  readonly #run: Run
  readonly #parallel: number

  constructor(run: Run, parallel: number) {
    this.#run = run
    this.#parallel = parallel
  }

  /**
   * Each Rule under its combination, in one pass, without the examples that were not begun before `isOver`. Where several
   * Rules have the same control, it runs once, and again in each of them where it does not hold.
   */
  async judged(
    assigned: readonly Assigned[],
    { isOver = () => false, shares = true, turn = 0 }: Judging = {},
  ): Promise<Cell[]> {
    const pass = this.#run.pass(combinationsOf(assigned), turn)
    pass.isOver = isOver
    const controls = new SharedControls(shares ? assigned : [])
    controls.tell(pass.record)
    const rules = assigned.map(({ rule }) => controls.run(rule))
    const verdicts = byScenario(await judgedIn(pass, rules, this.#parallel))
    this.judgements += pass.verdicts.length
    for (const suspect of await this.#suspects(pass, assigned))
      verdicts.set(suspect.scenario, await this.#alone(suspect, turn))
    const apart = controls.settle(verdicts, this.#run.catalogue)
    const together = assigned.filter(({ rule }) => !apart.has(rule))
    const cells = this.#cells(together, verdicts, turn)
    if (apart.size === 0) return cells
    const again = assigned.filter(({ rule }) => apart.has(rule))
    return [...cells, ...(await this.judged(again, { isOver, shares: false, turn }))]
  }

  #cells(
    assigned: readonly Assigned[],
    verdicts: ReadonlyMap<string, RecordedVerdict>,
    turn: number,
  ): Cell[] {
    return assigned.flatMap(({ rule, combination }) => {
      const at = (line: number) => verdicts.get(placeOf({ uri: rule.uri, line }))
      const own = rule.examples.find(one => one.control)
      const control = own && at(own.line)
      return rule.examples.flatMap(({ line }) => {
        const verdict = at(line)
        if (!verdict) return []
        // Of what is well, nothing but the verdict is asked for later.
        if (!isBroken(verdict)) verdict.seen.conversations = []
        const { held } = verdict.seen
        const came = held ? combination.filter(({ name }) => held.includes(name)) : combination
        return [{ rule, combination: came, verdict, control, turn }]
      })
    })
  }

  /** Examples because of which a gateway may have ended by itself in this pass. */
  async #suspects(pass: Run, assigned: readonly Assigned[]): Promise<Suspect[]> {
    if (pass.verdicts.every(({ verdict }) => verdict === 'conformant')) return []
    await pass.gateways.awaitEnds()
    const scenarios = new Set(pass.ends.suspicious().flatMap(end => [...end.scenarios]))
    return assigned.flatMap(({ rule, combination }) =>
      rule.examples.flatMap(example => {
        const scenario = placeOf({ uri: rule.uri, line: example.line })
        return scenarios.has(scenario)
          ? [{ rule: { ...rule, examples: [example] }, combination, scenario }]
          : []
      }),
    )
  }

  /** Judges an example again, with a gateway of its own: it is broken if that gateway ends as well. */
  async #alone({ rule, combination, scenario }: Suspect, turn: number): Promise<RecordedVerdict> {
    const pass = this.#run.pass(combinationsOf([{ rule, combination }]), turn)
    pass.alone = true
    await judgedIn(pass, [rule], 1)
    await pass.ends.blame(rule)
    await pass.ends.stopOwn()
    this.judgements += pass.verdicts.length
    return pass.verdicts.find(one => one.scenario === scenario)!
  }

  /** One example under each of several combinations, and its control where it is broken; the cells of the example. */
  async again({ rule, verdict, turn }: Cell, combinations: readonly Combination[]): Promise<Cell[]> {
    const only = (fits: (example: FeatureExample) => boolean) => ({
      ...rule,
      examples: rule.examples.filter(fits),
    })
    const example = only(({ line }) => placeOf({ uri: rule.uri, line }) === verdict.scenario)
    const cells = new Map<Combination, Cell>()
    await sideBySide(combinations, AT_ONCE, async combination => {
      const [own] = await this.judged([{ rule: example, combination }], { turn })
      if (!own) return
      const [control] =
        isBroken(own.verdict) && !own.verdict.control
          ? await this.judged([{ rule: only(one => one.control), combination }], { turn })
          : []
      cells.set(combination, { ...own, combination, control: control?.verdict })
    })
    return combinations.flatMap(combination => cells.get(combination) ?? [])
  }
}

const combinationsOf = (assigned: readonly Assigned[]): Map<string, Combination> =>
  new Map(assigned.map(({ rule, combination }) => [placeOf(rule), combination]))

/** The example is broken, or fails as a control by what another requirement is about. */
export const isBroken = (verdict: RecordedVerdict): boolean =>
  isBrokenByItself(verdict) || verdict.failed !== undefined
