import { type ChildProcess, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { bundledGateway, bundledNames } from '../../containers/index.ts'
import { InputError } from '../input-error.ts'
import { findingsOf, nameOf } from '../report/findings.ts'
import { type Column, matrixHtml, matrixMarkdown, matrixOf } from '../report/matrix.ts'
import { mergedRecord } from '../report/merge.ts'
import { readReport, verdictsIn } from '../report/read.ts'
import { type VerdictsDocument, verdictsDocument } from '../report/run-record.ts'
import { visibleLine } from '../report/visible.ts'
import { writableFolder, writeReport } from '../report/write.ts'
import { loadCatalogue } from '../verdicts/catalogue.ts'
import { exitStatus, type VerdictName } from '../verdicts/verdict.ts'
import { commit } from './commit.ts'
import { never, onInterrupt, type Signal } from './end.ts'
import { lookOf } from './terminal.ts'
import { terminalSummary } from './terminal-summary.ts'

const LAUNCHER = join(import.meta.dirname, 'mail-tls.js')

/** Requirements that a line names; the others are counted. */
const NAMED = 8

/** `mail-tls check` in a process of its own. */
interface Child {
  process: ChildProcess
  ended: Promise<{ status: number; failed: string }>
}

/** Several gateways, each in a process of its own, and one page over all. One that fails takes no other with it. */
export async function matrix(
  targets: readonly string[],
  { report = join('reports', 'matrix') }: { report?: string },
  version: string,
): Promise<0 | 1 | 2> {
  const names =
    targets.length > 0 ? targets : bundledNames().filter(name => !name.includes('@') && name !== 'reference')
  for (const name of names) if (!isPath(name)) bundledGateway(name)
  if (new Set(names).size < names.length) throw new InputError('a gateway is named twice')
  await writableFolder(report)
  const columns: Column[] = []
  const waiting = names.map((name, place) => ({ name, place }))
  const children = new Set<Child>()
  let interrupted = false
  const undo = onInterrupt(
    async signal => {
      interrupted = true
      await Promise.all([...children].map(child => ended(child, signal)))
    },
    () => 'no matrix was written',
  )
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const child = checked(next.name, join(report, folderOf(next.name)))
      children.add(child)
      const outcome = await child.ended
      if (interrupted) return never
      children.delete(child)
      columns[next.place] = judged(next.name, report, outcome)
    }
  }
  const lanes = Math.min(availableParallelism(), names.length)
  process.stdout.write(
    `judging ${names.map(called).join(', ')}${names.length > 1 ? ` (${lanes} at a time)` : ''}\n`,
  )
  await Promise.all(Array.from({ length: lanes }, lane))
  undo()
  return writeMatrix(columns, report, version)
}

function ended({ process, ended }: Child, signal: Signal): Promise<unknown> {
  if (process.connected) process.send(signal, () => {})
  return ended
}

/** Reports of shards and machines as one: a report for each gateway, and a matrix over several. */
export async function merge(
  dirs: readonly string[],
  { report }: { report: string },
  version: string,
): Promise<0 | 1 | 2> {
  const catalogue = loadCatalogue()
  const reports = dirs.map(readReport)
  const command = `npx mail-tls merge ${dirs.join(' ')} --report ${report}`
  const byGateway = Map.groupBy(reports, ({ record }) => record.gateway.name)
  // All of them before anything is written.
  const merged = [...byGateway.values()].map(parts => ({
    record: mergedRecord(parts, command),
    messages: parts.map(({ messages }) => messages.trimEnd()).join('\n'),
  }))
  const write = (dir: string, { record, messages }: (typeof merged)[number]) =>
    writeReport(dir, record, catalogue.requirements, messages)
  const [only, ...others] = merged
  if (only && others.length === 0) {
    await write(report, only)
    const findings = findingsOf(only.record, catalogue.requirements)
    process.stdout.write(
      terminalSummary(findings, { ...lookOf(process.stdout), report: join(report, 'report.html') }),
    )
    return findings.exit
  }
  await writableFolder(report)
  const columns: Column[] = []
  for (const part of merged) {
    const { name } = part.record.gateway
    await write(join(report, folderOf(name)), part)
    columns.push({ name, folder: folderOf(name), document: verdictsDocument(part.record, new Map()) })
  }
  return writeMatrix(columns, report, version)
}

function judged(
  target: string,
  report: string,
  { status, failed }: { status: number; failed: string },
): Column {
  const folder = folderOf(target)
  const column = { name: called(target), folder }
  const failure = (why: string) => {
    process.stdout.write(`${column.name}: exit status ${status}, no result\n`)
    return { ...column, failure: why }
  }
  // A run that could not even start leaves an older report alone.
  if (status === 2 && failed) return failure(failed)
  let document: VerdictsDocument
  try {
    document = verdictsIn(join(report, folder))
  } catch (error) {
    return failure(failed || (error as Error).message)
  }
  const name = nameOf({ ...document.gateway, name: column.name })
  process.stdout.write(`${visibleLine(name)}: exit status ${status}, ${became(document)}\n`)
  return { ...column, document }
}

/** `keeps 48 of 55, broken: EXO-TRN-01` */
export function became(document: VerdictsDocument): string {
  const seen = { conversations: [], notes: [], steps: [] }
  const verdicts = document.verdicts.map(verdict => ({ ...verdict, seen }))
  const { counts, attention } = findingsOf({ ...document, verdicts, command: '' }, [])
  const applying = Object.values(counts).reduce((sum, count) => sum + count, 0) - counts.inapplicable
  if (applying === 0) return 'no requirement applies'
  const named = (word: string, wanted: VerdictName) => {
    const ids = attention.filter(({ verdict }) => verdict === wanted).map(({ id }) => visibleLine(id))
    const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : ''
    return ids.length === 0 ? [] : [`${word}: ${ids.slice(0, NAMED).join(' ')}${more}`]
  }
  return [
    `keeps ${counts.conformant} of ${applying}`,
    ...named('broken', 'non-conformant'),
    ...named('no longer shows', 'stale'),
    ...named('the lab failed on', 'lab-error'),
  ].join(', ')
}

/** Its progress goes nowhere, what it complains about is kept. */
function checked(name: string, dir: string): Child {
  const child = spawn(process.execPath, [LAUNCHER, 'check', name, '--report', dir], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let complaints = ''
  child.stderr!.on('data', chunk => {
    complaints = `${complaints}${chunk}`.slice(0, 4_000)
  })
  const first = () =>
    complaints
      .trim()
      .split('\n')[0]!
      .replace(/^mail-tls: /, '')
  const ended = new Promise<{ status: number; failed: string }>(resolve => {
    child.on('error', error => resolve({ status: 2, failed: error.message }))
    child.on('close', status => resolve({ status: status ?? 2, failed: first() }))
  })
  return { process: child, ended }
}

async function writeMatrix(columns: readonly Column[], report: string, version: string): Promise<0 | 1 | 2> {
  const made = matrixOf(columns, loadCatalogue().requirements, {
    suite: { name: 'mail-tls-conformance', version, commit: commit() },
    at: new Date(),
  })
  await writeFile(join(report, 'matrix.html'), matrixHtml(made))
  await writeFile(join(report, 'matrix.md'), matrixMarkdown(made))
  await writeFile(join(report, 'matrix.json'), `${JSON.stringify({ schema: 1, ...made }, null, 2)}\n`)
  for (const column of columns)
    if ('failure' in column) console.error(`mail-tls: ${column.name}: ${column.failure}`)
  process.stdout.write(
    `${made.rows.length} requirements, ${columns.length} gateways: ${join(report, 'matrix.html')}\n`,
  )
  const statuses = columns.map(column =>
    'failure' in column ? 2 : exitStatus(column.document.verdicts, { strict: false }),
  )
  return statuses.includes(2) ? 2 : statuses.includes(1) ? 1 : 0
}

/** In what is printed. */
const called = (target: string): string => (isPath(target) ? folderOf(target) : target)

const isPath = (name: string): boolean => /[/\\]|\.ya?ml$/.test(name)

/** Safe as a folder's name: `postfix@bullseye`, `edge-gateway`. */
function folderOf(name: string): string {
  return (
    basename(name)
      .replace(/\.ya?ml$/, '')
      .replace(/[^\w@.-]/g, '_') || 'gateway'
  )
}
