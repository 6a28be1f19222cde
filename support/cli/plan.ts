import pc from 'picocolors'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { PlannedExample } from '../run/example.ts'
import { wrapped } from './columns.ts'
import type { Look } from './terminal.ts'

export interface Plan extends Look {
  /** That are to be judged; none where the user has named requirements. */
  profiles: readonly string[]
  /** About how long the run takes, in ms. */
  time: number
  /** And as long as the combinations of circumstances take that the user has asked for. */
  more: boolean
}

/**
 * Says which requirements a run would judge, and why not all of their examples, how many of each profile, and how long it
 * would take; at most `columns` wide.
 */
export function planText(
  plan: readonly PlannedExample[],
  catalogue: Catalogue,
  { colour, columns, profiles, time, more }: Plan,
): string {
  const paint = pc.createColors(colour)
  const byRequirement = Map.groupBy(plan, ({ rule }) => rule.requirement)
  const lines: string[] = []
  const marks = new Map<string, Mark>()
  for (const { id, statement } of catalogue.requirements) {
    const examples = byRequirement.get(id)
    if (!examples) continue
    const reasons = [...new Set(examples.flatMap(({ inapplicable }) => inapplicable ?? []))]
    const judged = examples.filter(({ inapplicable }) => inapplicable === undefined).length
    const mark = judged === examples.length ? 'yes' : judged > 0 ? 'part' : 'no'
    marks.set(id, mark)
    const count = judged > 0 && judged < examples.length ? `${judged} of ${examples.length} examples; ` : ''
    const text = reasons.length > 0 ? `${count}${reasons.join('; ')}` : statement
    const shown = { yes: paint.green, part: paint.yellow, no: paint.dim }[mark](mark.padEnd(4))
    lines.push(`${shown}  ${paint.bold(id.padEnd(12))} ${wrapped(text, columns, 19)}`)
  }
  const count = (wanted: Mark, profile?: string) =>
    [...marks].filter(
      ([id, mark]) =>
        mark === wanted &&
        (profile === undefined || catalogue.get(id).profiles.some(name => name === profile)),
    ).length
  const table = profiles.map(profile =>
    [profile.padEnd(PROFILE), ...MARKS.map(mark => `${count(mark, profile)}`.padStart(COLUMN))].join(''),
  )
  const head = ['of the profile'.padEnd(PROFILE), ...MARKS.map(mark => mark.padStart(COLUMN))].join('')
  const last = `The suite would judge ${count('yes') + count('part')} of ${marks.size} requirements in about ${roughly(time)}${more ? ', and the circumstances after that' : ''}. It has connected to nothing.`
  return `${[lines, ...(table.length > 0 ? [[paint.bold(head), ...table]] : []), [wrapped(last, columns)]]
    .map(part => part.join('\n'))
    .join('\n\n')}\n`
}

const MARKS = ['yes', 'part', 'no'] as const
type Mark = (typeof MARKS)[number]
/** Widths in columns of the terminal. The longest name of a profile has 22. */
const PROFILE = 27
const COLUMN = 6

/** A time that is not known better: `20 seconds`, `3 minutes`. */
function roughly(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  return minutes < 2 ? `${Math.max(1, Math.ceil(ms / 10_000))}0 seconds` : `${minutes} minutes`
}
