import assert from 'node:assert/strict'
import { AddressRange } from './address-range.ts'
import { PartnerAddresses } from './partner-addresses.ts'

describe('the addresses of partners', () => {
  let addresses: PartnerAddresses
  beforeEach(() => {
    addresses = new PartnerAddresses(
      ['127.0.16.0/31', '127.0.17.0/31', '::1'].map(text => new AddressRange(text)),
    )
  })
  const ipv4 = async (count: number) => (await addresses.take({ IPv4: count, IPv6: 0 })).IPv4
  /** Whether something has happened by now. */
  const settled = async (work: Promise<unknown>) => {
    const pending = {}
    await new Promise(setImmediate)
    return (await Promise.race([work, Promise.resolve(pending)])) !== pending
  }

  it('are used again after all others, the first that was given back before later ones', async () => {
    const [first] = await ipv4(1)
    addresses.give(first!)
    const [second] = await ipv4(1)
    addresses.give(second!)
    assert.deepEqual(await ipv4(4), ['127.0.17.0', '127.0.17.1', first, second])
  })

  it('are given to who asked first, all at once', async () => {
    const [one, two] = await ipv4(4)
    const many = ipv4(2)
    const few = ipv4(1)
    addresses.give(one!)
    assert.equal(await settled(Promise.race([many, few])), false)
    addresses.give(two!)
    assert.deepEqual(await many, [one, two])
    assert.equal(await settled(few), false)
    addresses.give(two!)
    assert.deepEqual(await few, [two])
  })

  it('are given to others while somebody waits for the other family', async () => {
    await addresses.take({ IPv4: 0, IPv6: 1 })
    const both = addresses.take({ IPv4: 0, IPv6: 1 })
    assert.equal((await ipv4(1)).length, 1)
    assert.equal(await settled(both), false)
    addresses.give('::1')
    assert.deepEqual((await both).IPv6, ['::1'])
  })

  it('are refused to who asks for more than there are', async () => {
    await assert.rejects(ipv4(5), /^Error: 5 IPv4 addresses asked for, with room for 4$/)
  })
})
