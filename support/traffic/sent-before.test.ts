import assert from 'node:assert/strict'
import { loadDimensions } from '../circumstances/dimensions.ts'
import { EARLIER_MAIL, SENT_BEFORE } from './sent-before.ts'

describe('what a gateway sent before', () => {
  it('is a dimension with every kind of earlier mail, and no other', () => {
    const values = loadDimensions().flatMap(({ role, values }) =>
      values.flatMap(({ sets }) => Object.entries(sets.before ?? {}).map(entry => [role, ...entry])),
    )
    assert.deepEqual(
      values,
      SENT_BEFORE.map(one => ['sender', 'mail', one]),
    )
  })

  it('is for another domain where it may stay in the queue', () => {
    for (const [what, { domain, partner }] of Object.entries(EARLIER_MAIL)) {
      const may = partner.handshake || (partner.starttls && domain !== 'another, where TLS is optional')
      assert.ok(!may || domain.startsWith('another'), what)
    }
  })
})
