import { type FeatureRule, placeOf } from '../catalogue/features.ts'
import { changesGateway, mayVary } from '../circumstances/range.ts'
import { broken } from '../verdicts/observation.ts'
import { byScenario, type RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { isBroken, isDecided } from '../verdicts/verdict.ts'
import { judgedIn } from './judge-all.ts'
import type { Run } from './run.ts'

/** So many further connectors are judged side by side: most of the time is waiting. */
const AT_ONCE = 3

/**
 * Every example was judged with the first connector that fits. Judges with each further connector the control of every Rule
 * and one other example, another one for each connector. An example that comes out otherwise with a further connector is
 * judged by that, and its sentence names the connector; one of which nothing can be said is judged once more, since a retry
 * of earlier mail may have been in its way. Changes the verdicts of the run in place.
 */
export async function judgeOtherConnectors(
  run: Run,
  selection: readonly FeatureRule[],
  parallel: number,
): Promise<void> {
  const plain = byScenario(run.verdicts)
  const judged = async (turn: number) => {
    const rules = selection.map(rule => partOf(rule, plain, turn)).filter(rule => rule !== undefined)
    if (rules.length === 0) return []
    const verdicts = byScenario(await judgedIn(run.pass(new Map(), turn), rules, parallel))
    const open = rules.map(rule => undecided(rule, verdicts)).filter(({ examples }) => examples.length > 0)
    if (open.length > 0)
      for (const again of await judgedIn(run.pass(new Map(), turn), open, parallel))
        verdicts.set(again.scenario, again)
    return [...verdicts.values()].filter(({ verdict }) => verdict !== 'inapplicable')
  }
  for (let turn = 1; ; turn += AT_ONCE) {
    const passes = await Promise.all(Array.from({ length: AT_ONCE }, (_, more) => judged(turn + more)))
    for (const verdict of passes.flat())
      if (verdict.verdict !== 'conformant') accuse(run, plain.get(verdict.scenario)!, verdict)
    if (passes.some(({ length }) => length === 0)) return
  }
}

/** Nothing where no connector is chosen, or where the Rule has shown nothing with the first one. */
function partOf(
  rule: FeatureRule,
  plain: ReadonlyMap<string, RecordedVerdict>,
  turn: number,
): FeatureRule | undefined {
  // Roots belong to the gateway and not to a connector.
  if (rule.examples.some(changesGateway)) return undefined
  const judged = rule.examples.filter(({ line }) => {
    const verdict = plain.get(placeOf({ uri: rule.uri, line }))
    return verdict?.verdict === 'conformant' && verdict.connector !== undefined
  })
  const controls = judged.filter(({ control }) => control)
  if (controls.length === 0) return undefined
  const all = judged.filter(({ control }) => !control)
  // One that takes long shows no more of a connector.
  const quick = all.filter(mayVary)
  const others = quick.length > 0 ? quick : all
  const other = others[(turn - 1) % Math.max(others.length, 1)]
  return { ...rule, examples: [...controls, ...(other ? [other] : [])] }
}

const undecided = (rule: FeatureRule, verdicts: ReadonlyMap<string, RecordedVerdict>): FeatureRule => ({
  ...rule,
  examples: rule.examples.filter(({ line }) => {
    const verdict = verdicts.get(placeOf({ uri: rule.uri, line }))
    return verdict !== undefined && verdict.verdict !== 'inapplicable' && !isDecided(verdict)
  }),
})

function accuse(run: Run, verdict: RecordedVerdict, found: RecordedVerdict): void {
  // One connector is enough.
  if (isBroken(verdict)) return
  const where = `(at the connector ${found.connector}, not at ${verdict.connector})`
  Object.assign(verdict, { connector: found.connector })
  run.record.accuse(verdict, run.example(verdict.scenario), found, (detail, symptom = detail) =>
    broken(`${detail} ${where}`, symptom),
  )
}
