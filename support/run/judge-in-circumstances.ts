import { type FeatureRule, placeOf } from '../catalogue/features.ts'
import { type Combination, type Dimension, loadDimensions } from '../circumstances/dimensions.ts'
import { mayVary } from '../circumstances/range.ts'
import { reduced } from '../circumstances/reduce.ts'
import { sideBySide } from '../side-by-side.ts'
import { type CircumstancesSummary, cellsOf, type Trial, valueCounts } from '../verdicts/circumstances.ts'
import { because, broken } from '../verdicts/observation.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { isBroken as isBrokenByItself } from '../verdicts/verdict.ts'
import { runExamples } from './cucumber.ts'
import { withRun } from './current.ts'
import { findMailboxLimits } from './mailbox-limits.ts'
import { Meter } from './meter.ts'
import {
  combinations,
  type Pass,
  passesForPairs,
  passesOf,
  possible,
  type Selection,
  type Tried,
} from './passes.ts'
import type { Run } from './run.ts'

export interface CircumstancesOptions extends Selection {
  /**
   * After so many ms no further combination is begun; those that were not begun are counted. After half as much time again, a
   * finding is only looked at again and not reduced.
   */
  within?: number
  /** Examples that run side by side. */
  parallel: number
  /** No other combination is tried once the gateway breaks an example under one. */
  untilFound?: boolean
}

/** Read once in a process, for all its runs. */
let allDimensions: Dimension[] | undefined

/** Passes of each role that run side by side: one waits while another one works. */
const PASSES = 3
/** So many findings of one example are tried again, one after another, until one of them shows a second time. */
const TRIED_AGAIN = 3
/** What a gateway may refuse by a reply without being judged by it, unless it says that TLS is the reason. */
const DECLINED = /refused the message at (MAIL|RCPT|DATA|content): (?!.*(\b530\b|TLS|certificate))/i

/** One example under a combination. */
interface Cell extends Tried {
  verdict: RecordedVerdict
  /** The control of the Rule under the same combination. */
  control: RecordedVerdict | undefined
}

/**
 * Judges every example again, under combinations of circumstances that must not matter, where it is conformant plainly. An
 * example that comes out otherwise under some of them is judged by that, and its sentence names the fewest circumstances
 * that it takes. Changes the verdicts of the run in place. Returns what was tried; nothing where no example could be.
 */
export async function judgeInCircumstances(
  run: Run,
  selection: readonly FeatureRule[],
  options: CircumstancesOptions,
): Promise<CircumstancesSummary | undefined> {
  const meter = new Meter()
  const plain = new Map(run.verdicts.map(verdict => [verdict.scenario, verdict]))
  const rules = selection.map(rule => worthwhile(rule, plain)).filter(rule => rule !== undefined)
  await findMailboxLimits(run)
  const offered = { receiver: await run.keywords('receiver'), sender: await run.keywords('sender') }
  allDimensions ??= loadDimensions(undefined, run.catalogue)
  const dimensions = allDimensions.map(one => possible(one, run))
  const roles = new Set(rules.map(({ role }) => role))
  const rows = combinations(
    dimensions.filter(({ role }) => roles.has(role)),
    offered,
    options,
  )
  const passes = {
    receiver: passesOf(rules, 'receiver', rows),
    sender: passesOf(rules, 'sender', rows, options),
  }
  let all = passes.receiver.length + passes.sender.length

  const bench = new Bench(run, options.parallel)
  const cells: Cell[] = []
  const { within = Number.POSITIVE_INFINITY } = options
  const began = performance.now()
  const isOver = (limit: number) => performance.now() - began > limit
  let done = 0
  let notTried = 0
  const judge = async (pass: Pass) => {
    if (options.untilFound && cells.some(isFinding)) return
    if (isOver(within)) {
      notTried++
      return
    }
    const judged = await bench.judged(pass)
    // Where nothing came about, the example ran plainly.
    cells.push(...judged.filter(({ combination }) => combination.length > 0))
    run.listener?.doing?.(`circumstances: ${++done} of ${all} passes`)
  }
  // What sends mostly waits, and what receives mostly computes.
  await Promise.all([sideBySide(passes.receiver, PASSES, judge), sideBySide(passes.sender, PASSES, judge)])
  // Who asks for all combinations is told that every pair was tried.
  const more = options.most ? [] : passesForPairs(rules, cells)
  all += more.length
  await sideBySide(more, PASSES, judge)
  const cellsOfExample = Map.groupBy(cells, ({ verdict }) => verdict.scenario)
  const only = await conclude(run, bench, cellsOfExample, plain, () => isOver(1.5 * within))
  if (cells.length === 0) return undefined
  const trials = new Map([...cellsOfExample].map(([scenario, all]) => [scenario, all.map(trialOf)]))
  return {
    examples: trials.size,
    combinations: { receiver: passes.receiver.length, sender: passes.sender.length },
    ...(notTried > 0 ? { notTried } : {}),
    judgements: bench.judgements,
    ...meter.read(),
    values: valueCounts(
      dimensions.filter(({ role }) => passes[role].length > 0),
      offered,
      trials,
      only,
    ),
  }
}

/** Judges examples once, under one combination, and changes no verdict of the run. */
export async function judgeUnder(
  run: Run,
  selection: readonly FeatureRule[],
  combination: Combination,
  parallel: number,
): Promise<RecordedVerdict[]> {
  const cells = await new Bench(run, parallel).judged(selection.map(rule => ({ rule, combination })))
  return cells.map(({ verdict }) => verdict)
}

/** The Rule with its conformant examples. Returns undefined if its control is not one of these examples. */
function worthwhile(rule: FeatureRule, plain: ReadonlyMap<string, RecordedVerdict>): FeatureRule | undefined {
  const examples = rule.examples.filter(
    example =>
      plain.get(placeOf({ uri: rule.uri, line: example.line }))?.verdict === 'conformant' && mayVary(example),
  )
  return examples.some(({ control }) => control) ? { ...rule, examples } : undefined
}

/** Runs examples under combinations. */
class Bench {
  /** How many times an example was judged. */
  judgements = 0
  readonly #run: Run
  readonly #parallel: number

  constructor(run: Run, parallel: number) {
    this.#run = run
    this.#parallel = parallel
  }

  /** Each Rule under its combination, in one pass. */
  async judged(assigned: readonly { rule: FeatureRule; combination: Combination }[]): Promise<Cell[]> {
    const combinationOf = new Map(assigned.map(({ rule, combination }) => [placeOf(rule), combination]))
    const pass = this.#run.pass(combinationOf)
    await withRun(pass, () =>
      runExamples(
        assigned.map(({ rule }) => rule),
        this.#parallel,
      ),
    )
    await pass.aftermath.settle()
    this.judgements += pass.verdicts.length
    const verdicts = new Map(pass.verdicts.map(verdict => [verdict.scenario, verdict]))
    return assigned.flatMap(({ rule, combination }) => {
      const at = (line: number) => verdicts.get(placeOf({ uri: rule.uri, line }))
      const control = at(rule.examples.find(one => one.control)!.line)
      return rule.examples.flatMap(({ line }) => {
        const verdict = at(line)
        if (!verdict) return []
        // Of what is well, nothing but the verdict is asked for later.
        if (!isBroken(verdict)) verdict.seen.conversations = []
        const { held } = verdict.seen
        const came = held ? combination.filter(({ name }) => held.includes(name)) : combination
        return [{ rule, combination: came, verdict, control }]
      })
    })
  }

  /** One example with its control under each of several combinations; the cells of the example. */
  async again({ rule, verdict }: Cell, combinations: readonly Combination[]): Promise<Cell[]> {
    const examples = rule.examples.filter(
      ({ line, control }) => control || placeOf({ uri: rule.uri, line }) === verdict.scenario,
    )
    const cells = new Map<Combination, Cell>()
    await sideBySide(combinations, PASSES * 2, async combination => {
      const judged = await this.judged([{ rule: { ...rule, examples }, combination }])
      const own = judged.find(one => one.verdict.scenario === verdict.scenario)
      if (own) cells.set(combination, { ...own, combination })
    })
    return combinations.flatMap(combination => cells.get(combination) ?? [])
  }
}

const isBroken = (verdict: RecordedVerdict): boolean =>
  isBrokenByItself(verdict) || verdict.failed !== undefined

/**
 * An example came out otherwise, and the circumstances are not to blame: the control came out as it should, or is itself
 * the example and was not refused by a reply.
 */
function isFinding({ verdict, control }: Cell): boolean {
  if (!isBroken(verdict)) return false
  return verdict.control ? !DECLINED.test(verdict.detail) : control?.verdict === 'conformant'
}

function trialOf(cell: Cell): Trial {
  const { verdict, detail, control } = cell.verdict
  const trial = { combination: cell.combination, verdict, detail }
  if (verdict === 'conformant') return { ...trial, state: 'conformant' }
  if (isFinding(cell)) return { ...trial, state: 'broken' }
  if (!isBroken(cell.verdict)) return { ...trial, state: 'unclear' }
  const why = control
    ? 'the gateway may decline the circumstances themselves'
    : 'the control of this Rule did not hold under the same circumstances'
  return { ...trial, verdict: 'inconclusive', detail: `${why}: ${detail}`, state: 'unclear' }
}

/** Returns the fewest circumstances of each example that breaks under some only. */
async function conclude(
  run: Run,
  bench: Bench,
  cellsOfExample: ReadonlyMap<string, readonly Cell[]>,
  plain: ReadonlyMap<string, RecordedVerdict>,
  isOver: () => boolean,
): Promise<Map<string, Combination>> {
  const only = new Map<string, Combination>()
  const settle = (scenario: string, fewest?: Cell) => {
    const verdict = plain.get(scenario)!
    const before = { verdict: verdict.verdict, detail: verdict.detail }
    if (fewest) only.set(scenario, fewest.combination)
    if (fewest) accuse(run, verdict, fewest)
    const trials = cellsOfExample.get(scenario)!.map(trialOf)
    const { circumstances, cells } = cellsOf(before, trials, fewest && trialOf(fewest))
    verdict.circumstances = circumstances
    verdict.seen = { ...verdict.seen, cells }
  }
  /** What was enough elsewhere is tried first. */
  const known: Combination[] = []
  const broken: [scenario: string, found: Cell[]][] = []
  for (const [scenario, cells] of cellsOfExample) {
    const found = cells.filter(isFinding).slice(0, TRIED_AGAIN)
    if (found.length > 0) broken.push([scenario, found])
    else settle(scenario)
  }
  let done = 0
  const work = async ([scenario, found]: (typeof broken)[number]) => {
    run.listener?.doing?.(`circumstances: looking for the fewest, ${++done} of ${broken.length} examples`)
    let fewest: Cell | undefined
    for (const one of found)
      fewest ??= done > MOST_REDUCED ? guessed(one, known) : await fewestOf(one, bench, known, isOver)
    settle(scenario, fewest)
    if (fewest && done <= MOST_REDUCED) known.push(fewest.combination)
  }
  const [first, ...others] = broken
  if (first) await work(first)
  await sideBySide(others, PASSES, work)
  return only
}

/** Examples for which the fewest circumstances are looked for; each takes several runs of the example. */
const MOST_REDUCED = 40

/** Where very many examples are broken, the cause is known by then. */
const guessed = (found: Cell, known: readonly Combination[]): Cell => ({
  ...found,
  combination: known.find(one => isPartOf(one, found.combination)) ?? found.combination,
})

const isPartOf = (part: Combination, whole: Combination): boolean => part.every(one => whole.includes(one))

/** The example is broken, under these circumstances only. */
function accuse(run: Run, verdict: RecordedVerdict, { combination, verdict: seen }: Cell): void {
  const names = combination.map(({ name }) => name)
  const { detail, symptom } = seen.failed?.seen ?? seen
  const only = broken(`${detail} (only when ${names.join(' and ')})`, symptom)
  const observation = because(only, seen.failed?.seen.lacks)
  run.record.change(verdict, run.record.judge(run.example(verdict.scenario), observation))
  verdict.seen = seen.seen
  run.listener?.judged('', verdict)
}

/**
 * The cell with the fewest circumstances under which the same comes out; nothing where it does not come again. When the time
 * is over, the fewest that are known by then.
 */
async function fewestOf(
  found: Cell,
  bench: Bench,
  known: readonly Combination[],
  isOver: () => boolean,
): Promise<Cell | undefined> {
  const broken = new Map<Combination, Cell>()
  const shows = async (combinations: readonly Combination[]) => {
    if (isOver() && broken.size > 0) return combinations.map(() => false)
    const cells = await bench.again(found, combinations)
    return combinations.map(combination => {
      const cell = cells.find(one => one.combination === combination)
      if (cell && isFinding(cell)) broken.set(combination, cell)
      return broken.has(combination)
    })
  }
  const guesses = [...new Set(known.filter(one => isPartOf(one, found.combination)))]
  if (guesses.length > 0) {
    const right = await shows(guesses)
    const guess = guesses.find((_, at) => right[at])
    if (guess) return broken.get(guess)
  }
  const fewest = await reduced(found.combination, shows)
  if (!fewest) return undefined
  if (!broken.has(fewest)) await shows([fewest])
  return broken.get(fewest)
}
