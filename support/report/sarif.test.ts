import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { hostileRun, sampleRun } from '../test-bed/fixtures/sample-run.ts'
import { findingsOf } from './findings.ts'
import type { RunRecord } from './run-record.ts'
import { sarif } from './sarif.ts'

const { requirements } = loadCatalogue()

/** The schema of the standard, as a package has it. */
function validator() {
  const place = createRequire(import.meta.url).resolve('@microsoft/jest-sarif/package.json')
  const file = new URL('lib/schemas/sarif-2.1.0-rtm.5.json', `file://${place}`)
  // Draft 4 calls `$id` `id`.
  const { $schema: _, id: __, ...schema } = JSON.parse(readFileSync(file, 'utf8'))
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false })
  formats.default(ajv)
  return ajv.compile(schema)
}

interface Log {
  runs: {
    tool: { driver: { rules: { id: string; help: { text: string; markdown: string } }[] } }
    results: { ruleId: string; level: string; message: { text: string } }[]
  }[]
}

const logOf = (record: RunRecord) => sarif(findingsOf(record, requirements)) as Log

describe('the results as SARIF', () => {
  const validate = validator()
  const RUNS = { 'a sample run': sampleRun(), 'a run with hostile texts': hostileRun() }
  for (const [what, record] of Object.entries(RUNS))
    it(`are valid for ${what}`, () => {
      const log = logOf(record)
      assert.ok(validate(log), JSON.stringify(validate.errors))
      assert.ok(log.runs[0]!.results.length > 0)
      const known = new Set(log.runs[0]!.tool.driver.rules.map(({ id }) => id))
      for (const { ruleId } of log.runs[0]!.results) assert.ok(known.has(ruleId))
    })

  it('are checked by a schema that finds a wrong level', () => {
    const log = logOf(sampleRun())
    log.runs[0]!.results[0]!.level = 'fatal'
    assert.equal(validate(log), false)
  })

  it('are errors where they fail the run', () => {
    const levels = (record: RunRecord) =>
      Object.fromEntries(
        findingsOf(record, requirements).attention.map(({ id, verdict }) => [
          verdict,
          logOf(record).runs[0]!.results.find(({ ruleId }) => ruleId === id)!.level,
        ]),
      )
    assert.equal(levels(sampleRun())['non-conformant'], 'error')
    assert.equal(levels(sampleRun())['declined'], 'warning')
    assert.equal(levels({ ...sampleRun(), strict: true })['declined'], 'error')
  })

  it('say what to do, in words and with links', () => {
    const rule = logOf(sampleRun()).runs[0]!.tool.driver.rules.find(({ id }) => id === 'EXO-OPP-05')!
    assert.match(rule.help.text, /^Do not let the default .* haraka: \[outbound\] and .*Sources: /)
    assert.match(rule.help.markdown, /\n\n- \[haraka\]\(https:\/\/haraka\S+\): ``\[outbound\]``, /)
    assert.doesNotMatch(rule.help.markdown, /postfix/)
    const edge = { ...sampleRun(), gateway: { ...sampleRun().gateway, name: 'edge' } }
    assert.match(JSON.stringify(logOf(edge)), /\[postfix\]\(https:/)
  })

  it('have no control characters', () =>
    assert.doesNotMatch(JSON.stringify(logOf(hostileRun())), /\\u00[01]/))
})
