import assert from 'node:assert/strict'
import { encode } from 'dns-packet'
import { Zone } from './signed-zone.ts'

const TYPES: Record<number, string> = { 1: 'A', 6: 'SOA', 15: 'MX', 16: 'TXT', 52: 'TLSA' }
const CLASSES: Record<number, string> = { 1: 'IN', 255: 'ANY' }

/** The update section, RFC 2136 s2.5; dns-packet does not read records without data. */
function changes(message: Buffer): string[] {
  let at = 12
  const name = () => {
    const labels: string[] = []
    for (let length = message[at]!; length > 0; length = message[at]!) {
      labels.push(message.toString('latin1', at + 1, at + 1 + length))
      at += 1 + length
    }
    at++
    return labels.join('.')
  }
  const typeAndClass = () => {
    at += 4
    return `${TYPES[message.readUInt16BE(at - 4)]} ${CLASSES[message.readUInt16BE(at - 2)]}`
  }
  assert.equal(`${name()} ${typeAndClass()}`, 'test SOA IN')
  const found: string[] = []
  while (at < message.length) {
    found.push(`${name()} ${typeAndClass()}`)
    at += 6 + message.readUInt16BE(at + 4)
  }
  return found
}

describe('the zone of a lab', () => {
  /** Answers with `rcode`, and keeps what it was asked. */
  function server(rcode = 0) {
    const updates: string[][] = []
    const zone = new Zone(async message => {
      assert.equal((message.readUInt16BE(2) >> 11) & 0xf, 5, 'the opcode is UPDATE')
      updates.push(changes(message))
      await new Promise(setImmediate)
      const id = message.readUInt16BE()
      return Buffer.from(encode({ type: 'response', id, flags: (5 << 11) | rcode }))
    })
    return { zone, updates }
  }
  const a = (name: string) => ({ name, type: 'A' as const, data: '198.18.0.1' })

  it('replaces all records with the same name and type', async () => {
    const { zone, updates } = server()
    await zone.set([
      { name: 'd1.test', type: 'MX', data: { preference: 10, exchange: 'mx.d1.test' } },
      { name: 'd1.test', type: 'MX', data: { preference: 20, exchange: 'mx2.d1.test' } },
      { name: 't.test', type: 'TXT', data: 'x'.repeat(300) },
      {
        name: '_25._tcp.mx.d1.test',
        type: 'TLSA',
        data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32) },
      },
    ])
    assert.deepEqual(updates, [
      [
        'd1.test MX ANY',
        't.test TXT ANY',
        '_25._tcp.mx.d1.test TLSA ANY',
        'd1.test MX IN',
        'd1.test MX IN',
        't.test TXT IN',
        '_25._tcp.mx.d1.test TLSA IN',
      ],
    ])
  })

  it('sends waiting changes in one update, in their order', async () => {
    const { zone, updates } = server()
    await Promise.all(['a.test', 'b.test', 'c.test'].map(name => zone.set([a(name)])))
    assert.deepEqual(updates, [
      ['a.test A ANY', 'a.test A IN'],
      ['b.test A ANY', 'b.test A IN', 'c.test A ANY', 'c.test A IN'],
    ])
  })

  it('limits the records of one update', async () => {
    const { zone, updates } = server()
    await Promise.all(Array.from({ length: 400 }, (_, i) => zone.set([a(`a${i}.test`)])))
    assert.deepEqual(
      updates.map(({ length }) => length),
      [2, 300, 300, 198],
    )
  })

  it('fails all changes of an update that is refused', async () => {
    const { zone } = server(5)
    const wishes = ['a.test', 'b.test'].map(name => zone.set([a(name)]))
    for (const wish of wishes) await assert.rejects(wish, /answers an update with REFUSED/)
  })
})
