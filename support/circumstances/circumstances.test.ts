import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures } from '../catalogue/features.ts'
import { covering } from './cover.ts'
import type { Circumstance, Combination, Dimension } from './dimensions.ts'
import { loadDimensions, patchOf } from './dimensions.ts'
import { filling } from './fill.ts'
import { mayVary } from './range.ts'
import { reduced, type Shows } from './reduce.ts'

const circumstance = (dimension: string, value: string): Circumstance => ({
  name: `${dimension}: ${value}`,
  dimension,
  value,
  source: 'RFC 5321',
  sets: { client: { [dimension]: value } },
  mattersTo: [],
})
const dimension = (name: string, ...values: string[]): Dimension => ({
  name,
  role: 'receiver',
  plain: 'as usual',
  values: values.map(value => circumstance(name, value)),
})

const DIMENSIONS = [
  dimension('greeting', 'HELO', 'twice'),
  dimension('transfer', 'BDAT', 'pipelined', 'chunks'),
  dimension('version', 'TLS 1.2'),
  dimension('sender', 'null', 'quoted'),
]

describe('a covering selection of circumstances', () => {
  const rows = covering(DIMENSIONS, { strength: 2, seed: 'one' })
  const has = (combination: Combination, one: Dimension, value: Circumstance | undefined) =>
    value ? combination.includes(value) : !combination.some(({ dimension }) => dimension === one.name)

  it('has every pair of values, plain ones too', () => {
    const missing = DIMENSIONS.flatMap((one, at) =>
      DIMENSIONS.slice(at + 1).flatMap(other =>
        [undefined, ...one.values].flatMap(a =>
          [undefined, ...other.values].flatMap(b =>
            // Nothing but plain values is the plain run.
            rows.some(row => has(row, one, a) && has(row, other, b)) || (!a && !b)
              ? []
              : [[a?.name, b?.name]],
          ),
        ),
      ),
    )
    assert.deepEqual(missing, [])
    assert.ok(rows.length < 20, String(rows.length))
  })

  it('begins with combinations that have every value', () => {
    const most = Math.max(...DIMENSIONS.map(({ values }) => values.length))
    const first = new Set(rows.slice(0, most + 1).flat())
    assert.deepEqual(
      DIMENSIONS.flatMap(({ values }) => values).filter(value => !first.has(value)),
      [],
    )
  })

  it('is the same for the same seed, and another for another', () => {
    assert.deepEqual(covering(DIMENSIONS, { strength: 2, seed: 'one' }), rows)
    assert.notDeepEqual(covering(DIMENSIONS, { strength: 2, seed: 'two' }), rows)
  })

  it('has at most one value of each dimension', () => {
    for (const row of rows) assert.equal(new Set(row.map(({ dimension }) => dimension)).size, row.length)
  })
})

const [a, b, c, d] = DIMENSIONS.map(({ values }) => values[0]!) as [
  Circumstance,
  Circumstance,
  Circumstance,
  Circumstance,
]

describe('combinations for pairs that never met', () => {
  const other = DIMENSIONS[0]!.values[1]!

  it('have nothing else where they are to be alone', () => {
    const alone = { alone: true }
    assert.deepEqual(filling([[a, b], [c]], alone), [
      [a, c],
      [b, c],
    ])
    assert.deepEqual(filling([[a, b, c]], alone), [])
  })

  it('are none where all have met', () => {
    assert.deepEqual(filling([[a, b, c]]), [])
    assert.deepEqual(
      filling([
        [a, b],
        [other, b],
      ]),
      [],
    )
  })

  it('bring both together, with what has met both', () => {
    assert.deepEqual(
      filling([
        [a, c, d],
        [b, c, d],
      ]),
      [[a, b, c, d]],
    )
  })

  it('leave out what has not met the other one either, and have that in another combination', () => {
    const rows = filling([
      [a, c],
      [b, d],
      [c, d],
    ])
    for (const [one, another] of [
      [a, b],
      [a, d],
      [b, c],
    ] as const)
      assert.ok(rows.some(row => row.includes(one) && row.includes(another)))
  })

  it('have at most one value of each dimension', () => {
    for (const row of filling([[a, b], [other, c], [b, d], [c]]))
      assert.equal(new Set(row.map(({ dimension }) => dimension)).size, row.length)
  })
})

describe('the fewest circumstances', () => {
  const needing =
    (...needed: Circumstance[]) =>
    async (combinations: readonly Combination[]) =>
      combinations.map(one => needed.every(which => one.includes(which)))

  it('are a single one where that is enough', async () => {
    assert.deepEqual(await reduced([a, b, c, d], needing(c)), [c])
  })

  it('are a pair, or three, where it takes so many', async () => {
    assert.deepEqual(await reduced([a, b, c, d], needing(a, d)), [a, d])
    assert.deepEqual(await reduced([a, b, c, d], needing(a, b, d)), [a, b, d])
  })

  it('take no more than one can be taken away from, where one hides what another one shows', async () => {
    const shows: Shows = async all =>
      all.map(one => one.includes(c) && (one.length === 1 || (one.includes(a) && one.includes(b))))
    assert.deepEqual(await reduced([a, b, c, d], shows), [c])
  })

  it('are found in few runs', async () => {
    const many = Array.from({ length: 16 }, (_, at) => circumstance(`number ${at}`, 'yes'))
    for (const one of many)
      for (const other of many.filter(each => each !== one)) {
        let asked = 0
        const shows: Shows = all => {
          asked += all.length
          return needing(one, other)(all)
        }
        assert.deepEqual(new Set(await reduced(many, shows)), new Set([one, other]))
        assert.ok(asked <= 21, String(asked))
      }
  })

  it('are unknown where it does not show again', async () => {
    assert.equal(await reduced([a, b], async all => all.map(() => false)), undefined)
  })
})

describe('the dimensions of this package', () => {
  it('have sources, and fit their schema', () => {
    const dimensions = loadDimensions()
    assert.ok(dimensions.some(({ role }) => role === 'receiver'))
    for (const { plain, values } of dimensions)
      for (const { value, source } of values) assert.ok(value !== plain && source.length > 3, value)
  })

  it('patch what they name', () => {
    const patch = patchOf([circumstance('greeting', 'HELO'), circumstance('transfer', 'BDAT')])
    assert.deepEqual(patch, {
      client: { greeting: 'HELO', transfer: 'BDAT' },
      partner: {},
      message: {},
      before: {},
    })
  })
})

describe('the examples of this package', () => {
  it('run under circumstances, except those whose servers or domains cannot vary', () => {
    const fixed = loadFeatures(loadCatalogue()).flatMap(({ uri, examples }) =>
      examples.some(example => mayVary(example)) ? [] : [uri.replace(/^features\//, '')],
    )
    assert.deepEqual([...new Set(fixed)].sort(), [
      'downgrade/second-server.feature',
      'message/each-hop.feature',
      'outbound/connectors.feature',
      'protocol/accepted-strength.feature',
      'protocol/accepted-tls.feature',
      'protocol/every-address.feature',
      'protocol/guidelines.feature',
      'protocol/listed-suites.feature',
      'protocol/long-hellos.feature',
      'protocol/resumption.feature',
      'reporting/received-line.feature',
      'server-to-server/connectors-in-both-directions.feature',
      'server-to-server/encryption.feature',
      'server-to-server/forward-secrecy.feature',
      'server-to-server/hybrid.feature',
      'transition/certificate-change.feature',
    ])
  })
})
