import { type FeatureRule, placeOf } from '../catalogue/features.ts'
import { type Combination, type Dimension, loadDimensions } from '../circumstances/dimensions.ts'
import { changesGateway, mayVary } from '../circumstances/range.ts'
import { reduced } from '../circumstances/reduce.ts'
import { sideBySide } from '../side-by-side.ts'
import { type CircumstancesSummary, cellsOf, type Trial, valueCounts } from '../verdicts/circumstances.ts'
import { broken } from '../verdicts/observation.ts'
import { byScenario, type RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { ONLY_WHEN } from '../verdicts/verdict.ts'
import {
  combinations,
  type Pass,
  passesForPairs,
  passesOf,
  possible,
  type Selection,
  type Share,
} from './choose-combinations.ts'
import { findMailboxLimits } from './mailbox-limits.ts'
import { Meter } from './meter.ts'
import { forItsText, isFinding, RefusedControls } from './refused-controls.ts'
import type { Run } from './run.ts'
import { Bench, type Cell, isBroken } from './under-combinations.ts'

export interface CircumstancesOptions extends Selection {
  /**
   * After so many ms no further example is begun; combinations that were not tried with all examples are counted. After LONGER
   * than that, a finding is only looked at again and not reduced.
   */
  within?: number
  /** Examples that run side by side. */
  parallel: number
}

/** Read once in a process, for all its runs. */
let allDimensions: Dimension[] | undefined

/** Passes of each role that run side by side: one waits while another one works. What sends waits longest. */
const PASSES = { receiver: 6, sender: 10 }
/** Findings for which the fewest circumstances are looked for side by side. */
const REDUCED_AT_ONCE = 3
/** The fewest circumstances are looked for until so many times the time for trying is over. */
const LONGER = 1.4
/** So many findings of one example are tried again, one after another, until one of them shows a second time. */
const TRIED_AGAIN = 3

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
  const plain = byScenario(run.verdicts)
  const { changesInPlace } = run.gateways.source
  const rules = selection
    // All other examples would have to wait.
    .filter(rule => !changesInPlace || !rule.examples.some(changesGateway))
    .map(rule => worthwhile(rule, plain))
    .filter(rule => rule !== undefined)
  const { dimensions, offered, passes, later } = await planned(run, rules, options)
  const ofRole = (role: Dimension['role']) => [...passes[role].entries(), ...later[role].entries()]
  let all = ofRole('receiver').length + ofRole('sender').length

  const bench = new Bench(run, options.parallel)
  const cells: Cell[] = []
  const { within = Number.POSITIVE_INFINITY } = options
  const began = performance.now()
  const isOver = (limit: number) => performance.now() - began > limit
  let done = 0
  const notTried = new Set<string>()
  const judge = async (pass: Pass, name: string, turn = 0) => {
    const judged = await bench.judged(pass, { isOver: () => isOver(within), turn })
    const examples = pass.reduce((sum, { rule }) => sum + rule.examples.length, 0)
    if (judged.length < examples) notTried.add(name)
    // Where nothing came about, the example ran plainly.
    cells.push(...judged.filter(({ combination }) => combination.length > 0))
    run.listener?.doing?.(`circumstances: ${++done} of ${all} passes`)
  }
  // What sends mostly waits, and what receives mostly computes.
  await Promise.all([
    sideBySide(ofRole('receiver'), PASSES.receiver, ([at, pass]) => judge(pass, `receiver ${at}`)),
    // Examples for one connector wait for its address, one after another: where they wait, all combinations do.
    sideBySide(ofRole('sender'), PASSES.sender, ([at, pass]) =>
      judge(pass, `sender ${at}`, run.lab.leadsAll ? 0 : at),
    ),
  ])
  // Who asks for all combinations is told that every pair was tried.
  for (const alone of [false, true]) {
    const more = options.most ? [] : passesForPairs(rules, cells, { alone })
    all += more.length
    await sideBySide(more, PASSES.sender, pass => judge(pass, 'for pairs'))
  }
  const cellsOfExample = Map.groupBy(cells, ({ verdict }) => verdict.scenario)
  const only = await conclude(run, bench, cellsOfExample, plain, () => isOver(LONGER * within))
  if (cells.length === 0 && notTried.size === 0) return undefined
  const trials = new Map([...cellsOfExample].map(([scenario, all]) => [scenario, all.map(trialOf)]))
  return {
    examples: trials.size,
    combinations: { receiver: passes.receiver.length, sender: passes.sender.length },
    ...(notTried.size > 0 ? { notTried: notTried.size } : {}),
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

/** The passes in which `judgeInCircumstances` tries these Rules, before it knows what comes about in them. */
export async function planned(run: Run, rules: readonly FeatureRule[], options: Selection) {
  await findMailboxLimits(run)
  const offered = { receiver: await run.keywords('receiver'), sender: await run.keywords('sender') }
  allDimensions ??= loadDimensions(undefined, run.catalogue)
  const dimensions = allDimensions.map(one => possible(one, run))
  const roles = new Set(rules.map(({ role }) => role))
  const known = dimensions.filter(({ role }) => roles.has(role))
  const rows = combinations(known, offered, options)
  const isMust = ({ requirement }: FeatureRule) => run.catalogue.get(requirement)?.level === 'must'
  const of = (role: Dimension['role'], share: Share) => passesOf(rules, role, rows, { share, isMust })
  const both = (share: Share) => ({ receiver: of('receiver', share), sender: of('sender', share) })
  const passes = both(options.inTurn ? 'in turn' : 'all')
  // Once all combinations were tried with some examples, they are tried with the rest.
  const later = options.inTurn ? both('not in turn') : { receiver: [], sender: [] }
  return { dimensions, offered, passes, later }
}

/** As `judgeInCircumstances`, under one pass alone, which may come from another run, and up to the first finding. */
export async function judgeUnderPass(run: Run, pass: Pass, parallel: number): Promise<void> {
  const plain = byScenario(run.verdicts)
  const own = pass.flatMap(({ rule, combination }) => {
    const left = worthwhile(rule, plain)
    return left ? [{ rule: left, combination }] : []
  })
  const bench = new Bench(run, parallel)
  const cells = (await bench.judged(own)).filter(({ combination }) => combination.length > 0)
  const cellsOfExample = Map.groupBy(cells, ({ verdict }) => verdict.scenario)
  await conclude(run, bench, cellsOfExample, plain, () => false, { most: 1 })
}

/** Judges examples once, under one combination, until `isOver`, and changes no verdict of the run. */
export async function judgeUnder(
  run: Run,
  selection: readonly FeatureRule[],
  combination: Combination,
  parallel: number,
  isOver = () => false,
): Promise<RecordedVerdict[]> {
  const assigned = selection.map(rule => ({ rule, combination }))
  const cells = await new Bench(run, parallel).judged(assigned, { isOver })
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

/** Returns the fewest circumstances of each example that breaks under some only; of so many examples at most. */
async function conclude(
  run: Run,
  bench: Bench,
  cellsOfExample: ReadonlyMap<string, readonly Cell[]>,
  plain: ReadonlyMap<string, RecordedVerdict>,
  isOver: () => boolean,
  { most = Number.POSITIVE_INFINITY } = {},
): Promise<Map<string, Combination>> {
  const only = new Map<string, Combination>()
  const settle = (scenario: string, fewest?: Cell) => {
    const verdict = plain.get(scenario)!
    const before = { verdict: verdict.verdict, detail: verdict.detail }
    if (fewest) only.set(scenario, fewest.combination)
    if (fewest) accuse(run, verdict, forItsText(fewest))
    const trials = cellsOfExample.get(scenario)!.map(trialOf)
    const { circumstances, cells } = cellsOf(before, trials, fewest && trialOf(fewest))
    verdict.circumstances = circumstances
    verdict.seen = { ...verdict.seen, cells }
  }
  /** What was enough elsewhere is tried first. */
  const known: Combination[] = []
  const broken: [scenario: string, found: Cell[]][] = []
  const refused = new RefusedControls(bench)
  for (const [scenario, cells] of cellsOfExample) {
    const found = cells.filter(isFinding).slice(0, TRIED_AGAIN)
    if (found.length > 0) broken.push([scenario, found])
    else settle(scenario, isOver() ? undefined : await refused.among(cells))
  }
  let done = 0
  const work = async ([scenario, found]: (typeof broken)[number]) => {
    run.listener?.doing?.(`circumstances: looking for the fewest, ${++done} of ${broken.length} examples`)
    let fewest: Cell | undefined
    if (only.size >= most) return
    for (const one of found)
      fewest ??= done > MOST_REDUCED ? guessed(one, known) : await fewestOf(one, bench, known, isOver)
    settle(scenario, fewest)
    if (fewest && done <= MOST_REDUCED) known.push(fewest.combination)
  }
  const [first, ...others] = broken
  if (first) await work(first)
  await sideBySide(others, Math.min(REDUCED_AT_ONCE, most), work)
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
function accuse(run: Run, verdict: RecordedVerdict, { combination, verdict: found }: Cell): void {
  const names = combination.map(({ name }) => name)
  if (found.connector !== undefined) verdict.connector = found.connector
  run.record.accuse(verdict, run.example(verdict.scenario), found, (detail, symptom) =>
    broken(`${detail}${ONLY_WHEN}${names.join(' and ')})`, symptom),
  )
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
  const shown = [...broken.values()].toSorted(
    (one, other) => one.combination.length - other.combination.length,
  )
  return broken.get(fewest) ?? shown[0]
}
