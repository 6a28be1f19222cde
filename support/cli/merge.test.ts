import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock } from 'node:test'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { verdictsIn } from '../report/read.ts'
import { writeReport } from '../report/write.ts'
import { largeRun, TRIED } from '../test-bed/fixtures/sample-run.ts'
import type { VerdictName } from '../verdicts/verdict.ts'
import { type MergeOptions, merge } from './merge.ts'

describe('merging', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'merge-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('keeps a report of each gateway, whatever their names make of folders', async () => {
    const names = ['a b', 'a_b', 'matrix.html', '..']
    const { requirements } = loadCatalogue()
    const parts = names.map((_, at) => join(folder, `part-${at}`))
    for (const [at, name] of names.entries()) {
      const record = largeRun(2)
      await writeReport(parts[at]!, { ...record, gateway: { ...record.gateway, name } }, requirements, '')
    }
    const out = mock.method(process.stdout, 'write', () => true)
    const report = join(folder, 'merged')
    await merge(parts, { report }, '0').finally(() => out.mock.restore())
    const folders = ['a_b', 'a_b-2', 'matrix.html-2', '_']
    assert.deepEqual(
      folders.map(name => verdictsIn(join(report, name)).gateway.name),
      names,
    )
  })

  it('adds up what parts have tried under circumstances', async () => {
    const { requirements } = loadCatalogue()
    const parts = ['one', 'other'].map(name => join(folder, name))
    const run = largeRun(2)
    for (const [at, dir] of parts.entries()) {
      const shard = { index: at + 1, count: 2 }
      const verdicts = run.verdicts.slice(at, at + 1)
      await writeReport(dir, { ...run, verdicts, shard, circumstances: TRIED }, requirements, '')
    }
    const out = mock.method(process.stdout, 'write', () => true)
    const report = join(folder, 'merged')
    await merge(parts, { report }, '0').finally(() => out.mock.restore())
    const { circumstances } = verdictsIn(report)
    assert.deepEqual([circumstances?.examples, circumstances?.values[0]?.examples], [4, 4])
  })

  /** Two shards of a run with these verdicts, merged; the exit status, and what the report says. */
  const mergedWith = async (options: Omit<MergeOptions, 'report'>, ...names: VerdictName[]) => {
    const run = largeRun(names.length)
    const ids = ['EXO-FRC-01', 'RFC3207-05', 'EXO-OPP-01']
    const verdicts = run.verdicts.map((one, at) => ({
      ...one,
      ...{ verdict: names[at]!, requirement: ids[at]!, level: at === 1 ? ('may' as const) : one.level },
      ...(names[at] === 'deviates' ? { detail: 'sent in clear (recorded: it is old)' } : {}),
    }))
    const parts = [0, 1].map(at => join(folder, `of-${at}`))
    for (const [at, dir] of parts.entries()) {
      const own = verdicts.filter((_, n) => n % 2 === at)
      const shard = { index: at + 1, count: 2 }
      await writeReport(dir, { ...run, verdicts: own, shard }, loadCatalogue().requirements, '')
    }
    const out = mock.method(process.stdout, 'write', () => true)
    const report = join(folder, 'merged')
    const exit = await merge(parts, { report, ...options }, '0').finally(() => out.mock.restore())
    return { exit, document: verdictsIn(report) }
  }

  it('judges strictly where it is told so', async () => {
    assert.equal((await mergedWith({}, 'conformant', 'declined')).exit, 0)
    const { exit, document } = await mergedWith({ strict: true }, 'conformant', 'declined')
    assert.deepEqual([exit, document.strict], [1, true])
  })

  it('keeps what belongs to the profiles that it is told', async () => {
    const { document } = await mergedWith({ profile: ['starttls-base'] }, 'conformant', 'declined')
    assert.deepEqual(
      [document.profiles, document.verdicts.map(({ requirement }) => requirement)],
      [['starttls-base'], ['RFC3207-05']],
    )
    const none = mergedWith({ profile: ['dane'] }, 'conformant', 'declined')
    await assert.rejects(none, /no requirement of dane was judged for haraka/)
    await assert.rejects(
      mergedWith({ profile: ['dame'] }, 'conformant', 'declined'),
      /there is no profile dame/,
    )
  })

  it('judges with the deviations that it is told, and not with those of the reports', async () => {
    const file = join(folder, 'deviations.yaml')
    const entry = (requirement: string, symptom: string) =>
      `- { requirement: ${requirement}, symptom: ${symptom}, why: it is old, since: 2026-11-21 }\n`
    writeFileSync(file, '[]')
    const without = await mergedWith({ deviations: file }, 'deviates', 'conformant', 'conformant')
    assert.deepEqual(without.document.verdicts.map(({ verdict, detail }) => [verdict, detail]).slice(0, 1), [
      ['non-conformant', 'sent in clear'],
    ])
    assert.equal(without.exit, 1)
    writeFileSync(file, entry('EXO-FRC-01', 'in clear') + entry('EXO-OPP-01', 'lost'))
    const { document } = await mergedWith({ deviations: file }, 'deviates', 'conformant', 'conformant')
    assert.deepEqual(document.verdicts.map(({ verdict, requirement }) => [verdict, requirement]).sort(), [
      ['conformant', 'EXO-OPP-01'],
      ['conformant', 'RFC3207-05'],
      ['deviates', 'EXO-FRC-01'],
      ['stale', 'EXO-OPP-01'],
    ])
    assert.equal(document.verdicts.find(({ verdict }) => verdict === 'deviates')?.deviation?.why, 'it is old')
  })

  it('takes no parts of runs that were judged differently, and none twice', async () => {
    const { requirements } = loadCatalogue()
    const parts = ['one', 'other'].map(name => join(folder, name))
    for (const [at, dir] of parts.entries()) {
      const shard = { index: at + 1, count: 2 }
      await writeReport(dir, { ...largeRun(2), shard, profiles: [`profile-${at}`] }, requirements, '')
    }
    const report = join(folder, 'merged')
    await assert.rejects(merge(parts, { report }, '0'), /other: was judged with other profiles than .*one$/)
    await assert.rejects(merge([parts[0]!, `${parts[0]}/`], { report }, '0'), /one\/ is named twice$/)
  })
})
