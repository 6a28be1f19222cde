import type { Envelope } from '@cucumber/messages'
import { type FeatureRule, placeOf } from '../catalogue/features.ts'
import { counted } from '../quantities.ts'
import type { RecordedVerdict } from '../verdicts/record.ts'
import { ENDED_BY_ITSELF } from '../verdicts/verdict.ts'
import { asOneRun, runExamples } from './cucumber.ts'
import type { Run } from './run.ts'

/**
 * Judges a selection with the steps of this run (`useRun`, `withRun`), side by side on `parallel` lanes, and waits
 * for what may come late. Returns Cucumber's messages; `told` gets those of each lane as they come.
 *
 * Where a gateway ended by itself, the Rules that it may have ended of are judged again, each example alone with a
 * gateway of its own: if that ends, too, the gateway does not stand what the example does. An end that does not come
 * again is nobody's, and nothing is claimed about the examples that it came in between. Throws GatewayFailure where
 * it came before any example.
 */
export async function judgeAll(
  run: Run,
  selection: readonly FeatureRule[],
  parallel: number,
  told: Envelope[][] = [],
): Promise<Envelope[]> {
  const messages = await runExamples(selection, parallel, told)
  await run.aftermath.settle()
  await run.gateways.awaitEnds()
  const ends = run.ends.suspicious()
  if (ends.length === 0) return messages

  const { length: before } = run.verdicts
  run.alone = true
  const again = selection.filter(rule => ends.some(({ rules }) => rules.has(placeOf(rule))))
  const rules = counted(again.length, 'Rule')
  run.listener?.noted?.(`Judging ${rules} again that this may come of, one example at a time.`)
  const causes = new Set<string>()
  for (const rule of again) {
    await runExamples([rule], 1, told)
    await run.aftermath.settle()
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
