import assert from 'node:assert/strict'
import { isOfThisMachine } from './own-address.ts'

describe('an address of this machine', () => {
  for (const [address, expected] of [
    ['127.0.0.1', true],
    ['127.0.0.53', true],
    ['192.0.2.77', false],
    ['2001:db8::77', false],
    ['engine.test', false],
  ] as const)
    it(`${address} is ${expected ? 'one' : 'none'}`, async () => {
      assert.equal(await isOfThisMachine(address), expected)
    })
})
