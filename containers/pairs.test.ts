import assert from 'node:assert/strict'
import { bundledGateway, bundledNames } from './index.ts'
import { PAIRS } from './pairs.ts'

describe('pairs of servers', () => {
  it('are of products that come with the suite, each of another kind', () => {
    for (const [name, other] of Object.entries(PAIRS)) {
      assert.ok(bundledNames().includes(name) && bundledNames().includes(other), name)
      assert.notEqual(name, other.split('@')[0])
    }
  })

  it('have a second server of the same kind and release, whoever the gateway is', () => {
    for (const name of bundledNames()) {
      const source = bundledGateway(name)
      assert.equal(source.secondServers?.['the same kind']?.().name, name)
    }
  })

  it('have one of another kind where the list says so, which runs where they run', () => {
    for (const name of bundledNames()) {
      const source = bundledGateway(name)
      const other = PAIRS[name.split('@')[0]!]
      const second = source.secondServers?.['another kind']?.()
      assert.equal(second?.name, other)
      if (second) assert.equal(second.kind, source.kind)
    }
  })
})
