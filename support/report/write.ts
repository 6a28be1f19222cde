import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Requirement } from '../catalogue/catalogue.ts'
import { InputError } from '../input-error.ts'
import { jsonText } from '../json-text.ts'
import { type Example, type Findings, findingsOf } from './findings.ts'
import { html } from './html.ts'
import { junit } from './junit.ts'
import { type RunRecord, verdictsDocument } from './run-record.ts'
import { summary } from './summary.ts'
import { transcript } from './transcript.ts'

/**
 * Writes report.html, verdicts.json, messages.ndjson, junit.xml, summary.md and evidence/ into `dir`. Folders that are
 * missing are made. The report is complete before it takes the place of an older report, which is removed as a whole.
 * `requirements` is the catalogue, `messages` Cucumber's messages as NDJSON. Returns
 * what the report shows.
 *
 * Throws InputError when no report may replace `dir`: it is a file, or a folder that is neither empty nor a report.
 */
export async function writeReport(
  dir: string,
  record: RunRecord,
  requirements: readonly Requirement[],
  messages: string,
): Promise<Findings> {
  await mustBeReplaceable(dir)
  const target = await resolved(dir)
  const stem = stemOf(target)
  const [next, old] = [`${stem}.new`, `${stem}.old`]
  // The process may end at any moment, and must leave either the older report or the new one.
  const clearUp = () => {
    rmSync(next, { recursive: true, force: true })
    if (!existsSync(old)) return
    if (existsSync(target)) rmSync(old, { recursive: true })
    else renameSync(old, target)
  }
  process.once('exit', clearUp)
  try {
    await makeFolder(dirname(target))
    await mkdir(next)
    const findings = findingsOf(record, requirements)
    await writeFiles(next, findings, requirements, messages)
    await replace(target, next, old)
    return findings
  } catch (error) {
    await rm(next, { recursive: true, force: true })
    throw asInputError(error, target)
  } finally {
    process.off('exit', clearUp)
  }
}

/**
 * Throws InputError when no report can be written to `dir`. This is asked before a run, so that no result is lost. Makes
 * missing folders above `dir` and tries what `writeReport` will do, but leaves an older report as it is.
 */
export async function mustBeWritable(dir: string): Promise<void> {
  await mustBeReplaceable(dir)
  const target = await resolved(dir)
  await probe(dirname(target), dir, full => mustBeMovable(target, full))
}

/** Makes a folder, with the folders above it. Throws InputError where this fails, or where no file can be made in it. */
export async function writableFolder(dir: string): Promise<void> {
  await probe(resolve(dir), dir)
}

/**
 * `dir`: as the user named it. `more` gets a folder with a file in it. From there on nothing is awaited, so that no signal
 * ends the process while that folder is there.
 */
async function probe(folder: string, dir: string, more: (full: string) => void = () => {}): Promise<void> {
  const full = `${stemOf(join(folder, 'report'))}.probe`
  try {
    await makeFolder(folder)
    mkdirSync(full)
    writeFileSync(join(full, 'probe'), 'probe')
    more(full)
  } catch (error) {
    throw asInputError(error, dir)
  } finally {
    try {
      rmSync(full, { recursive: true, force: true })
    } catch {
      // What is left over harms nobody.
    }
  }
}

/** No system moves a folder onto one that is not empty, so this moves nothing, but fails for any other obstacle. */
function mustBeMovable(target: string, full: string): void {
  try {
    renameSync(target, full)
  } catch (error) {
    // EISDIR: `target` is a link that leads nowhere yet.
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EISDIR'].includes((error as NodeJS.ErrnoException).code!))
      throw error
  }
}

/** One by one: Node's own way never ends where the system says that an existing folder does not exist. */
async function makeFolder(path: string): Promise<void> {
  const missing: string[] = []
  for (let at = path; !(await exists(at)); at = dirname(at)) missing.unshift(at)
  for (const folder of missing)
    await mkdir(folder).catch(error => {
      // Another run has made it meanwhile.
      if (error.code !== 'EEXIST') throw error
    })
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return false
  }
}

/** How the names of temporary folders in the folder of a report begin. */
function stemOf(target: string): string {
  return join(dirname(target), `.${basename(target)}-${randomBytes(4).toString('hex')}`)
}

/** The folder that a link leads to: the link stays, and its target is replaced. */
async function resolved(dir: string): Promise<string> {
  try {
    return await realpath(dir)
  } catch {
    return resolve(dir)
  }
}

/** Throws InputError when `dir` is something that no report may replace. */
async function mustBeReplaceable(dir: string): Promise<void> {
  let names: string[]
  try {
    names = await readdir(dir)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return
    if (code === 'ENOTDIR') throw new InputError(`${dir}: a report needs a folder, and this is a file`)
    throw asInputError(error, dir)
  }
  if (names.length > 0 && !names.includes('verdicts.json'))
    throw new InputError(
      `${dir}: this folder is neither empty nor a report of the suite, so it is not replaced; name another folder`,
    )
}

async function replace(target: string, next: string, old: string): Promise<void> {
  // Asked a second time: somebody else may have put something there while the report was written.
  await mustBeReplaceable(target)
  let moved = true
  try {
    await rename(target, old)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    moved = false
  }
  try {
    await rename(next, target)
  } catch (error) {
    if (moved) await rename(old, target)
    throw error
  }
  if (moved) await rm(old, { recursive: true, force: true })
}

const BARRED = [
  ...['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'EIO'],
  ...['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EINVAL'],
]

/** If the folder that the user named is the problem, the user can solve it. All other errors are bugs of the suite. */
function asInputError(error: unknown, dir: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EBUSY' || code === 'EXDEV')
    return new InputError(`${dir}: a mount point cannot be replaced; name a folder below it`)
  if (code !== undefined && BARRED.includes(code))
    return new InputError(`${dir}: the report cannot be written: ${(error as Error).message}`)
  return error
}

async function writeFiles(
  dir: string,
  findings: Findings,
  requirements: readonly Requirement[],
  messages: string,
): Promise<void> {
  const { record } = findings
  const examples = findings.areas.flatMap(area => area.findings).flatMap(finding => finding.examples)
  const folders = new Map(
    examples.flatMap(({ judged, folder }) => (folder === undefined ? [] : [[judged, folder] as const])),
  )
  await writeFile(join(dir, 'report.html'), html(findings))
  await writeFile(join(dir, 'verdicts.json'), jsonText(verdictsDocument(record, requirements, folders)))
  await writeFile(join(dir, 'messages.ndjson'), messages)
  await writeFile(join(dir, 'junit.xml'), junit(findings))
  await writeFile(join(dir, 'summary.md'), summary(findings))
  await mkdir(join(dir, 'evidence'))
  for (const example of examples) await writeEvidence(dir, example)
}

async function writeEvidence(dir: string, { judged, folder }: Example): Promise<void> {
  if (folder === undefined) return
  const { conversations, notes, steps, cells } = judged.seen
  const path = join(dir, folder)
  await mkdir(path, { recursive: true })
  await writeFile(join(path, 'example.json'), jsonText({ steps, notes, ...(cells ? { cells } : {}) }))
  for (const [index, conversation] of conversations.entries()) {
    await writeFile(join(path, `conversation-${index + 1}.json`), jsonText(conversation))
    await writeFile(join(path, `transcript-${index + 1}.txt`), transcript(conversation))
  }
}
