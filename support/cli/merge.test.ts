import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock } from 'node:test'
import { verdictsIn } from '../report/read.ts'
import { largeRun } from '../report/sample-run.ts'
import { writeReport } from '../report/write.ts'
import { loadCatalogue } from '../verdicts/catalogue.ts'
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
})
