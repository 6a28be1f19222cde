import assert from 'node:assert/strict'
import type { FeatureRule } from '../catalogue/features.ts'
import { cycled, only, sampled } from './containers.ts'

describe('the bench of containers', () => {
  const verdict = (n: number, ...steps: string[]) => ({
    scenario: `features/a.feature:${n}`,
    seen: { steps },
  })

  it('samples examples from all over the suite', () => {
    const verdicts = Array.from({ length: 100 }, (_, n) => verdict(n, 'Given the sender uses TLS'))
    assert.deepEqual(
      sampled(verdicts, 4),
      [0, 25, 50, 75].map(n => `features/a.feature:${n}`),
    )
    assert.equal(sampled(verdicts.slice(0, 3), 10).length, 3)
    assert.deepEqual(sampled([], 10), [])
  })

  it('samples no example that has a gateway of its own', () => {
    const steps = [
      'Given a gateway as it is',
      'Given a gateway that trusts both roots',
      'Given a gateway with a certificate of the former authority',
    ]
    assert.deepEqual(
      sampled(
        steps.map((step, n) => verdict(n, step)),
        10,
      ),
      ['features/a.feature:0'],
    )
  })

  it('picks the Rule of an example, with that alone', () => {
    const rule = (uri: string, ...lines: number[]) =>
      ({ uri, examples: lines.map(line => ({ line })) }) as unknown as FeatureRule
    const rules = [rule('features/a.feature', 1, 2), rule('features/b.feature', 2, 3)]
    assert.deepEqual(only(rules, 'features/b.feature:2'), [rule('features/b.feature', 2)])
    assert.deepEqual(only(rules, 'features/b.feature:9'), [])
  })

  it('goes round a list', () => {
    assert.deepEqual(cycled(['a', 'b'], 5), ['a', 'b', 'a', 'b', 'a'])
  })
})
