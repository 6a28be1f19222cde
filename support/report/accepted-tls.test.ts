import assert from 'node:assert/strict'
import { offer, suiteOffer } from '../test-bed/fixtures/offer.ts'
import { sampleRun } from '../test-bed/fixtures/sample-run.ts'
import { acceptedIn } from '../verdicts/accepted-tls.ts'
import { acceptedView } from './accepted-tls.ts'
import { findingsOf } from './findings.ts'
import { html } from './html.ts'
import type { RunRecord } from './run-record.ts'

describe('the TLS that a gateway accepts, by profile', () => {
  const columns = acceptedView(acceptedIn(offer())).columns.map(({ short }) => short)
  const wordsOf = (rows: ReturnType<typeof acceptedView>['disputed'], what: string) =>
    Object.fromEntries(rows.find(row => row.what === what)!.cells.map(({ word }, at) => [columns[at], word]))

  it('has one row for TLS 1.0, of which each profile says something else', () => {
    const old = offer({}, { TLSv1: ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA'] })
    assert.deepEqual(wordsOf(acceptedView(acceptedIn(old)).disputed, 'TLS 1.0'), {
      MS18: 'allowed',
      MS21: 'must not',
      RFC: 'must not',
      NIST: 'should not',
      BSI: 'must not',
      NCSC: 'should not',
    })
  })

  it('has suites by version, and leaves a cell empty where a profile says nothing', () => {
    const some = offer({}, { 'TLSv1.2': [suiteOffer('TLS_RSA_WITH_AES_256_GCM_SHA384')] })
    const { disputed, others, told } = acceptedView(acceptedIn(some))
    assert.equal(wordsOf(disputed, 'AES256-GCM-SHA384 with TLS 1.2')['BSI'], 'must not')
    assert.equal(wordsOf(others, 'TLS 1.3')['MS21'], '')
    assert.match(told, /^Profiles say different things of \d+ of \d+ findings at 192\.0\.2\.1:25\.$/)
  })

  it('has no row for what no profile speaks of', () => {
    const { rows } = acceptedIn(offer())
    assert.ok(rows.length > 5)
    assert.deepEqual(
      rows.filter(({ what }) => what.startsWith('no SSL')),
      [],
    )
  })

  it('is a section of the report, with texts of the gateway as text', () => {
    const page = (record: RunRecord) => html(findingsOf(record, []))
    const accepted = {
      address: 'mx.test:25',
      rows: [{ what: '<b>odd</b>', grades: { dane: 'wrong' } as const }],
    }
    assert.match(page({ ...sampleRun(), accepted }), /id="accepted".*&lt;b(>|&gt;)odd/s)
    assert.doesNotMatch(page(sampleRun()), /id="accepted"/)
  })

  it('says so where no two profiles disagree', () => {
    const { rows } = acceptedIn(offer())
    const agreed = rows.filter(({ what }) => what === 'TLS 1.2')
    assert.match(acceptedView({ address: 'mx.test:25', rows: agreed }).told, /^All profiles say the same/)
  })
})
