import assert from 'node:assert/strict'
import { printable } from './printable.ts'

describe('printable text', () => {
  it('has nothing but printable ASCII in it, for every byte', () => {
    for (let byte = 0; byte < 256; byte++)
      assert.match(printable(Buffer.from([byte])), /^[ -~]+$/, `byte ${byte}`)
  })

  it('tells every two bytes apart', () => {
    const texts = Array.from({ length: 256 }, (_, byte) => printable(Buffer.from([byte])))
    assert.equal(new Set(texts).size, 256)
  })

  it('shows what a terminal would act on', () => {
    assert.equal(printable('a\r\n\x1b[2J\\é'), 'a\\r\\n\\x1b[2J\\\\\\xc3\\xa9')
  })

  it('is cut, and says so, past its bound only', () => {
    assert.equal(printable('12345', 5), '12345')
    assert.equal(printable('123456', 5), '12345… (6 bytes)')
  })
})
