import { duration, minute } from '../quantities.ts'
import { expectedOf } from '../verdicts/expected-outcome.ts'
import { BY_URGENCY, totals, withoutReason } from '../verdicts/verdict.ts'
import { triedIn } from './circumstances.ts'
import { CHANGE_KINDS, DIFFERENCE_TITLES, differenceTold } from './diff.ts'
import type { Findings } from './findings.ts'
import { type ToDo, toDoAbout } from './remedy.ts'
import type { Since } from './run-record.ts'
import { sinceTold } from './since.ts'
import { markdown } from './templates.ts'
import { clipped } from './visible.ts'
import { MEANINGS } from './words.ts'

/** A CI service shows at most 1 MiB of a summary, and nobody reads more rows than these. */
const ROWS = 50

/** Without links, which a summary of a CI job has no room for. */
function remedyText(toDo: ToDo | undefined): string {
  if (!toDo) return ''
  const { sentence, settings, own } = toDo
  return [sentence, ...(own ? settings : []).flatMap(({ set }) => set)].join(' ')
}

function sinceView(since: Since) {
  const changes = CHANGE_KINDS.filter(kind => kind !== 'gained').flatMap(kind =>
    since.changes[kind].map(({ requirement, title, before, after }) => ({
      kind: DIFFERENCE_TITLES[kind],
      id: requirement,
      title: clipped(title, 200),
      before: before?.verdict ?? 'not in the run',
      after: after?.verdict ?? 'not in the run',
      detail: clipped(withoutReason((after ?? before!).detail), 400),
    })),
  )
  return {
    told: `${clipped(sinceTold(since), 400)}: ${differenceTold(since.changes)}.`,
    changes: changes.slice(0, ROWS),
    more: Math.max(changes.length - ROWS, 0),
  }
}

/** A run in GitHub-flavoured Markdown, for the summary of a CI job: what was found, and what needs attention. */
export function summary({
  record,
  headline,
  interrupted,
  counts,
  causes,
  unexplained,
  cautions,
  again,
}: Findings): string {
  const examples = totals(record.verdicts)
  const { gateway, suite } = record
  return markdown.render('./summary', {
    headline,
    interrupted,
    again: again && clipped(again, 600),
    facts: [
      gateway.library,
      record.profiles.join(', '),
      minute(record.startedAt),
      duration(record.durationMs),
      `${suite.name} ${suite.version}`,
    ].filter(Boolean),
    counts: BY_URGENCY.filter(verdict => examples[verdict] > 0).map(verdict => ({
      verdict,
      requirements: counts[verdict],
      examples: examples[verdict],
      meaning: MEANINGS[verdict],
    })),
    cautions: cautions.map(one => clipped(one, 400)),
    causes: causes.map(({ told, examples }) => ({
      told: clipped(told, 600),
      ids: examples.map(({ judged }) => judged.requirement).join(', '),
    })),
    since: record.since && sinceView(record.since),
    tried: triedIn(record).join(' '),
    attention: unexplained.slice(0, ROWS).map(({ verdict, id, deciding: { judged } }) => ({
      verdict,
      id,
      title: `${judged.control ? 'the control: ' : ''}${clipped(judged.title, 200)}`,
      expected: clipped(expectedOf(judged) ?? '', 400),
      detail: clipped(judged.detail, 400),
      remedy: remedyText(toDoAbout(judged, gateway.name)),
    })),
    more: Math.max(unexplained.length - ROWS, 0),
    command: record.command,
  })
}
