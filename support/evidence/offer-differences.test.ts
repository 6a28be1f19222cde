import assert from 'node:assert/strict'
import { offer } from '../test-bed/fixtures/offer.ts'
import { Differences, isNamed } from './offer-differences.ts'

describe('the names in a certificate', () => {
  const FOR: readonly [name: string, host: string][] = [
    ['mx.gateway.test', 'MX.Gateway.test'],
    ['*.Gateway.test', 'mx.gateway.test'],
    ['localhost', 'localhost'],
  ]
  for (const [name, host] of FOR)
    it(`are for ${host}: ${name}`, () => assert.ok(isNamed(['other.test', name], host)))

  const NOT_FOR: readonly [name: string, host: string][] = [
    ['*.localhost', 'localhost'],
    ['*.test', 'mx.gateway.test'],
    ['*.gateway.test', 'gateway.test'],
    ['*.gateway.test', '.gateway.test'],
    ['mx.gateway.test.evil.test', 'mx.gateway.test'],
  ]
  for (const [name, host] of NOT_FOR)
    it(`are not for ${host}: ${name}`, () => assert.ok(!isNamed([name], host)))
})

describe('the differences between servers', () => {
  const at = (
    address: string,
    more: Parameters<typeof offer>[0] = {},
    suites: Parameters<typeof offer>[1] = {},
  ) => offer({ address, ...more }, suites)
  const found = (...offers: ReturnType<typeof offer>[]) => {
    const differences = new Differences()
    for (const one of offers.toReversed()) differences.add(one)
    return differences.among(offers.map(({ address }) => address))
  }

  it('are none where all have the same', () => {
    assert.deepEqual(found(at('a:25'), at('b:25')), [])
  })

  it('tell each address what it has, in the order of the servers', () => {
    const suites = { 'TLSv1.3': undefined }
    assert.deepEqual(found(at('a:25'), at('b:25', {}, suites), at('c:25'))[0], {
      about: 'TLS 1.3',
      by: { 'a:25': 'yes', 'b:25': 'no', 'c:25': 'yes' },
    })
  })

  it('leave out what is not known, and who gave no answer', () => {
    const unknown = { groups: { tls13: { all: [], incomplete: 'no answer' }, tls12: { all: ['P-256'] } } }
    assert.deepEqual(found(at('a:25'), at('b:25', unknown), at('c:25', { unreachable: 'no answer' })), [])
  })
})
