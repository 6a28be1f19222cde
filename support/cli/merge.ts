import { join, resolve } from 'node:path'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { InputError } from '../input-error.ts'
import { missingTold } from '../report/headline.ts'
import type { Column } from '../report/matrix.ts'
import { judgedOtherwise, mergedRecord } from '../report/merge.ts'
import { readReport } from '../report/read.ts'
import { examplesIn, verdictsDocument } from '../report/run-record.ts'
import { writableFolder, writeReport } from '../report/write.ts'
import { loadDeviations } from '../verdicts/deviations.ts'
import { complain } from './complain.ts'
import { foldersOf, writeMatrix } from './matrix-files.ts'
import { judgingOptions, quoted } from './order.ts'
import { lookOf } from './terminal.ts'
import { terminalSummary } from './terminal-summary.ts'

export interface MergeOptions {
  report: string
  strict?: boolean
  profile?: string[]
  deviations?: string
}

/** Merges the reports of shards or machines: into one report for each gateway, and a matrix over several gateways. */
export async function merge(
  dirs: readonly string[],
  { report, ...options }: MergeOptions,
  version: string,
): Promise<0 | 1 | 2> {
  const { strict, profile, deviations } = options
  const catalogue = loadCatalogue()
  const otherwise = {
    ...(strict ? { strict } : {}),
    ...(profile ? { profiles: profile } : {}),
    ...(deviations === undefined ? {} : { deviations: loadDeviations(deviations, catalogue) }),
  }
  const twice = dirs.find((dir, at) => dirs.findIndex(other => resolve(other) === resolve(dir)) < at)
  if (twice !== undefined) throw new InputError(`${twice} is named twice`)
  const reports = dirs.map(readReport)
  const command = [...['npx', 'mail-tls', 'merge', ...dirs, '--report', report], ...judgingOptions(options)]
    .map(quoted)
    .join(' ')
  for (const { dir, record } of reports)
    if (record.partial && !record.missing)
      complain(`${dir}: this report is partial: ${examplesIn(record.verdicts)} of ${record.planned} examples`)
  const byGateway = Map.groupBy(reports, ({ record }) => record.gateway.name)
  // Nothing is written unless all reports can be merged.
  const merged = [...byGateway.values()].map(parts => {
    const record = mergedRecord(parts, command)
    // With tags, the example that would show a deviation may not have run.
    const whole = !record.partial && !parts.some(part => part.record.command.includes(' --tags '))
    return {
      record: judgedOtherwise(record, otherwise, catalogue, { whole }),
      messages: parts.map(({ messages }) => messages.trimEnd()).join('\n'),
    }
  })
  for (const { record } of merged)
    if (record.missing)
      complain(`${record.gateway.name}: ${missingTold(record.missing)}, so what is merged is partial`)
  const write = (dir: string, { record, messages }: (typeof merged)[number]) =>
    writeReport(dir, record, catalogue.requirements, messages)
  const [only, ...others] = merged
  if (only && others.length === 0) {
    const findings = await write(report, only)
    process.stdout.write(
      terminalSummary(findings, { ...lookOf(process.stdout), report: join(report, 'report.html') }),
    )
    return findings.exit
  }
  await writableFolder(report)
  const columns: Column[] = []
  const folders = foldersOf([...byGateway.keys()])
  for (const [at, part] of merged.entries()) {
    const folder = folders[at]!
    await write(join(report, folder), part)
    const document = verdictsDocument(part.record, catalogue.requirements)
    columns.push({ name: document.gateway.name, folder, document })
  }
  return writeMatrix(columns, report, version)
}
