import assert from 'node:assert/strict'
import { AddressRange } from './address-range.ts'

describe('a range of addresses for partners', () => {
  for (const [text, family, size, first, last] of [
    ['127.0.16.0/20', 'IPv4', 4094, '127.0.16.1', '127.0.31.254'],
    ['127.0.17.9/20', 'IPv4', 4094, '127.0.16.1', '127.0.31.254'],
    ['192.0.2.6/31', 'IPv4', 2, '192.0.2.6', '192.0.2.7'],
    ['192.0.2.6', 'IPv4', 1, '192.0.2.6', '192.0.2.6'],
    ['fd00:1::/112', 'IPv6', 65_534, 'fd00:1::1', 'fd00:1::fffe'],
    ['fd00:1::f0/124', 'IPv6', 14, 'fd00:1::f1', 'fd00:1::fe'],
    ['::1', 'IPv6', 1, '::1', '::1'],
  ] as const)
    it(`${text} has ${size} addresses from ${first} to ${last}`, () => {
      const range = new AddressRange(text)
      assert.deepEqual(
        [range.family, range.size, range.at(0), range.at(range.size - 1)],
        [family, size, first, last],
      )
    })

  it('may be larger than a number can count', () => {
    const range = new AddressRange('fd00:1::/48')
    assert.equal(range.size, Number.MAX_SAFE_INTEGER)
    assert.equal(range.at(0x1_0000_0000), 'fd00:1::1:0:1')
  })

  for (const text of [
    '',
    '127.1/8',
    '127.0.0.0/33',
    '127.0.0.0/',
    '127.0.0.0/8/8',
    'fd00::/129',
    'mx.test',
    '010.0.0.1',
  ])
    it(`is not ${JSON.stringify(text)}`, () => assert.throws(() => new AddressRange(text), RangeError))

  it('overlaps another one that has some of its addresses', () => {
    const overlap = (one: string, other: string) => new AddressRange(one).overlaps(new AddressRange(other))
    assert.ok(overlap('127.0.16.0/20', '127.0.31.255'))
    assert.ok(overlap('127.0.31.255', '127.0.16.0/20'))
    assert.ok(!overlap('127.0.16.0/20', '127.0.32.0/20'))
    assert.ok(!overlap('0.0.0.0/0', '::/0'))
  })
})
