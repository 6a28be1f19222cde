import pc from 'picocolors'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { PlannedExample } from '../run/example.ts'
import { wrapped } from './columns.ts'
import type { Look } from './terminal.ts'

/** Says which requirements a run would judge, and why not all of their examples; at most `columns` wide. */
export function planText(
  plan: readonly PlannedExample[],
  catalogue: Catalogue,
  { colour, columns }: Look,
): string {
  const paint = pc.createColors(colour)
  const byRequirement = Map.groupBy(plan, ({ rule }) => rule.requirement)
  const lines: string[] = []
  let tested = 0
  for (const { id, statement } of catalogue.requirements) {
    const examples = byRequirement.get(id)
    if (!examples) continue
    const reasons = [...new Set(examples.flatMap(({ inapplicable }) => inapplicable ?? []))]
    const judged = examples.filter(({ inapplicable }) => inapplicable === undefined).length
    if (judged > 0) tested++
    const mark =
      judged === examples.length ? paint.green('yes ') : judged > 0 ? paint.yellow('part') : paint.dim('no  ')
    const count = judged > 0 && judged < examples.length ? `${judged} of ${examples.length} examples; ` : ''
    const text = reasons.length > 0 ? `${count}${reasons.join('; ')}` : statement
    lines.push(`${mark}  ${paint.bold(id.padEnd(12))} ${wrapped(text, columns, 19)}`)
  }
  return `${lines.join('\n')}\n\n${wrapped(`The suite would judge ${tested} of ${byRequirement.size} requirements. It has connected to nothing.`, columns)}\n`
}
