import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { type FeatureRule, loadFeatures } from '../catalogue/features.ts'
import { loadDimensions } from '../circumstances/dimensions.ts'
import { combinations, passesOf } from './choose-combinations.ts'

describe('the passes of a run under circumstances', () => {
  const catalogue = loadCatalogue()
  const rules = loadFeatures(catalogue)
  const isMust = ({ requirement }: FeatureRule) => catalogue.get(requirement)!.level === 'must'
  const offered = { receiver: new Set<string>(), sender: new Set<string>() }
  const rows = combinations(loadDimensions(), offered, { strength: 2, seed: 'one', most: 'every value' })
  const passes = passesOf(rules, 'sender', rows, { isMust })

  it('have each Rule in each of the first combinations', () => {
    const count = rules.filter(({ role }) => role === 'sender').length
    assert.ok(passes.length > 3)
    for (const pass of passes) assert.ok(Math.abs(pass.length - count) < 10, `${pass.length} of ${count}`)
  })

  it('have the musts first, because the time may be over before a pass is', () => {
    for (const pass of passes) {
      const lastMust = pass.findLastIndex(({ rule }) => isMust(rule))
      assert.equal(lastMust + 1, pass.filter(({ rule }) => isMust(rule)).length)
    }
  })

  it('begin with Rules that lie far apart', () => {
    const musts = rules.filter(rule => rule.role === 'sender' && isMust(rule))
    const begins = passes
      .slice(0, 4)
      .map(([first]) =>
        musts.findIndex(({ uri, line }) => first!.rule.uri === uri && first!.rule.line === line),
      )
    const sorted = begins.toSorted((a, b) => a - b)
    for (const [at, begin] of sorted.entries())
      assert.ok(at === 0 || begin - sorted[at - 1]! > musts.length / 10, begins.join())
  })

  it('have the control each time, and other examples in turn where there are several', () => {
    const own = passesOf(rules, 'sender', rows, { share: 'in turn', isMust })
    const chosen = own.map(
      pass => new Map(pass.map(({ rule }) => [`${rule.uri}:${rule.line}`, rule.examples])),
    )
    for (const rule of rules.filter(
      one => one.role === 'sender' && one.examples.some(({ control }) => control),
    )) {
      const each = chosen.flatMap(pass => pass.get(`${rule.uri}:${rule.line}`) ?? [])
      const [controls = [], others = []] = [true, false].map(is =>
        each.filter(one => (one.control ?? false) === is),
      )
      const passes = chosen.filter(pass => pass.has(`${rule.uri}:${rule.line}`)).length
      assert.equal(controls.length, passes)
      const many = rule.examples.length - 1
      assert.equal(others.length, passes * Math.ceil(many / 4))
      assert.equal(new Set(others).size, Math.min(many, others.length))
    }
  })

  it('have all other examples where it is not their turn', () => {
    const [all, inTurn, rest] = (['all', 'in turn', 'not in turn'] as const).map(share =>
      passesOf(rules, 'receiver', rows, { share, isMust }).map(pass =>
        pass.flatMap(({ rule }) => rule.examples),
      ),
    )
    const others = (examples: FeatureRule['examples']) => examples.filter(({ control }) => !control)
    assert.equal(rest!.length, all!.length)
    for (const [at, examples] of all!.entries()) {
      const both = [...others(inTurn![at]!), ...others(rest![at]!)]
      assert.equal(new Set(both).size, both.length)
      assert.deepEqual(new Set(both), new Set(others(examples)))
      assert.ok(inTurn![at]!.length < examples.length && rest![at]!.length < examples.length)
    }
  })
})
