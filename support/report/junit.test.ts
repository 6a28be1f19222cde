import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { junitElements as elements } from '../test-bed/fixtures/junit-xml.ts'
import { HOSTILE, hostileRun, sampleRun } from '../test-bed/fixtures/sample-run.ts'
import { findingsOf } from './findings.ts'
import { junit } from './junit.ts'
import type { RunRecord } from './run-record.ts'

const xml = (record: RunRecord) => junit(findingsOf(record, loadCatalogue().requirements))
const ILLEGAL = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

describe('junit', () => {
  it('has a suite per area and a case per example', () => {
    const record = sampleRun()
    const all = elements(xml(record))
    assert.equal(all[0]?.tag, 'testsuites')
    const names = all.filter(({ tag }) => tag === 'testsuite').map(({ attributes }) => attributes.get('name'))
    assert.deepEqual(names.slice(0, 3), ['outbound', 'inbound', 'server-to-server'])
    const cases = all.filter(({ tag }) => tag === 'testcase')
    assert.equal(cases.length, record.verdicts.length)
    assert.equal(cases[0]?.attributes.get('classname'), 'EXO-OPP-01')
    assert.equal(cases[0]?.attributes.get('name'), 'a partner with TLS gets the mail')
  })

  it('says failure, error or skipped, with the reason', () => {
    const { totals } = sampleRun()
    const all = elements(xml(sampleRun()))
    const count = (wanted: string) => all.filter(({ tag }) => tag === wanted).length
    assert.equal(count('failure'), totals['non-conformant'] + totals.stale)
    assert.equal(count('error'), totals['lab-error'])
    assert.equal(
      count('skipped'),
      totals.deviates + totals.declined + totals.inapplicable + totals.inconclusive,
    )
    const failure = all.find(({ tag }) => tag === 'failure')
    assert.equal(failure?.attributes.get('type'), 'non-conformant')
    assert.match(failure?.attributes.get('message') ?? '', /arrived unencrypted/)
    assert.match(failure?.text ?? '', /^Given an outbound connector/)
    const total = (name: string) =>
      all
        .filter(({ tag }) => tag === 'testsuite')
        .reduce((sum, { attributes }) => sum + Number(attributes.get(name)), 0)
    assert.deepEqual(
      [total('tests'), total('failures'), total('errors'), total('skipped')],
      [count('testcase'), count('failure'), count('error'), count('skipped')],
    )
  })

  it('says under how many circumstances an example ran, and what a run tried', () => {
    const all = elements(xml(sampleRun()))
    assert.match(
      all.find(({ tag }) => tag === 'failure')!.text,
      /\nbroken in 8 of 24 combinations of circumstances\n/,
    )
    const told = all.find(({ attributes }) => attributes.get('name') === 'circumstances')!
    assert.match(
      told.attributes.get('value')!,
      /^2 examples ran again, in 24 combinations of circumstances\./,
    )
  })

  it('fails what strict fails', () => {
    const { totals } = sampleRun()
    const all = elements(xml({ ...sampleRun(), strict: true }))
    assert.equal(
      all.filter(({ tag }) => tag === 'failure').length,
      totals['non-conformant'] + totals.stale + totals.declined + totals.inconclusive,
    )
  })

  it('has an error for a run that was interrupted', () => {
    const all = elements(xml({ ...sampleRun(), partial: true, planned: 259 }))
    const errors = all.filter(({ tag }) => tag === 'error')
    const { attributes } = errors.at(-1)!
    assert.equal(errors.length, sampleRun().totals['lab-error'] + 1)
    assert.equal(attributes.get('type'), 'partial')
    assert.match(attributes.get('message')!, /^The run was interrupted after \d+ of 259 examples$/)
    const partial = all.find(({ attributes }) => attributes.get('name') === 'partial')
    assert.equal(partial?.attributes.get('value'), 'true')
  })

  it('stays valid whatever a peer says', () => {
    const text = xml(hostileRun())
    assert.ok(!ILLEGAL.test(text))
    const all = elements(text)
    assert.deepEqual(
      new Set(all.map(({ tag }) => tag)),
      new Set(elements(xml(sampleRun())).map(({ tag }) => tag)),
    )
    assert.equal(all.filter(({ tag }) => tag === 'testcase').length, hostileRun().verdicts.length)
    assert.ok(all.some(({ attributes }) => attributes.get('name') === `hostile ${HOSTILE[4]}`))
  })
})
