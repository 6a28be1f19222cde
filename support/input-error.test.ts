import assert from 'node:assert/strict'
import { InputError } from './input-error.ts'

describe('an input error', () => {
  it('has a class and a name of its own', () => {
    const error = new InputError('gateway.yaml:3:1: unknown key')
    assert.ok(error instanceof Error)
    assert.equal(String(error), 'InputError: gateway.yaml:3:1: unknown key')
  })
})
