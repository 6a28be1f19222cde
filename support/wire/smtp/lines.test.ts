import assert from 'node:assert/strict'
import { LineBuffer, MAX_LINE, PeerLimit } from './lines.ts'

describe('a line buffer', () => {
  const all = (buffer: LineBuffer) => {
    const lines: string[] = []
    for (let line = buffer.next(); line; line = buffer.next()) lines.push(line.toString('latin1'))
    return lines
  }

  it('gives the same lines however the bytes are cut', () => {
    const bytes = Buffer.from('220 one\r\n\r\nbare\n\xff\r\r\nrest', 'latin1')
    for (let size = 1; size <= bytes.length; size++) {
      const buffer = new LineBuffer()
      const lines: string[] = []
      for (let at = 0; at < bytes.length; at += size) {
        buffer.push(bytes.subarray(at, at + size))
        lines.push(...all(buffer))
      }
      assert.deepEqual(lines, ['220 one', '', 'bare', '\xff\r'], `pieces of ${size}`)
      assert.equal(buffer.drain().toString(), 'rest')
    }
  })

  it('gives up what is left once', () => {
    const buffer = new LineBuffer()
    buffer.push(Buffer.from('STARTTLS\r\n\x16\x03\x01'))
    assert.equal(buffer.next()?.toString(), 'STARTTLS')
    assert.deepEqual(buffer.drain(), Buffer.from('\x16\x03\x01'))
    assert.equal(buffer.drain().length, 0)
  })

  it('takes a number of bytes once they are there, whatever they are', () => {
    const buffer = new LineBuffer()
    buffer.push(Buffer.from('a\r\nb'))
    assert.equal(buffer.take(5), undefined)
    buffer.push(Buffer.from('c'))
    assert.equal(buffer.take(5)?.toString(), 'a\r\nbc')
    assert.ok(buffer.isEmpty)
  })

  const RECORDS: [string, string, boolean, string][] = [
    ['nothing', '', true, ''],
    ['a reply', '250 ok\r\n', true, '250 ok\r\n'],
    ['a record and a reply', '\x17\x03\x03\x00\x02..250 ok\r\n', true, '250 ok\r\n'],
    ['an alert and another', '\x15\x03\x03\x00\x02..\x15\x03\x03\x00\x02..', true, ''],
    ['a part of a record', '\x17\x03\x03\x00\x05..', false, '\x17\x03\x03\x00\x05..'],
    ['a part of its header', '\x15\x03', false, '\x15\x03'],
  ]
  for (const [what, bytes, whole, rest] of RECORDS)
    it(`drops the TLS records of ${what}`, () => {
      const buffer = new LineBuffer()
      buffer.push(Buffer.from(bytes, 'latin1'))
      assert.equal(buffer.skipRecords(), whole)
      assert.equal(buffer.drain().toString('latin1'), rest)
    })

  it('takes a line of the greatest length', () => {
    const buffer = new LineBuffer()
    buffer.push(Buffer.from(`${'x'.repeat(MAX_LINE)}\n`))
    assert.equal(buffer.next()?.length, MAX_LINE)
  })

  for (const [what, bytes] of [
    ['without an end', 'x'.repeat(MAX_LINE + 1)],
    ['with an end', `${'x'.repeat(MAX_LINE + 1)}\n`],
    ['behind a short one', `short\n${'x'.repeat(MAX_LINE + 1)}\n`],
  ] as const)
    it(`refuses a longer line ${what}`, () => {
      const buffer = new LineBuffer()
      buffer.push(Buffer.from(bytes))
      assert.throws(() => all(buffer), PeerLimit)
    })
})
