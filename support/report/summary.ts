import { duration, minute } from '../quantities.ts'
import { totals } from '../verdicts/verdict.ts'
import { triedIn } from './circumstances.ts'
import { BY_URGENCY, type Findings } from './findings.ts'
import { markdown } from './templates.ts'
import { clipped } from './visible.ts'
import { MEANINGS } from './words.ts'

/** A CI service shows at most 1 MiB of a summary, and nobody reads more rows than these. */
const ROWS = 50

/** A run in GitHub-flavoured Markdown, for the summary of a CI job: what was found, and what needs attention. */
export function summary({ record, headline, interrupted, counts, attention }: Findings): string {
  const examples = totals(record.verdicts)
  const { gateway, suite } = record
  return markdown.render('./summary', {
    headline,
    interrupted,
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
    tried: triedIn(record).join(' '),
    attention: attention.slice(0, ROWS).map(({ verdict, id, deciding: { judged } }) => ({
      verdict,
      id,
      title: clipped(judged.title, 200),
      detail: clipped(judged.detail, 400),
    })),
    more: Math.max(attention.length - ROWS, 0),
    command: record.command,
  })
}
