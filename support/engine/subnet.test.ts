import assert from 'node:assert/strict'
import { freeSubnets } from './subnet.ts'

describe('the network of a run', () => {
  it('lies in 198.18.0.0/15, sixteen side by side', () => {
    const all = freeSubnets([], 0).map(({ cidr }) => cidr)
    assert.equal(all.length, 16)
    assert.equal(all[0], '198.18.0.0/19')
    assert.equal(all.at(-1), '198.19.224.0/19')
  })

  it('touches no network that is there', () => {
    const taken = ['198.18.0.0/16', '198.19.40.0/24', '172.17.0.0/16', 'fd00::/8', '198.19.96.5']
    const free = freeSubnets(taken, 12).map(({ cidr }) => cidr)
    assert.deepEqual(
      free,
      [128, 160, 192, 224, 0, 64].map(third => `198.19.${third}.0/19`),
    )
    assert.deepEqual(freeSubnets(['198.0.0.0/8']), [])
  })

  it('is larger where a run needs more partners', () => {
    const free = freeSubnets(['198.18.130.0/24'], 1, 17)
    assert.deepEqual(
      free.map(({ cidr }) => cidr),
      ['198.19.0.0/17', '198.19.128.0/17', '198.18.0.0/17'],
    )
    assert.equal(free[0]!.labRange, '198.19.64.0/18')
    assert.equal(free[0]!.lab(10_000), '198.19.103.16')
  })

  it('has the upper half for partners and the rest for containers', () => {
    const [subnet] = freeSubnets([], 1)
    assert.equal(subnet!.cidr, '198.18.32.0/19')
    assert.equal(subnet!.gateway, '198.18.32.1')
    assert.equal(subnet!.fixed(3), '198.18.32.3')
    assert.equal(subnet!.engineRange, '198.18.40.0/21')
    assert.equal(subnet!.labRange, '198.18.48.0/20')
    assert.equal(subnet!.lab(1), '198.18.48.1')
    assert.equal(subnet!.lab(4094), '198.18.63.254')
    assert.throws(() => subnet!.lab(4095), RangeError)
  })
})
