import assert from 'node:assert/strict'
import { bundledGateway, bundledNames } from './index.ts'
import { PAIRS } from './pairs.ts'

describe('second servers', () => {
  it('are listed as pairs of two different products of the suite', () => {
    for (const [name, other] of Object.entries(PAIRS)) {
      assert.ok(bundledNames().includes(name) && bundledNames().includes(other), name)
      assert.notEqual(name, other.split('@')[0])
    }
  })

  it('of the same kind are of the same product and release, for every gateway', () => {
    for (const name of bundledNames()) {
      const source = bundledGateway(name)
      assert.equal(source.secondServers?.['the same kind']?.().name, name)
    }
  })

  it('of another kind are those of the list, and run in a container if the gateway does', () => {
    for (const name of bundledNames()) {
      const source = bundledGateway(name)
      const other = PAIRS[name.split('@')[0]!]
      const second = source.secondServers?.['another kind']?.()
      assert.equal(second?.name, other)
      if (second) assert.equal(second.kind, source.kind)
    }
  })
})
