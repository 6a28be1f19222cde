import assert from 'node:assert/strict'
import { loadCatalogue } from './catalogue.ts'
import {
  type FeatureRule,
  indexFeatures,
  lanes,
  loadFeatures,
  locations,
  parseShard,
  select,
} from './features.ts'

const FORCED = `@sender
Feature: Forced TLS

  @EXO-FRC-01
  Rule: Without STARTTLS nothing leaves

    Why it matters,
    in two lines.

    @control
    Example: a partner with TLS gets the mail
      When the gateway sends a message to the partner

    Example: a partner without TLS gets nothing
      When the gateway sends a message to the partner

    @exclusive
    Scenario Outline: a partner that <does> gets nothing
      When the gateway sends a message to the partner

      @slow
      Examples:
        | does     |
        | hangs up |
        | waits    |

  @EXO-FRC-06
  Rule: Any certificate will do

    @control
    Example: a good certificate
      When the gateway sends a message to the partner
`

const INBOUND = `@receiver
Feature: STARTTLS

  @RFC3207-01
  Rule: STARTTLS is offered

    @control
    Example: in the clear
      When a sender connects
`

const catalogue = loadCatalogue()
const sources = [
  { uri: 'features/inbound/starttls.feature', text: INBOUND },
  { uri: 'features/outbound/forced-tls.feature', text: FORCED },
]
const rules = indexFeatures(sources, catalogue)
const forced = 'features/outbound/forced-tls.feature'
const inbound = 'features/inbound/starttls.feature'

const ids = (selection: readonly FeatureRule[]) => selection.map(({ requirement }) => requirement)

describe('the index of features', () => {
  it('has each Rule with its place, name and description', () => {
    assert.deepEqual(ids(rules), ['RFC3207-01', 'EXO-FRC-01', 'EXO-FRC-06'])
    const { examples: _, ...rule } = rules[1]!
    assert.deepEqual(rule, {
      uri: forced,
      line: 5,
      name: 'Without STARTTLS nothing leaves',
      description: 'Why it matters,\nin two lines.',
      requirement: 'EXO-FRC-01',
      role: 'sender',
    })
    assert.equal(rules[0]!.description, '')
  })

  it('has each example, and each row of an outline with the values in its name', () => {
    assert.deepEqual(
      rules[1]!.examples.map(({ line, name, control }) => ({ line, name, control })),
      [
        { line: 11, name: 'a partner with TLS gets the mail', control: true },
        { line: 14, name: 'a partner without TLS gets nothing', control: false },
        { line: 24, name: 'a partner that hangs up gets nothing', control: false },
        { line: 25, name: 'a partner that waits gets nothing', control: false },
      ],
    )
  })

  it('has the tags of an example, its Rule and its feature', () => {
    const tags = rules[1]!.examples.map(({ tags }) => [...tags].sort())
    assert.deepEqual(tags, [
      ['EXO-FRC-01', 'control', 'sender'],
      ['EXO-FRC-01', 'sender'],
      ['EXO-FRC-01', 'exclusive', 'sender', 'slow'],
      ['EXO-FRC-01', 'exclusive', 'sender', 'slow'],
    ])
  })

  const refused = (text: string, message: string | RegExp) =>
    assert.throws(() => indexFeatures([{ uri: 'features/x.feature', text }], catalogue), {
      name: 'InputError',
      message,
    })

  it('refuses a Rule without a requirement, or with two', () => {
    refused(
      INBOUND.replace('@RFC3207-01', '@RFC3207-99'),
      'features/x.feature:5: a Rule needs exactly one tag that is a requirement, this one has 0',
    )
    refused(
      INBOUND.replace('@RFC3207-01', '@RFC3207-01 @RFC3207-02'),
      'features/x.feature:5: a Rule needs exactly one tag that is a requirement, this one has 2',
    )
  })

  it('refuses a Rule without examples', () => {
    refused(INBOUND.replace(/@control[\s\S]*/, ''), 'features/x.feature:5: a Rule needs an example')
  })

  it('refuses an example outside a Rule', () => {
    refused(
      'Feature: x\n\n  Example: y\n    When z\n',
      'features/x.feature:3: an example must stand in a Rule',
    )
  })

  it('refuses text that is not Gherkin, with every place', () => {
    refused(
      'Feature: x\n  Example: y\n    When z\n    Perhaps z\n',
      /^features\/x\.feature:4:5: expected: [^\n]*$/,
    )
    refused(
      'Feature: x\n  Example: y\n    When z\n    Perhaps z\n  Example: y\n    When z\n    Perhaps z\n',
      /^features\/x\.feature:4:5: [^\n]*\nfeatures\/x\.feature:7:5: [^\n]*$/,
    )
    refused('# language: martian\nFeature: x\n', /^features\/x\.feature:1:1: /)
  })

  it('is made from the files of the package', () => {
    for (const { uri } of loadFeatures(catalogue)) assert.match(uri, /^features\/.+\.feature$/)
  })
})

describe('a selection', () => {
  const selected = (wanted: Parameters<typeof select>[2]) => select(rules, catalogue, wanted)

  it('is everything if nothing is wanted in particular', () => {
    assert.deepEqual(selected({}), rules)
    assert.deepEqual(selected({ requirements: [], profiles: [], tags: '' }), rules)
  })

  it('can be made by requirement, and the profile has then no effect', () => {
    assert.deepEqual(ids(selected({ requirements: ['EXO-FRC-06'] })), ['EXO-FRC-06'])
    assert.deepEqual(ids(selected({ requirements: ['EXO-FRC-06'], profiles: ['starttls-base'] })), [
      'EXO-FRC-06',
    ])
    assert.throws(() => selected({ requirements: ['EXO-FRC-6'] }), {
      name: 'InputError',
      message: /EXO-FRC-06/,
    })
  })

  it('is empty for a requirement that no feature tests', () => {
    assert.deepEqual(selected({ requirements: ['DANE-01'] }), [])
  })

  it('can be made by profile, one or several', () => {
    assert.deepEqual(ids(selected({ profiles: ['starttls-base'] })), ['RFC3207-01'])
    assert.deepEqual(ids(selected({ profiles: ['exchange-online-2021'] })), ['EXO-FRC-01'])
    assert.deepEqual(ids(selected({ profiles: ['exchange-online-2021', 'starttls-base'] })), [
      'RFC3207-01',
      'EXO-FRC-01',
    ])
    assert.throws(() => selected({ profiles: ['exchange'] }), {
      name: 'InputError',
      message: /there are gateway-base, exchange-/,
    })
  })

  it('can be made by tags, and includes the control of each Rule with a wanted example', () => {
    const selection = selected({ tags: '@exclusive' })
    assert.deepEqual(locations(selection), [`${forced}:11`, `${forced}:24`, `${forced}:25`])
  })

  it('does not include the control of a Rule without a wanted example', () => {
    assert.deepEqual(locations(selected({ tags: '@receiver and not @exclusive' })), [`${inbound}:8`])
  })

  it('evaluates a tag expression as Cucumber does', () => {
    assert.equal(locations(selected({ tags: '@sender and not (@slow or @control)' })).length, 2)
    assert.equal(locations(selected({ tags: '@nothing' })).length, 0)
  })

  it('refuses a wrong tag expression', () => {
    assert.throws(() => selected({ tags: '@a and and @b' }), {
      name: 'InputError',
      message: /^--tags: [^\n]+$/,
    })
    assert.throws(() => selected({ tags: '(@a' }), { name: 'InputError', message: /^--tags: [^\n]+$/ })
  })

  it('fits all that is wanted', () => {
    assert.deepEqual(ids(selected({ profiles: ['starttls-base'], tags: '@sender' })), [])
  })

  it('has every Rule in exactly one shard, with all its examples', () => {
    const parts = [1, 2].map(index => selected({ shard: { index, of: 2 } }))
    assert.deepEqual(parts.map(ids), [['RFC3207-01', 'EXO-FRC-06'], ['EXO-FRC-01']])
    assert.deepEqual(parts[1], [rules[1]])
    assert.deepEqual(selected({ shard: { index: 4, of: 4 } }), [])
  })

  it('is divided into shards after everything else', () => {
    const parts = [1, 2].map(index => selected({ tags: '@sender', shard: { index, of: 2 } }))
    assert.deepEqual(parts.map(ids), [['EXO-FRC-01'], ['EXO-FRC-06']])
  })

  it('does not change the index', () => {
    selected({ tags: '@exclusive' })
    assert.equal(rules[1]!.examples.length, 4)
  })
})

describe('a shard', () => {
  it('is written I/N', () => {
    assert.deepEqual(parseShard('2/3'), { index: 2, of: 3 })
    assert.deepEqual(parseShard('3/3'), { index: 3, of: 3 })
  })

  for (const text of ['', '0/3', '4/3', '1', '1/0', 'a/b', '1/2/3', '-1/3', '1.5/3'])
    it(`is not ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseShard(text), { name: 'InputError', message: /^--shard: / })
    })
})

describe('lanes', () => {
  const rule = (uri: string, count: number): FeatureRule => ({
    uri,
    line: 1,
    name: uri,
    description: '',
    requirement: 'EXO-FRC-01',
    role: 'sender',
    examples: Array.from({ length: count }, (_, line) => ({
      line,
      name: '',
      tags: new Set<string>(),
      control: false,
      steps: [],
    })),
  })
  const uris = (made: FeatureRule[][]) => made.map(lane => lane.map(({ uri }) => uri))

  it('get the longest Rules first', () => {
    const selection = [rule('short', 2), rule('long', 5), rule('middle', 4), rule('tiny', 1)]
    assert.deepEqual(uris(lanes(selection, 2)), [
      ['long', 'tiny'],
      ['short', 'middle'],
    ])
  })

  it('may divide the Rules of one file, and keep their order', () => {
    const selection = [rule('a', 1), rule('b', 4), rule('a', 2)]
    assert.deepEqual(lanes(selection, 2), [[selection[1]], [selection[0], selection[2]]])
    assert.deepEqual(lanes(selection, 3), [[selection[1]], [selection[2]], [selection[0]]])
  })

  it('are never empty', () => {
    assert.deepEqual(uris(lanes([rule('a', 1)], 4)), [['a']])
    assert.deepEqual(lanes([], 4), [])
  })

  it('are at least one, if there is a Rule', () => {
    assert.deepEqual(uris(lanes([rule('a', 1), rule('b', 1)], 0)), [['a', 'b']])
  })
})
