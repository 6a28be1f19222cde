import assert from 'node:assert/strict'
import { sampleRun, TRIED } from '../test-bed/fixtures/sample-run.ts'
import type { CircumstancesSummary } from '../verdicts/circumstances.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import type { Cell, InCircumstances } from '../verdicts/verdict.ts'
import { cellsView, inCombinations, triedIn, valuesView } from './circumstances.ts'

const told = (counts: Partial<InCircumstances>): InCircumstances => ({
  ...{ tried: 24, broken: 0, unclear: 0, cells: [] },
  ...counts,
})

describe('what is said of an example under circumstances', () => {
  const SAID: [Partial<InCircumstances>, string][] = [
    [{}, 'in 24 combinations of circumstances'],
    [{ tried: 1 }, 'in 1 combination of circumstances'],
    [{ unclear: 3 }, 'in 24 combinations of circumstances, 3 inconclusive'],
    [{ broken: 2 }, 'broken in 2 of 24 combinations of circumstances'],
    [{ broken: 2, unclear: 3 }, 'broken in 2 of 24 combinations of circumstances, 3 inconclusive'],
  ]
  for (const [counts, said] of SAID) it(said, () => assert.equal(inCombinations(told(counts)), said))
})

describe('what is said of a run under circumstances', () => {
  const [first] = sampleRun().verdicts as [RecordedVerdict]
  const said = (tried: Partial<CircumstancesSummary>, ...examples: Partial<InCircumstances>[]) =>
    triedIn({
      circumstances: { ...TRIED, values: [], ...tried },
      verdicts: examples.map(counts => ({ ...first, circumstances: told(counts) })),
    })

  it('is nothing where nothing was tried', () => {
    assert.deepEqual(triedIn({ verdicts: sampleRun().verdicts }), [])
  })

  it('begins with how much was tried', () => {
    const begins = (receiver: number, sender: number) => said({ combinations: { receiver, sender } })[0]
    assert.equal(begins(24, 0), '2 examples ran again, in 24 combinations of circumstances.')
    assert.equal(begins(0, 1), '2 examples ran again, in 1 combination of circumstances.')
    assert.equal(
      begins(24, 4),
      '2 examples ran again, in 24 combinations of circumstances for what the gateway receives and 4 for what it sends.',
    )
  })

  it('says how many combinations there was no time for', () => {
    assert.match(
      said({ notTried: 1 })[3]!,
      /^1 combination was not tried with all examples, because the time for circumstances was over/,
    )
  })

  it('goes on with what was found', () => {
    const broken = { broken: 1, only: ['BDAT'] }
    assert.equal(said({}, {})[1], 'All came out as they do without circumstances.')
    assert.equal(
      said({}, broken, broken)[1],
      '2 are broken in some of them only, and none could not be decided in some.',
    )
    assert.equal(
      said({}, { unclear: 3 })[1],
      'None is broken in some of them only, and 1 could not be decided in some.',
    )
  })

  const LIMITS: [string, CircumstancesSummary['cpu']][] = [
    [
      'the suite itself, which computes on one core: 1.1 of 2 cores were busy, 0.9 with the suite',
      { suite: 0.9, machine: 1.1, cores: 2 },
    ],
    ['the machine: 1.9 of 2 cores were busy, 0.4 with the suite', { suite: 0.4, machine: 1.9, cores: 2 }],
    [
      'the time of waiting for the gateway and its partners: 0.5 of 2 cores were busy, 0.2 with the suite',
      { suite: 0.2, machine: 0.5, cores: 2 },
    ],
  ]
  for (const [limit, cpu] of LIMITS)
    it(`names as the limit ${limit}`, () => {
      assert.equal(said({ cpu })[2], `61 judgements in 4 s, 15.3 a second; the limit was ${limit}.`)
    })

  it('ends with what was left out', () => {
    assert.equal(said({}).length, 3)
    assert.equal(
      said({ values: TRIED.values })[3],
      '1 circumstance was left out, because the gateway does not offer SMTPUTF8.',
    )
  })
})

describe('the table of an example', () => {
  const [first] = sampleRun().verdicts as [RecordedVerdict]
  const cell = (verdict: Cell['verdict'], detail: string, ...circumstances: string[]): Cell => ({
    circumstances,
    verdict,
    detail,
  })
  const PLAIN = cell('conformant', 'refused')
  const view = (counts: Partial<InCircumstances>, well: Cell[] = []) =>
    cellsView({
      ...first,
      circumstances: told(counts),
      seen: { ...first.seen, cells: [PLAIN, ...(counts.cells ?? []), ...well] },
    })!

  it('is none where the example did not run again', () => {
    const { circumstances: _, ...plain } = first
    assert.equal(cellsView(plain), undefined)
  })

  it('has the plain circumstance, and what was tried where all is well', () => {
    const { plain, rows, open, conformant, tried } = view({}, [
      cell('conformant', 'refused', 'greeting: HELO', 'case: lower'),
      cell('conformant', 'refused', 'greeting: EHLO: twice'),
    ])
    assert.deepEqual(
      [plain, rows, open, conformant],
      [{ verdict: 'conformant', detail: 'refused' }, [], false, 24],
    )
    assert.deepEqual(tried, [
      { dimension: 'greeting', values: 'HELO, EHLO: twice' },
      { dimension: 'case', values: 'lower' },
    ])
  })

  it('joins combinations with the same result, and says what they share', () => {
    const silent = (...names: string[]) => cell('inconclusive', 'silence', ...names)
    const { rows, fewest } = view(
      { unclear: 3, cells: [silent('a', 'b', 'c'), silent('a', 'c', 'd'), cell('inconclusive', '451', 'a')] },
      [cell('conformant', 'refused', 'c')],
    )
    assert.equal(fewest, undefined)
    assert.deepEqual(
      rows.map(({ title, shared, detail }) => [title, shared, detail]),
      [
        ['2 combinations', ['a'], 'silence'],
        ['1 circumstance', [], '451'],
      ],
    )
  })

  it('begins with the fewest circumstances that break the example, which are those that broken ones share', () => {
    const broken = (...names: string[]) => cell('non-conformant', 'in clear', ...names)
    const { rows, fewest, open } = view({
      ...{ broken: 2, only: ['a', 'b'] },
      cells: [broken('a', 'b'), broken('a', 'b', 'c', 'd'), broken('a', 'b', 'c')],
    })
    assert.deepEqual([fewest?.names, open], [['a', 'b'], true])
    assert.deepEqual(
      rows.map(({ title, shared }) => [title, shared]),
      [['2 combinations', ['a', 'b']]],
    )
  })

  it('has few rows with few combinations, and says so', () => {
    const many = Array.from({ length: 24 }, (_, n) => cell('inconclusive', `seen ${n % 2 ? n : 0}`, 'a'))
    const { rows, more } = view({ tried: 99, unclear: 99, cells: many })
    assert.deepEqual([rows.length, more], [12, true])
    assert.deepEqual([rows[0]!.combinations.length, rows[0]!.hidden], [6, 6])
    assert.equal(view({ unclear: 1, cells: many.slice(0, 1) }).more, false)
  })
})

describe('the table of all circumstances', () => {
  it('has what is broken first, then what is inconclusive, with the values of a dimension together', () => {
    const [sends, ...others] = valuesView({ circumstances: TRIED })
    assert.deepEqual([sends?.title, others], ['When the gateway sends mail', []])
    assert.deepEqual(
      sends?.dimensions.map(({ name, values }) => [name, ...values.map(({ value }) => value)]),
      [
        ['its speed', 'in single bytes'],
        ['how the partner greets', 'in lower case', 'in several lines'],
        ['its text', 'in UTF-8'],
      ],
    )
    assert.deepEqual(valuesView({}), [])
  })
})
