import type { Envelope } from '@cucumber/messages'
import { type FeatureRule, placeOf } from '../catalogue/features.ts'
import { changesGateway } from '../circumstances/range.ts'
import { counted } from '../quantities.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { ENDED_BY_ITSELF } from '../verdicts/verdict.ts'
import { asOneRun, runExamples } from './cucumber.ts'
import { withRun } from './current.ts'
import type { Run } from './run.ts'

/**
 * Judges a selection with the steps of this run (`useRun`, `withRun`), side by side on `parallel` lanes, and then
 * watches messages that may come late. Returns Cucumber's messages; `told` gets those of each lane as they come.
 *
 * If a gateway ended by itself, all Rules whose examples may be the reason are judged again, each example alone with
 * a gateway of its own. If that gateway ends too, the example is broken. If no gateway ends again, the reason is not
 * known, and the suspected examples are lab errors. Throws GatewayFailure where the gateway ended before any example.
 */
export async function judgeAll(
  run: Run,
  selection: readonly FeatureRule[],
  parallel: number,
  told: Envelope[][] = [],
): Promise<Envelope[]> {
  for (const part of changesLast(run, selection)) await runExamples(part, parallel, told)
  await run.aftermath.settle()
  await run.gateways.awaitEnds()
  run.telling.flush()
  const ends = run.ends.suspicious()
  if (ends.length === 0) return asOneRun(told)

  const { length: before } = run.verdicts
  run.alone = true
  const again = selection.filter(rule => ends.some(({ rules }) => rules.has(placeOf(rule))))
  const rules = counted(again.length, 'Rule')
  run.listener?.noted?.(`Judging ${rules} again, one example at a time, to find the reason.`)
  const causes = new Set<string>()
  for (const rule of again) {
    await runExamples([rule], 1, told)
    await run.aftermath.settle()
    run.telling.flush()
    if (await run.ends.blame(rule)) causes.add(placeOf(rule))
    await run.gateways.stopOwn()
  }
  run.record.dropFormer(before)
  for (const { why, rules, scenarios } of ends) {
    if (scenarios.size === 0) throw why
    if (rules.isDisjointFrom(causes))
      run.record.withdraw(
        scenarios,
        `${why.message}; no example is known to cause this: judged alone, none of them ended the gateway again`,
      )
  }
  run.record.recheckRefusals()
  return asOneRun(told)
}

/** Examples that have the gateway changed come after all others, where those would have to wait for them. */
function changesLast({ gateways }: Run, selection: readonly FeatureRule[]): (readonly FeatureRule[])[] {
  if (!gateways.source.changesInPlace) return [selection]
  const isLast = ({ examples }: FeatureRule) => examples.some(changesGateway)
  return [selection.filter(rule => !isLast(rule)), selection.filter(isLast)]
}

/** Judges Rules in a pass, with the messages that may come late. Returns all verdicts of the pass. */
export async function judgedIn(
  pass: Run,
  rules: readonly FeatureRule[],
  parallel: number,
): Promise<RecordedVerdict[]> {
  await withRun(pass, () => runExamples(rules, parallel))
  await pass.aftermath.settle()
  return pass.verdicts
}

/**
 * Copies of the verdicts of a run that is interrupted. Of an example that was judged again, the second verdict
 * stands. An example that may have ended a gateway, and that was not judged again yet, is a lab error.
 */
export function judgedSoFar(run: Run): RecordedVerdict[] {
  const latest = new Map<string, RecordedVerdict>()
  const again = new Set<string>()
  for (const verdict of run.verdicts) {
    if (latest.has(verdict.scenario)) again.add(verdict.scenario)
    latest.set(verdict.scenario, { ...verdict })
  }
  for (const { why, scenarios } of run.ends.suspicious())
    for (const scenario of scenarios.difference(again)) {
      const detail = `${why.message}; the run was interrupted before this example could be judged again`
      Object.assign(latest.get(scenario)!, { verdict: 'lab-error', detail, symptom: ENDED_BY_ITSELF })
    }
  return [...latest.values()]
}
