import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Interim } from './interim.ts'

describe('what a run says before its report', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'interim-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  /** Until `texts` are all written, one after another. */
  async function written(dir: string, ...texts: (string | undefined)[]): Promise<void> {
    const left = [...texts]
    const interim = new Interim(dir, () => left.shift(), 5)
    while (left.length > 0) await pause(5)
    await interim.end()
  }

  it('is the newest document', async () => {
    const dir = join(folder, 'new/report')
    await written(dir, undefined, 'one', 'two')
    assert.deepEqual(readdirSync(dir), ['verdicts.json'])
    assert.equal(readFileSync(join(dir, 'verdicts.json'), 'utf8'), 'two')
  })

  it('is nothing where nothing was judged', async () => {
    await written(join(folder, 'report'), undefined)
    assert.equal(existsSync(join(folder, 'report')), false)
  })

  it('leaves an older report alone', async () => {
    writeFileSync(join(folder, 'verdicts.json'), 'old')
    await written(folder, 'one', 'two')
    assert.equal(readFileSync(join(folder, 'verdicts.json'), 'utf8'), 'old')
  })

  it('is not written after its end', async () => {
    const interim = new Interim(folder, () => 'one', 1)
    await interim.end()
    await pause(20)
    assert.deepEqual(readdirSync(folder), [])
  })
})
