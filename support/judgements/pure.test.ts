import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../package-root.ts'

// That no judgement imports the lab, a gateway or traffic, the test of the floors holds.
describe('every judgement', () => {
  const files = globSync('support/judgements/*.ts', { cwd: PACKAGE_ROOT }).filter(
    file => !file.endsWith('.test.ts'),
  )

  for (const file of files)
    it(`in ${file} awaits nothing, and has a table of tests`, () => {
      const text = readFileSync(join(PACKAGE_ROOT, file), 'utf8')
      assert.doesNotMatch(text, /\basync\b|\bawait\b|\bPromise\b|\bperformance\b|\bDate\.now\b/)
      assert.match(readFileSync(join(PACKAGE_ROOT, file.replace('.ts', '.test.ts')), 'utf8'), /\btable\(\[/)
    })
})
