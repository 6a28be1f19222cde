import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { bundledGateway, bundledNames } from '../../containers/index.ts'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import { InputError } from '../input-error.ts'
import { counted } from '../quantities.ts'
import { findingsOf } from '../report/findings.ts'
import { endsOf, nameOf } from '../report/headline.ts'
import type { Column } from '../report/matrix.ts'
import { verdictsIn } from '../report/read.ts'
import type { VerdictsDocument } from '../report/run-record.ts'
import { sinceInShort } from '../report/since.ts'
import { clipped, visibleLine } from '../report/visible.ts'
import { writableFolder } from '../report/write.ts'
import { sideBySide } from '../side-by-side.ts'
import { loadDeviations } from '../verdicts/deviations.ts'
import type { VerdictName } from '../verdicts/verdict.ts'
import { complain } from './complain.ts'
import { foldersOf, writeMatrix } from './matrix-files.ts'
import { judgingOptions } from './order.ts'
import { type Interrupt, never, onInterrupt } from './process-end.ts'
import { progressOn } from './progress.ts'

const LAUNCHER = join(import.meta.dirname, 'mail-tls.js')

/** A line names so many requirements, and counts the others. */
const NAMED = 8
/** Of the complaint of a child, in characters. */
const LONGEST = 1_000

/** A gateway of the matrix. */
export interface Target {
  /** As the user gave it. */
  given: string
  /** As it is printed; no other target has the same name. */
  name: string
  /** The folder of its report, below the folder of the matrix. */
  folder: string
  /** It cannot be judged without a container engine. */
  contained: boolean
}

/** How a child ended. */
export interface ChildEnd {
  status: number
  /** Its first complaint, if any. */
  said: string
  /** The time just before the child was started, in ms since 1970. */
  began: number
}

export interface MatrixOptions {
  report?: string
  profile?: string[]
  deviations?: string
  strict?: boolean
  /** Folder of an earlier matrix. */
  since?: string
}

/** `mail-tls check` in a process of its own. */
interface Child {
  process: ChildProcess
  ended: Promise<ChildEnd>
}

/**
 * Judges several gateways, each in a process of its own, and writes one page over all. One that fails takes no other
 * with it. Of a matrix that is interrupted, the page has what was judged until then.
 */
export async function matrix(
  given: readonly string[],
  { report = join('reports', 'matrix'), since, ...options }: MatrixOptions,
  version: string,
): Promise<0 | 1 | 2> {
  const targets = targetsOf(
    given.length > 0 ? given : bundledNames().filter(name => !name.includes('@') && name !== 'reference'),
  )
  const told = toldToChildren(options)
  const earlier = since === undefined ? new Set<string>() : reportsIn(since, targets)
  await writableFolder(report)
  const toldTo = ({ folder }: Target) =>
    since !== undefined && earlier.has(folder) ? [...told, '--since', join(since, folder)] : told
  const children = new Set<Child>()
  let result = 'nothing was judged, and no matrix was written'
  const interrupt = onInterrupt(
    signal => {
      for (const { process } of children) if (process.connected) process.send(signal, () => {})
      return work
    },
    () => result,
  )
  const work = judgedSideBySide(targets, report, toldTo, children, interrupt).then(async columns => {
    const judged = columns.filter(column => 'document' in column).length
    if (interrupt.signal.aborted && judged === 0) return 2
    const status = await writeMatrix(columns, report, version)
    result = `the matrix has results of ${judged} of ${counted(columns.length, 'gateway')}`
    return status
  })
  try {
    const status = await work
    return interrupt.signal.aborted ? never : status
  } finally {
    interrupt.undo()
  }
}

async function judgedSideBySide(
  targets: readonly Target[],
  report: string,
  toldTo: (target: Target) => readonly string[],
  children: Set<Child>,
  interrupt: Interrupt,
): Promise<Column[]> {
  const { signal } = interrupt
  const lanes = Math.min(availableParallelism(), targets.length)
  const names = targets.map(({ name }) => name).join(', ')
  process.stdout.write(`judging ${names}${targets.length > 1 ? ` (${lanes} at a time)` : ''}\n`)
  const missing = targets.some(({ contained }) => contained) ? await prepare(interrupt) : undefined
  const columns: Column[] = []
  await sideBySide(targets.entries(), lanes, async ([place, target]) => {
    if (signal.aborted) columns[place] = failed(target, 'the matrix was interrupted before this gateway')
    else if (target.contained && missing !== undefined) columns[place] = failed(target, missing)
    else {
      const child = startCheck(target.given, ['--report', join(report, target.folder), ...toldTo(target)])
      children.add(child)
      columns[place] = judged(target, report, await child.ended)
      children.delete(child)
    }
  })
  return columns
}

/** The options of every child. Throws InputError for those that no child could use. */
function toldToChildren(options: Omit<MatrixOptions, 'report' | 'since'>): string[] {
  const { profile = [], deviations } = options
  const catalogue = loadCatalogue()
  for (const name of profile) catalogue.inProfile(name)
  if (deviations !== undefined) loadDeviations(deviations, catalogue)
  return judgingOptions(options)
}

/** The folders of the targets of which an earlier matrix has a report. Throws InputError where there is none. */
export function reportsIn(dir: string, targets: readonly Target[]): Set<string> {
  const folders = targets.map(({ folder }) => folder)
  const found = folders.filter(folder => existsSync(join(dir, folder, 'verdicts.json')))
  if (found.length === 0) throw new InputError(`${dir}: has no report of ${folders.join(', ')}`)
  for (const folder of found) verdictsIn(join(dir, folder))
  return new Set(found)
}

/** Throws InputError. */
export function targetsOf(given: readonly string[]): Target[] {
  const sources = given.map(name => (isPath(name) ? undefined : bundledGateway(name)))
  if (new Set(given.map(name => (isPath(name) ? resolve(name) : name))).size < given.length)
    throw new InputError('a gateway is named twice')
  const short = given.map(name => (isPath(name) ? basename(name).replace(/\.ya?ml$/, '') : name))
  const folders = foldersOf(short)
  return given.map((name, at) => {
    const shared = short.filter(one => one === short[at]).length > 1
    return {
      given: name,
      name: visibleLine(shared ? name : short[at]!),
      folder: folders[at]!,
      contained: sources[at]?.kind === 'container',
    }
  })
}

/**
 * Builds the images of the lab once, which otherwise every child would build at the same time. Returns why no container
 * can be used, if that is so. Ends at the interrupt.
 */
async function prepare({ signal }: Interrupt): Promise<string | undefined> {
  const [{ Engine }, { labImages }] = await Promise.all([
    import('../engine/engine.ts'),
    import('../lab/remote/lab-images.ts'),
  ])
  const progress = progressOn(process.stdout)
  signal.addEventListener('abort', () => progress.ended())
  try {
    await labImages(await Engine.connect(what => progress.doing(what), signal))
    return undefined
  } catch (error) {
    if (signal.aborted) return undefined
    if (!(error instanceof GatewayFailure)) throw error
    return error.message
  } finally {
    progress.ended()
  }
}

/** The result of a child. A report that was there before the child started is not its own. */
export function judged(target: Target, report: string, { status, said, began }: ChildEnd): Column {
  let document: VerdictsDocument
  try {
    document = verdictsIn(join(report, target.folder))
  } catch (error) {
    return failed(target, said || (error as Error).message, status)
  }
  const own = Date.parse(document.startedAt) >= began && document.exit === status
  if (!own) return failed(target, said || 'the run ended without a report', status)
  const name = nameOf({ ...document.gateway, name: target.name })
  process.stdout.write(`${visibleLine(name)}: exit status ${status}, ${resultOf(document)}\n`)
  if (said) complain(`${target.name}: ${said}`)
  return { name: target.name, folder: target.folder, document }
}

function failed({ name, folder }: Target, why: string, status = 2): Column {
  process.stdout.write(`${name}: exit status ${status}, no result\n`)
  return { name, folder, failure: visibleLine(clipped(why, LONGEST)) }
}

/** `keeps 48 of 55, broken: EXO-TRN-01`; a partial one begins with that word. */
export function resultOf(document: VerdictsDocument): string {
  const seen = { conversations: [], notes: [], steps: [] }
  const verdicts = document.verdicts.map(verdict => ({ ...verdict, seen }))
  const { counts, applying, attention } = findingsOf({ ...document, verdicts }, [])
  if (applying === 0) return 'no requirement applies'
  const named = (word: string, wanted: VerdictName) => {
    const ids = attention.filter(({ verdict }) => verdict === wanted).map(({ id }) => visibleLine(id))
    const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : ''
    return ids.length === 0 ? [] : [`${word}: ${ids.slice(0, NAMED).join(' ')}${more}`]
  }
  return [
    ...endsOf('', document.verdicts).map(told => told.trim()),
    ...(document.partial ? ['partial'] : []),
    `keeps ${counts.conformant} of ${applying}`,
    ...named('broken', 'non-conformant'),
    ...named('no longer shows', 'stale'),
    ...named('the lab failed on', 'lab-error'),
    ...(document.since ? [sinceInShort(document.since)] : []),
  ].join(', ')
}

/** Starts a child. Its progress is thrown away, its complaints are kept. */
function startCheck(given: string, options: readonly string[]): Child {
  const began = Date.now()
  const args = [LAUNCHER, 'check', given, '--circumstances', 'none', ...options]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let complaints = ''
  child.stderr!.on('data', chunk => {
    complaints = `${complaints}${chunk}`.slice(0, 4_000)
  })
  const first = () =>
    complaints
      .trim()
      .split('\n')[0]!
      .replace(/^mail-tls: /, '')
  const ended = new Promise<ChildEnd>(resolve => {
    child.on('error', error => resolve({ status: 2, said: error.message, began }))
    child.on('close', (code, signal) =>
      resolve({
        status: code ?? 2,
        said: first() || (signal ? `the run was ended by ${signal}` : ''),
        began,
      }),
    )
  })
  return { process: child, ended }
}

const isPath = (name: string): boolean => /[/\\]|\.ya?ml$/.test(name)
