import assert from 'node:assert/strict'
import { FIXED, freeSubnets, joinedAddresses } from './subnet.ts'

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

describe('the lab in a network of the user', () => {
  const joined = (resolver: string, taken = {}, cidr = '172.29.0.0/16') =>
    joinedAddresses(cidr, resolver, taken)

  it('has the upper half of the subnet, and its name server the address that the user chose', () => {
    const lab = joined('172.29.0.53', { '172.29.64.1': 'mx' })
    assert.equal(lab.labRange, '172.29.128.0/17')
    assert.equal(lab.fixed(FIXED.names), '172.29.0.53')
    assert.equal(lab.fixed(FIXED.lab), '172.29.128.2')
    assert.equal(lab.lab(1), '172.29.128.9')
    assert.equal(lab.lab(32_758), '172.29.255.254')
    assert.throws(() => lab.lab(32_759), RangeError)
  })

  for (const [resolver, taken, cidr, part, message] of [
    [
      '172.29.0.53',
      { '172.29.128.0': 'mx' },
      '172.29.0.0/16',
      'network',
      /^mx has 172\.29\.128\.0; the suite needs 172\.29\.128\.0\/17/,
    ],
    [
      '172.29.0.53',
      { '172.29.0.53': 'mx' },
      '172.29.0.0/16',
      'resolver',
      /^mx has the address 172\.29\.0\.53$/,
    ],
    ['172.29.128.1', {}, '172.29.0.0/16', 'resolver', /^172\.29\.128\.1 is no address in the lower half/],
    ['172.29.0.0', {}, '172.29.0.0/16', 'resolver', /^172\.29\.0\.0 is no address in the lower half/],
    ['10.0.0.1', {}, '172.29.0.0/16', 'resolver', /^10\.0\.0\.1 is no address in the lower half/],
    ['172.29.0.53', {}, '172.29.0.0/20', 'network', /^the subnet 172\.29\.0\.0\/20 is too small/],
  ] as const)
    it(`cannot be if ${message.source}`, () => {
      assert.throws(() => joined(resolver, taken, cidr), { name: 'UnfitAddresses', part, message })
    })
})
