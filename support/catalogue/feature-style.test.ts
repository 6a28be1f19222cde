import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pretty } from '@cucumber/gherkin-utils'
import type { Scenario, Step } from '@cucumber/messages'
import { bundledNames } from '../../containers/index.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import { loadCatalogue } from './catalogue.ts'
import { readFeature } from './features.ts'

/** Those that come with the suite, and servers and libraries that people think of. */
const PRODUCTS = [
  ...bundledNames(),
  ...[
    'chasquid',
    'courier',
    'docker',
    'dovecot',
    'exchange online',
    'exim',
    'gnutls',
    'haraka',
    'james',
    'maddy',
  ],
  ...['mailhog', 'microsoft', 'mox', 'openssl', 'opensmtpd', 'postfix', 'qmail', 'sendmail', 'stalwart'],
].filter(name => /^[a-z ]+$/.test(name))

/** What no line of a feature may say (design, section 9: no product, port, file, option or time-out). */
const FORBIDDEN: [what: string, pattern: RegExp][] = [
  ['a product', new RegExp(`\\b(${PRODUCTS.join('|')})\\b`, 'i')],
  ['a port', /\bports?\s+\d|:\d{2,5}\b|\b(25|465|587|2525)\b/i],
  ['a time-out', /\btime-?outs?\b|\b\d+\s*(ms|milliseconds?|s|secs?|seconds?|min|minutes?|h|hours?)\b/i],
  ['a file', /\b[\w-]+\.(cf|conf|ini|pem|key|crt|json|ya?ml)\b/i],
]

const ROLES = ['@sender', '@receiver']
const LEVELS = ['@must', '@should', '@may', '@observed']
const OTHER_TAGS = new Set([...ROLES, ...LEVELS, '@control', '@exclusive'])

const catalogue = loadCatalogue()

/** Offences against the house style, each as `uri:line: what`. */
function offences(uri: string, text: string): string[] {
  const found: string[] = []
  const say = (line: number, what: string) => found.push(`${uri}:${line}: ${what}`)
  const { document, pickles } = readFeature(uri, text)

  for (const [index, line] of text.split('\n').entries())
    for (const [what, pattern] of FORBIDDEN) if (pattern.test(line)) say(index + 1, `names ${what}`)
  if (pickles.length > 25) say(1, `${pickles.length} examples, 25 at most`)

  for (const { rule } of document.feature?.children ?? []) {
    if (!rule) continue
    const scenarios = rule.children.flatMap(({ scenario }) => scenario ?? [])
    const shared = rule.children.flatMap(({ background }) => background?.steps ?? [])
    const place = (scenario: Scenario) => scenario.location.line
    const mine = pickles.filter(({ astNodeIds }) => scenarios.some(({ id }) => id === astNodeIds[0]))
    const ofRule = [...document.feature!.tags, ...rule.tags].map(({ name }) => name)
    const roles = ofRule.filter(name => ROLES.includes(name))
    if (roles.length !== 1) say(rule.location.line, `a Rule has one role, this one has ${roles.length}`)
    const levels = rule.tags.map(({ name }) => name).filter(name => LEVELS.includes(name))
    const id = rule.tags.map(({ name }) => name.slice(1)).find(name => catalogue.has(name))
    const level = id && `@${catalogue.get(id).level}`
    if (levels.join(' ') !== level)
      say(rule.location.line, `the level of ${id} is ${level}, the Rule has ${levels.join(' ') || 'none'}`)
    for (const { tags, location } of [rule, ...scenarios])
      for (const { name } of tags)
        if (!OTHER_TAGS.has(name) && !/^@[A-Z0-9]+-/.test(name))
          say(location.line, `${name} says what the steps say already`)
        else if (ROLES.includes(name) && location !== rule.location)
          say(location.line, `${name}: the role belongs to the Rule`)
    const controls = mine.filter(({ tags }) => tags.some(({ name }) => name === '@control'))
    if (controls.length !== 1)
      say(rule.location.line, `a Rule has one @control, this one has ${controls.length}`)
    else if (controls[0] !== mine[0]) say(rule.location.line, 'the @control comes first')

    for (const scenario of scenarios) {
      for (const { tableHeader, location } of scenario.examples)
        if ((tableHeader?.cells.length ?? 0) > 2) say(location.line, 'two columns at most')
      // All rows of an outline have the same steps.
      const pickle = pickles.find(({ astNodeIds }) => astNodeIds[0] === scenario.id)
      if (!pickle) {
        say(place(scenario), 'no steps, or no rows')
        continue
      }
      const { steps } = pickle
      const own = steps.length - shared.length
      if (own < 2 || own > 5) say(place(scenario), `two to five steps of its own, this has ${own}`)
      const types: (string | undefined)[] = steps.map(({ type }) => type)
      const whens = types.filter(type => type === 'Action').length
      if (whens !== 1) say(place(scenario), `one When, this has ${whens}`)
      if (types.includes('Unknown')) say(place(scenario), 'steps begin with Given, When, Then, And or But')
      const control = scenarios.find(({ tags }) => tags.some(({ name }) => name === '@control'))
      if (!control || scenario === control) continue
      const differs = difference(control, scenario)
      if (differs) say(place(scenario), differs)
    }
  }
  return found
}

type Line = Pick<Step, 'text' | 'dataTable' | 'keywordType'>

/** How an example differs from its control in more than one Given or the value of a row; nothing where it does not. */
function difference(control: Scenario, example: Scenario): string | undefined {
  const [wanted, given] = [control, example].map(({ steps }) => {
    let type = ''
    // And and But go on with what the step before them was.
    const typed = steps.map(step => {
      if (step.keywordType !== 'Conjunction') type = String(step.keywordType)
      return { ...step, type }
    })
    const of = (kind: string) => typed.filter(({ type }) => type === kind)
    return { givens: of('Context'), whens: of('Action') }
  })
  const missing = wanted!.givens.filter(one => !given!.givens.some(other => same(one, other)))
  const added = given!.givens.filter(one => !wanted!.givens.some(other => same(other, one)))
  if (missing.length > 1 || added.length > 1)
    return `differs from the control in ${Math.max(missing.length, added.length)} Givens, one at most`
  const [when] = wanted!.whens
  const [acts] = given!.whens
  if (when && acts && !same(when, acts)) return 'has another When than the control'
  const valued = [...given!.givens, ...given!.whens].some(({ text }) => text.includes('<'))
  return missing.length + added.length === 0 && !valued ? 'does not differ from the control' : undefined
}

/** The same step, whatever a row of a table puts in. */
function same(one: Line, other: Line): boolean {
  const pattern = other.text
    .split(/<[^>]+>/)
    .map(RegExp.escape)
    .join('.+')
  const cells = ({ dataTable }: Line) =>
    JSON.stringify(dataTable?.rows.map(({ cells }) => cells.map(({ value }) => value)))
  return new RegExp(`^${pattern}$`).test(one.text) && cells(one) === cells(other)
}

const FEATURE = `@sender
Feature: Forced TLS

  @EXO-FRC-01 @must
  Rule: Without STARTTLS nothing leaves

    @control
    Example: a partner with TLS gets the mail
      Given a partner that offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner that <does> gets nothing
      Given a partner that <does>
      When the gateway sends a message to the partner
      Then the message does not arrive
      And nothing of it crossed the wire in clear

      Examples:
        | does            |
        | hides STARTTLS  |
        | answers TLS 1.1 |
`

describe('the features of this package', () => {
  const uris = globSync('features/**/*.feature', { cwd: PACKAGE_ROOT }).sort()

  for (const uri of uris)
    it(`are laid out as the formatter does it (npm run format): ${uri}`, () => {
      const text = readFileSync(join(PACKAGE_ROOT, uri), 'utf8')
      assert.equal(text, pretty(readFeature(uri, text).document))
    })

  for (const uri of uris)
    it(`follow the house style: ${uri}`, () => {
      assert.deepEqual(offences(uri, readFileSync(join(PACKAGE_ROOT, uri), 'utf8')), [])
    })
})

describe('the house style of features', () => {
  it('is what the design shows', () => {
    assert.deepEqual(offences('x.feature', FEATURE), [])
  })

  const offence = (what: string, text: string, ...expected: string[]) =>
    it(`knows ${what}`, () => {
      assert.notEqual(text, FEATURE)
      assert.deepEqual(
        offences('x.feature', text).map(found => found.replace('x.feature:', '')),
        expected,
      )
    })

  offence(
    'a Rule without its level',
    FEATURE.replace(' @must', ''),
    '5: the level of EXO-FRC-01 is @must, the Rule has none',
  )
  offence(
    'a Rule with another level than the catalogue',
    FEATURE.replace('@must', '@should'),
    '5: the level of EXO-FRC-01 is @must, the Rule has @should',
  )
  offence(
    'a Rule without control',
    FEATURE.replace('@control', ''),
    '5: a Rule has one @control, this one has 0',
  )
  offence(
    'a Rule with two',
    FEATURE.replace('    Scenario Outline', '    @control\n    Scenario Outline').replace(
      / +\| answers.*\n/,
      '',
    ),
    '5: a Rule has one @control, this one has 2',
  )
  offence(
    'an outline as control',
    FEATURE.replace('@control', '').replace('    Scenario Outline', '    @control\n    Scenario Outline'),
    '5: a Rule has one @control, this one has 2',
  )
  offence(
    'a control that comes later',
    FEATURE.replace('    @control\n', '')
      .replace('    Scenario Outline', '    @control\n    Scenario Outline')
      .replace(/ +\| answers.*\n/, ''),
    '5: the @control comes first',
  )
  offence(
    'too few steps',
    FEATURE.replace(/ +Given a partner that offers.*\n/, '').replace(/ +Then .*TLS\n/, ''),
    '8: two to five steps of its own, this has 1',
  )
  offence(
    'too many steps',
    FEATURE.replace(/( +)And nothing.*\n/, '$&$1And one\n$1And two\n'),
    '13: two to five steps of its own, this has 6',
  )
  offence('an example without When', FEATURE.replace('When the', 'And the'), '8: one When, this has 0')
  offence(
    'an example with two',
    FEATURE.replace('Then the message arrives', 'And the message arrives'),
    '8: one When, this has 2',
  )
  offence(
    'a step without keyword',
    FEATURE.replace('Given a partner that offers', '* a partner that offers'),
    '8: steps begin with Given, When, Then, And or But',
  )
  offence(
    'an outline without rows',
    FEATURE.replace(/ +\| (hides|answers).*\n/g, ''),
    '13: no steps, or no rows',
  )
  offence(
    'a table with three columns',
    FEATURE.replace(/\| (does|hides|answers)(.*)\|/g, '| $1$2| a | b |'),
    '19: two columns at most',
  )
  offence(
    'a file that is too long',
    FEATURE.replace(/ +\| answers.*\n/, row => row.repeat(24)),
    '1: 26 examples, 25 at most',
  )
  offence(
    'a product',
    FEATURE.replaceAll('the gateway sends', 'Postfix sends'),
    '10: names a product',
    '15: names a product',
  )
  offence(
    'a port',
    FEATURE.replaceAll('to the partner', 'to port 2525'),
    '10: names a port',
    '15: names a port',
  )
  offence(
    'an address with port',
    FEATURE.replaceAll('to the partner', 'to 127.0.0.1:2500'),
    '10: names a port',
    '15: names a port',
  )
  offence(
    'a time-out',
    FEATURE.replace('does not arrive', 'does not arrive for 30 seconds'),
    '16: names a time-out',
  )
  offence('a file', FEATURE.replace('does not arrive', 'does not arrive as in main.cf'), '16: names a file')

  it('lets TLS versions, RFC sections and reply codes pass', () => {
    assert.deepEqual(
      offences('x.feature', FEATURE.replace('not arrive', 'refused with 554 (RFC 3207 s4.1)')),
      [],
    )
  })
})
