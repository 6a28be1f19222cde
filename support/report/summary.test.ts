import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { hostileRun, largeRun, sampleRun } from '../test-bed/fixtures/sample-run.ts'
import { findingsOf } from './findings.ts'
import type { RunRecord } from './run-record.ts'
import { summary } from './summary.ts'

const text = (record: RunRecord) => summary(findingsOf(record, loadCatalogue().requirements))
const bars = (row: string) => row.match(/(?<!\\)\|/g)?.length
const rows = (source: string) => source.split('\n').filter(line => line.startsWith('|'))

describe('summary', () => {
  it('has the headline, the counts and what needs attention', () => {
    const lines = text(sampleRun()).split('\n')
    assert.match(
      lines[0]!,
      /^## haraka 3\.3\.4 keeps 11 of 18 requirements that apply \(18 of \d+ judged\); 1 is broken;/,
    )
    assert.ok(lines.some(line => line.startsWith('| non-conformant | 1 | 1 |')))
    assert.ok(lines.some(line => line.startsWith('| **non-conformant** | EXO-FRC-01 |')))
    assert.ok(lines.some(line => /EXO-FRC-01 .* In the rule for this domain, require TLS, .* \|$/.test(line)))
    assert.match(lines.join('\n'), /`report\.html`/)
  })

  it('says that a run was interrupted', () => {
    const partial = text({ ...sampleRun(), partial: true, planned: 259 })
    assert.match(partial, /^## The run was interrupted after \d+ of 259 examples; haraka/)
    assert.match(partial, /\n\n\*\*Partial\.\*\* The run was interrupted after \d+ of 259 examples\./)
    assert.doesNotMatch(text(sampleRun()), /Partial/)
  })

  it('has empty lines around its tables and none inside', () => {
    assert.match(
      text(sampleRun()),
      /\n\n\| verdict \|.*\n\| --- .*\n(\|.*\n)+\n2 examples ran again.*\n\n### What/,
    )
  })

  it('says nothing of attention when there is none to pay', () => {
    assert.ok(!text(largeRun(3)).includes('###'))
  })

  it('lets nothing out of its cell', () => {
    const hostile = text(hostileRun())
    const tables = hostile
      .split(/\n(?!\|)/)
      .map(rows)
      .filter(table => table.length > 0)
    for (const table of tables)
      for (const row of table) assert.equal(bars(row), bars(table[0]!), row.slice(0, 200))
    assert.ok(!/<(?!!)/.test(hostile))
    assert.ok(!/^# /m.test(hostile))
    assert.ok(!/(?<!\\)\[/.test(hostile))
    assert.ok(!hostile.includes('://'))
  })

  it('stays short', () => {
    const record = largeRun(100)
    const broken = record.verdicts.map(verdict => ({ ...verdict, verdict: 'non-conformant' as const }))
    const long = text({ ...record, verdicts: broken })
    assert.equal(rows(long).length, 2 + 1 + 2 + 50)
    assert.match(long, /50 more in `report\.html`/)
  })
})
