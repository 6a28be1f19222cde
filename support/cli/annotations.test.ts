import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { findingsOf } from '../report/findings.ts'
import { hostileRun, sampleRun } from '../test-bed/fixtures/sample-run.ts'
import { annotations } from './annotations.ts'

const { requirements } = loadCatalogue()

describe('annotations for GitHub Actions', () => {
  it('have the level, the requirement and what was seen', () => {
    const lines = annotations(findingsOf(sampleRun(), requirements))
    assert.match(lines, /^::error title=\S+%3A non-conformant [A-Z0-9-]+::\S/m)
    assert.match(lines, /^::notice title=\S+%3A deviates /m)
  })

  it('are one command on each line, whatever the gateway has said', () => {
    const record = hostileRun()
    record.verdicts[0]!.detail = 'x\n::set-output name=a::b\r::error::%0A'
    record.verdicts[0]!.verdict = 'non-conformant'
    for (const line of annotations(findingsOf(record, requirements)).trimEnd().split('\n'))
      assert.match(line, /^::(error|warning|notice) title=[^:,]*::[^\r]*$/)
  })
})
