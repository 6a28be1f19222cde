import pc from 'picocolors'
import { jsonText } from '../json-text.ts'
import { counted } from '../quantities.ts'
import type { GeneratedResult } from './generated.ts'
import { OUTCOMES, type Outcome, type Trial } from './try-generated-defect.ts'

export type GeneratedTotals = Record<Outcome | 'planted' | 'alarms', number>

export function generatedTotals({
  trials,
  clean,
}: Pick<GeneratedResult, 'trials' | 'clean'>): GeneratedTotals {
  const count = (outcome: Outcome) => trials.filter(one => one.outcome === outcome).length
  const counts = Object.fromEntries(OUTCOMES.map(name => [name, count(name)])) as Record<Outcome, number>
  return { planted: trials.length - counts['not planted'], ...counts, alarms: clean.alarms.length }
}

/** For people: what was not found as it should be and which alarms were false, then the score. */
export function generatedText(result: GeneratedResult, { colour }: { colour: boolean }): string {
  const { red, yellow, green, bold, dim } = pc.createColors(colour)
  const totals = generatedTotals(result)
  const { planted, found, alarms } = totals
  const lines: string[] = []
  for (const trial of result.trials.filter(
    ({ outcome }) => outcome !== 'found' && outcome !== 'not planted',
  )) {
    lines.push(`${red(trial.outcome)}  ${trial.requirement}: ${sentence(trial)}`)
    lines.push(`        ${dim(trial.detail)}`)
  }
  for (const alarm of result.clean.alarms) lines.push(`${yellow('alarm')}   without any defect: ${alarm}`)
  const others = OUTCOMES.slice(1, -1).map(outcome => `${totals[outcome]} ${outcome}`)
  const score = `${found} of ${planted} conditional defects found, ${others.join(', ')}, ${counted(alarms, 'false alarm')}`
  lines.push(found === planted && alarms === 0 ? green(bold(score)) : red(bold(score)))
  const drawn = [`seed ${result.seed}`, `${totals['not planted']} more drawn that the gateway cannot have`]
  const clean = `${counted(result.clean.judgements, 'judgement')} of the gateway without defect`
  lines.push(dim(`(${[...drawn, clean].join('; ')}; ${(result.durationMs / 1000).toFixed(1)} s)`))
  return `${lines.join('\n')}\n`
}

const sentence = ({ name, circumstances }: Trial): string =>
  `a gateway that ${name}, only when ${circumstances.join(' and ')}`

/** One JSON document. */
export function generatedJson(result: GeneratedResult): string {
  return jsonText({ schema: 1, totals: generatedTotals(result), ...result })
}
