import type { VerdictName } from '../verdicts/verdict.ts'
import { inCombinations, triedIn } from './circumstances.ts'
import type { Example, Findings } from './findings.ts'
import { markup } from './templates.ts'
import { clipped } from './visible.ts'

/** What JUnit makes of a verdict. */
type Result = 'passed' | 'failure' | 'error' | 'skipped'

/**
 * A run as JUnit XML: one suite per area, one case per example with the requirement as its class. Non-conformant and
 * stale are failures, with `strict` also declined and inconclusive; lab-error is an error; what is neither of these nor
 * conformant is skipped, with the reason. A partial run has one more suite with an error in it.
 *
 * It is valid by the schema of Apache Ant (https://github.com/windyroad/JUnit-Schema) and by those of the xUnit plugin
 * of Jenkins (junit-4.xsd to junit-10.xsd). This is why it has no totals over all suites, why the reason of a skipped
 * case is its text, and why `timestamp`, which is UTC, names no time zone.
 */
export function junit({ record, areas, interrupted }: Findings): string {
  const suites = areas.map(({ area, findings }) => {
    const cases = findings.flatMap(({ examples }) => examples).map(example => caseOf(example, record.strict))
    return suiteOf(area, cases)
  })
  if (interrupted !== undefined) suites.push(suiteOf('run', [interruption(interrupted)]))
  const { gateway, suite } = record
  return `<?xml version="1.0" encoding="UTF-8"?>\n${markup.render('./junit', {
    properties: {
      gateway: gateway.name,
      version: gateway.version,
      library: gateway.library,
      kind: gateway.kind,
      profiles: record.profiles.join(' '),
      suite: `${suite.name} ${suite.version} (${suite.commit})`,
      partial: record.partial,
      command: record.command,
      ...(record.circumstances ? { circumstances: triedIn(record).join(' ') } : {}),
    },
    startedAt: record.startedAt.slice(0, 19),
    suites,
  })}\n`
}

interface Case {
  className: string
  title: string
  verdict: string
  durationMs: number
  result: Result
  detail: string
  text: string
}

function suiteOf(name: string, cases: readonly Case[]) {
  return {
    name,
    cases: cases.map(one => ({ ...one, seconds: seconds(one.durationMs) })),
    ...tally(cases),
  }
}

function interruption(detail: string): Case {
  const title = 'the run comes to its end'
  return {
    ...{ className: 'run', title, verdict: 'partial', durationMs: 0, result: 'error', detail, text: '' },
  }
}

function caseOf({ judged, folder }: Example, strict: boolean): Case {
  const { requirement, title, scenario, verdict, detail, durationMs, seen, circumstances } = judged
  return {
    className: requirement,
    title,
    verdict,
    durationMs,
    result: resultOf(verdict, strict),
    detail: clipped(detail, 1000),
    text: [
      ...seen.steps.map(step => clipped(step, 300)),
      '',
      scenario,
      ...(circumstances ? [inCombinations(circumstances)] : []),
      ...(folder ? [folder] : []),
    ].join('\n'),
  }
}

function resultOf(verdict: VerdictName, strict: boolean): Result {
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

function tally(cases: readonly Case[]) {
  const count = (wanted: Result) => cases.filter(({ result }) => result === wanted).length
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
