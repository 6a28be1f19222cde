import assert from 'node:assert/strict'
import type { Circumstance, Combination, Dimension } from '../circumstances/dimensions.ts'
import {
  type CircumstancesSummary,
  cellsOf,
  mergedSummary,
  type Trial,
  valueCounts,
} from './circumstances.ts'

const value = (dimension: string, name: string, needs?: string): Circumstance => ({
  ...{ name: `${dimension}: ${name}`, dimension, value: name, source: 'RFC 5321', sets: {}, mattersTo: [] },
  ...(needs ? { needs } : {}),
})
const HELO = value('greeting', 'HELO')
const LOWER = value('case', 'lower')
const BDAT = value('transfer', 'BDAT', 'CHUNKING')
const dimension = (one: Circumstance): Dimension => ({
  ...{ name: one.dimension, role: 'receiver', plain: 'as usual', values: [one] },
})

const PLAIN = { verdict: 'conformant', detail: 'refused' } as const
const trial = (state: Trial['state'], ...combination: Circumstance[]): Trial => ({
  combination,
  verdict: state === 'broken' ? 'non-conformant' : state === 'unclear' ? 'inconclusive' : state,
  detail: `seen ${state}`,
  state,
})
const briefly = (cells: readonly { circumstances: string[]; verdict: string }[]) =>
  cells.map(({ circumstances, verdict }) => `${circumstances.join(' + ')} ${verdict}`.trim())

describe('the cells of an example', () => {
  it('begin with the plain one, and have what is broken before what is unclear and what is well', () => {
    const trials = [trial('conformant', LOWER), trial('unclear', HELO), trial('broken', HELO, BDAT)]
    const { circumstances, cells } = cellsOf(PLAIN, trials, trial('broken', BDAT))
    const others = [
      'transfer: BDAT non-conformant',
      'greeting: HELO + transfer: BDAT non-conformant',
      'greeting: HELO inconclusive',
    ]
    assert.deepEqual(briefly(cells), ['conformant', ...others, 'case: lower conformant'])
    assert.deepEqual(briefly(circumstances.cells), others)
    const { cells: _, ...counts } = circumstances
    assert.deepEqual(counts, { tried: 3, broken: 1, unclear: 1, only: ['transfer: BDAT'] })
  })

  it('name the fewest circumstances once, although a combination had no others', () => {
    const { circumstances } = cellsOf(PLAIN, [trial('broken', BDAT)], trial('broken', BDAT))
    assert.deepEqual(briefly(circumstances.cells), ['transfer: BDAT non-conformant'])
    assert.equal(circumstances.broken, 1)
  })

  it('are unclear where what was broken did not show again', () => {
    const { circumstances } = cellsOf(PLAIN, [trial('broken', BDAT), trial('unclear', HELO)])
    assert.deepEqual(
      [circumstances.tried, circumstances.broken, circumstances.unclear, circumstances.only],
      [2, 0, 2, undefined],
    )
    assert.deepEqual(
      circumstances.cells.map(({ verdict, detail }) => [verdict, detail]),
      [
        ['inconclusive', 'this did not show a second time: seen broken'],
        ['inconclusive', 'seen unclear'],
      ],
    )
  })

  it('are few and short, however many were tried', () => {
    const trials = Array.from({ length: 999 }, () => ({
      ...trial('unclear', HELO),
      detail: 'x'.repeat(9_999),
    }))
    const { circumstances, cells } = cellsOf(PLAIN, trials)
    assert.deepEqual([circumstances.unclear, circumstances.cells.length, cells.length], [999, 24, 100])
    for (const { detail } of [...circumstances.cells, ...cells]) assert.ok(detail.length <= 300)
  })
})

describe('how often a circumstance was tried', () => {
  const counts = (
    trials: Record<string, Trial[]>,
    only: Record<string, Combination> = {},
    offered = ['CHUNKING'],
  ) =>
    valueCounts(
      [HELO, LOWER, BDAT].map(dimension),
      { receiver: new Set(offered), sender: new Set(offered) },
      new Map(Object.entries(trials)),
      new Map(Object.entries(only)),
    ).map(({ examples, broken, unclear, notOffered }) =>
      [examples, broken, unclear, notOffered].filter(one => one !== undefined),
    )

  it('counts examples, not combinations', () => {
    const twice = [trial('conformant', HELO, LOWER), trial('conformant', HELO)]
    assert.deepEqual(counts({ a: twice, b: [trial('conformant', HELO)] }), [
      [2, 0, 0],
      [1, 0, 0],
      [0, 0, 0],
    ])
  })

  it('blames the fewest circumstances, and no others', () => {
    const a = [trial('broken', HELO, LOWER, BDAT)]
    assert.deepEqual(counts({ a }, { a: [HELO, BDAT] }), [
      [1, 1, 0],
      [1, 0, 0],
      [1, 1, 0],
    ])
  })

  it('calls unclear what no combination with the circumstance decided', () => {
    const a = [trial('unclear', HELO, LOWER), trial('conformant', LOWER), trial('unclear', HELO)]
    assert.deepEqual(counts({ a }), [
      [1, 0, 1],
      [1, 0, 0],
      [0, 0, 0],
    ])
  })

  it('says what the gateway does not offer', () => {
    assert.deepEqual(counts({}, {}, [])[2], [0, 0, 0, 'CHUNKING'])
  })
})

describe('what several parts of a run have tried', () => {
  const part = (n: number): CircumstancesSummary => ({
    examples: n,
    combinations: { receiver: 24, sender: n },
    judgements: n * 10,
    durationMs: 100 - n,
    cpu: { suite: n / 10, machine: 1, cores: 2 },
    values: [HELO, LOWER].map(({ dimension, value, source }) => ({
      ...{ role: 'receiver', dimension, plain: 'as usual', value, source },
      ...{ examples: n, broken: 1, unclear: 0 },
    })),
  })

  it('is added up', () => {
    const all = mergedSummary([part(2), part(5)])!
    assert.deepEqual([all.examples, all.judgements, all.durationMs], [7, 70, 98])
    assert.deepEqual(all.combinations, { receiver: 24, sender: 5 })
    assert.deepEqual(all.cpu, part(5).cpu)
    assert.deepEqual(
      all.values.map(({ value, examples, broken, unclear }) => [value, examples, broken, unclear]),
      [
        ['HELO', 7, 2, 0],
        ['lower', 7, 2, 0],
      ],
    )
  })

  it('is that of the only one, and nothing for none', () => {
    assert.deepEqual(mergedSummary([part(3)]), part(3))
    assert.equal(mergedSummary([]), undefined)
  })
})
