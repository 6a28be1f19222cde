import type { Findings } from '../report/findings.ts'
import { levelOf } from '../report/sarif.ts'
import { clipped, visibleLine } from '../report/visible.ts'

/** GitHub shows ten of each kind for each step, and the summary has all. */
const MOST = 30
/** In characters. */
const LONGEST = 500

const COMMANDS = { error: 'error', warning: 'warning', note: 'notice' } as const

/** What needs attention as workflow commands of GitHub Actions, which shows them as annotations of the job. */
export function annotations({ attention, record }: Findings): string {
  return attention
    .slice(0, MOST)
    .map(finding => {
      const { id, verdict, deciding } = finding
      const { title, detail } = deciding.judged
      const message = visibleLine(clipped([title, detail].filter(Boolean).join(': '), LONGEST))
      const heading = visibleLine(`${record.gateway.name}: ${verdict} ${id}`)
      return `::${COMMANDS[levelOf(finding, record)]} title=${property(heading)}::${data(message)}\n`
    })
    .join('')
}

/** As the toolkit of GitHub Actions escapes the text and the properties of a command. */
const data = (value: string): string =>
  value.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const property = (value: string): string => data(value).replaceAll(':', '%3A').replaceAll(',', '%2C')
