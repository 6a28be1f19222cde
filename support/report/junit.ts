import type { VerdictName } from '../verdicts/verdict.ts'
import type { Example, Findings } from './findings.ts'
import { markup } from './templates.ts'
import { clipped } from './visible.ts'

export type Outcome = 'passed' | 'failure' | 'error' | 'skipped'

/**
 * A run as JUnit XML: one suite per area, one case per example with the requirement as its class. Non-conformant and
 * stale are failures, with `strict` also declined and inconclusive; lab-error is an error, all else but conformant is
 * skipped with the reason.
 */
export function junit({ record, areas }: Findings): string {
  const suites = areas.map(({ area, findings }) => {
    const cases = findings.flatMap(({ examples }) => examples).map(example => caseOf(example, record.strict))
    return { name: area, cases, ...tally(cases) }
  })
  const { gateway, suite } = record
  return `<?xml version="1.0" encoding="UTF-8"?>\n${markup.render('./junit', {
    ...tally(suites.flatMap(({ cases }) => cases)),
    name: [gateway.name, gateway.version].filter(Boolean).join(' '),
    properties: {
      gateway: gateway.name,
      version: gateway.version,
      library: gateway.library,
      kind: gateway.kind,
      profiles: record.profiles.join(' '),
      suite: `${suite.name} ${suite.version} (${suite.commit})`,
      command: record.command,
    },
    startedAt: record.startedAt,
    suites,
  })}\n`
}

function caseOf({ judged, folder }: Example, strict = false) {
  const { requirement, title, scenario, verdict, detail, durationMs, seen } = judged
  return {
    requirement,
    title,
    file: scenario.replace(/:\d+$/, ''),
    verdict,
    seconds: seconds(durationMs),
    durationMs,
    outcome: outcomeOf(verdict, strict),
    detail: clipped(detail, 1000),
    text: [...seen.steps.map(step => clipped(step, 300)), '', scenario, ...(folder ? [folder] : [])].join(
      '\n',
    ),
  }
}

function outcomeOf(verdict: VerdictName, strict: boolean): Outcome {
  switch (verdict) {
    case 'conformant':
      return 'passed'
    case 'non-conformant':
    case 'stale':
      return 'failure'
    case 'lab-error':
      return 'error'
    case 'declined':
    case 'inconclusive':
      return strict ? 'failure' : 'skipped'
    default:
      return 'skipped'
  }
}

function tally(cases: readonly { outcome: Outcome; durationMs: number }[]) {
  const count = (wanted: Outcome) => cases.filter(({ outcome }) => outcome === wanted).length
  return {
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
    seconds: seconds(cases.reduce((sum, { durationMs }) => sum + durationMs, 0)),
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}
