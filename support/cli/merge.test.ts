import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock } from 'node:test'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { verdictsIn } from '../report/read.ts'
import { writeReport } from '../report/write.ts'
import { largeRun, TRIED } from '../test-bed/fixtures/sample-run.ts'
import { merge } from './merge.ts'

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
