import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AstBuilder, compile, Errors, GherkinClassicTokenMatcher, Parser } from '@cucumber/gherkin'
import { type GherkinDocument, IdGenerator, type Pickle, type Rule } from '@cucumber/messages'
import { type Node, parse as parseTags } from '@cucumber/tag-expressions'
import { InputError } from '../input-error.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import type { Catalogue } from './catalogue.ts'

/** A Rule of a feature, which tests one requirement. A selection is a list of Rules, perhaps with fewer examples. */
export interface FeatureRule {
  /** The path from the root of the package with forward slashes, such as `features/outbound/forced-tls.feature`. */
  uri: string
  line: number
  name: string
  /** The free text under the name, without indentation. Empty if there is none. */
  description: string
  requirement: string
  /** The role in which the Rule judges the gateway. */
  role: 'sender' | 'receiver'
  /** At least one, in the order of the file. */
  examples: readonly FeatureExample[]
}

/** One test case of Cucumber: an example, or one row of the table of an outline. */
export interface FeatureExample {
  /** The line of `Example:` or of the row, which follows the colon in Cucumber's `uri:line`. */
  line: number
  /** The name, with the values of the row. */
  name: string
  /** The tags of the example, its Rule and its feature, without `@`. */
  tags: ReadonlySet<string>
  /** Whether this example is the control of its Rule, in which the gateway has no reason to refuse. */
  control: boolean
  /** The texts of the steps, including those of the Background, with the values of the row. */
  steps: readonly string[]
}

/** A part of a run, such as `--shard 2/3`. Both numbers count from 1. */
export interface Shard {
  index: number
  of: number
}

/** Which examples to run: those that fit all given keys. Without any key, all examples. */
export interface Wanted {
  /** Ids of the catalogue. If there are any, `profiles` has no effect. */
  requirements?: readonly string[]
  profiles?: readonly string[]
  /** A Cucumber tag expression for examples, such as `@sender and not @exclusive`. */
  tags?: string
  shard?: Shard
}

/** The Rules of all features in `features/` below `root`. Throws the errors of `indexFeatures`. */
export function loadFeatures(catalogue: Catalogue, root = PACKAGE_ROOT): FeatureRule[] {
  const uris = globSync('features/**/*.feature', { cwd: root }).map(uri => uri.replaceAll('\\', '/'))
  return indexFeatures(
    uris.sort().map(uri => ({ uri, text: readFileSync(join(root, uri), 'utf8') })),
    catalogue,
  )
}

/**
 * The Rules of the given features, in their order. Throws InputError with one line `uri:line: …` for each problem: text that
 * is not Gherkin, an example outside a Rule, a Rule without an example, or a Rule that does not have exactly one tag with
 * an id of the catalogue.
 */
export function indexFeatures(
  sources: readonly { uri: string; text: string }[],
  catalogue: Catalogue,
): FeatureRule[] {
  const problems: string[] = []
  const rules = sources.flatMap(({ uri, text }) => {
    try {
      return indexFeature(uri, readFeature(uri, text), catalogue, problems)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      problems.push(error.message)
      return []
    }
  })
  if (problems.length > 0) throw new InputError(problems.join('\n'))
  return rules
}

/** A feature file, parsed by Cucumber's own parser, and its test cases. Throws InputError if it is not Gherkin. */
export function readFeature(
  uri: string,
  text: string,
): { document: GherkinDocument; pickles: readonly Pickle[] } {
  const newId = IdGenerator.incrementing()
  try {
    const document = new Parser(new AstBuilder(newId), new GherkinClassicTokenMatcher()).parse(text)
    return { document, pickles: compile(document, uri, newId) }
  } catch (error) {
    if (!(error instanceof Errors.GherkinException)) throw error
    const errors = error instanceof Errors.CompositeParserException ? error.errors : [error]
    // The parser's messages begin with `(line:column): `.
    throw new InputError(
      errors.map(({ message }) => `${uri}:${message.replace(/^\((.*?)\)/, '$1')}`).join('\n'),
    )
  }
}

function indexFeature(
  uri: string,
  { document, pickles }: ReturnType<typeof readFeature>,
  catalogue: Catalogue,
  problems: string[],
): FeatureRule[] {
  const rules: FeatureRule[] = []
  for (const child of document.feature?.children ?? []) {
    if (child.scenario)
      problems.push(`${uri}:${child.scenario.location.line}: an example must stand in a Rule`)
    if (!child.rule) continue
    const { location, name, description, tags } = child.rule
    const place = placeOf({ uri, line: location.line })
    const ids = tags.map(tag => tag.name.slice(1)).filter(name => catalogue.has(name))
    if (ids.length !== 1)
      problems.push(
        `${place}: a Rule needs exactly one tag that is a requirement, this one has ${ids.length}`,
      )
    const roles = [...(document.feature?.tags ?? []), ...tags].map(({ name }) => name)
    const examples = examplesOf(child.rule, pickles)
    if (examples.length === 0) problems.push(`${place}: a Rule needs an example`)
    rules.push({
      uri,
      line: location.line,
      name,
      description: description.replace(/^[ \t]+/gm, '').trim(),
      requirement: ids[0] ?? '',
      role: roles.includes('@sender') ? 'sender' : 'receiver',
      examples,
    })
  }
  return rules
}

function examplesOf(rule: Rule, pickles: readonly Pickle[]): FeatureExample[] {
  return pickles.flatMap(pickle => {
    const { name, tags, steps } = pickle
    const line = lineIn(rule, pickle)
    if (line === undefined) return []
    const names = new Set(tags.map(tag => tag.name.slice(1)))
    return [{ line, name, tags: names, control: names.has('control'), steps: steps.map(({ text }) => text) }]
  })
}

/** The line of a test case, as in FeatureExample. Undefined if the test case does not belong to the Rule. */
export function lineIn({ children }: Rule, { astNodeIds }: Pickle): number | undefined {
  // The ids of the scenario and, for an outline, of the row.
  const id = astNodeIds.at(-1)
  for (const { scenario } of children) {
    const rows = scenario?.examples.flatMap(({ tableBody }) => tableBody) ?? []
    const node = scenario?.id === id ? scenario : rows.find(row => row.id === id)
    if (node) return node.location.line
  }
  return undefined
}

/**
 * The wanted Rules with their wanted examples, in the same order. If any example of a Rule is wanted, its control is wanted
 * too, because a refusal proves nothing without the control. A shard takes every n-th Rule, after all other keys of `wanted`
 * have been applied. Throws InputError for an unknown requirement or profile and for a wrong tag expression.
 */
export function select(rules: readonly FeatureRule[], catalogue: Catalogue, wanted: Wanted): FeatureRule[] {
  const ids = wantedIds(catalogue, wanted)
  const tags = wanted.tags?.trim() ? tagExpression(wanted.tags) : undefined
  const { index, of } = wanted.shard ?? { index: 1, of: 1 }
  return rules
    .filter(({ requirement }) => !ids || ids.has(requirement))
    .map(rule => (tags ? withTags(rule, tags) : rule))
    .filter(({ examples }) => examples.length > 0)
    .filter((_, position) => position % of === index - 1)
}

function wantedIds(catalogue: Catalogue, { requirements, profiles }: Wanted): Set<string> | undefined {
  if (requirements?.length) return new Set(requirements.map(id => catalogue.get(id).id))
  if (!profiles?.length) return undefined
  return new Set(profiles.flatMap(profile => catalogue.inProfile(profile)).map(({ id }) => id))
}

function tagExpression(text: string): Node {
  try {
    return parseTags(text)
  } catch (error) {
    throw new InputError(`--tags: ${(error as Error).message.replaceAll('\n', ' ')}`)
  }
}

function withTags(rule: FeatureRule, expression: Node): FeatureRule {
  const wanted = new Set(
    rule.examples.filter(({ tags }) => expression.evaluate([...tags].map(name => `@${name}`))),
  )
  const examples =
    wanted.size === 0 ? [] : rule.examples.filter(example => example.control || wanted.has(example))
  return { ...rule, examples }
}

/** Reads `I/N`, such as `2/3`. Throws InputError unless 1 ≤ I ≤ N. */
export function parseShard(text: string): Shard {
  const [, index, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []
  const shard = { index: Number(index), of: Number(of) }
  if (!(shard.index >= 1 && shard.index <= shard.of))
    throw new InputError(`--shard: ${JSON.stringify(text)} is not a part of a whole, such as 2/3`)
  return shard
}

/** `features/outbound/forced-tls.feature:14` */
export const placeOf = ({ uri, line }: Pick<FeatureRule, 'uri' | 'line'>): string => `${uri}:${line}`

/** The paths for Cucumber, one for each example: `features/outbound/forced-tls.feature:14`. */
export function locations(selection: readonly FeatureRule[]): string[] {
  return selection.flatMap(({ uri, examples }) => examples.map(({ line }) => placeOf({ uri, line })))
}

/**
 * Divides the selection into at most `count` lanes with about the same number of examples. A Rule stays whole on one lane,
 * because its control decides about its other examples. The Rules with the most examples come first, and each goes to the
 * lane with the fewest examples so far. No lane is empty. Each lane has its Rules in the order of the selection.
 */
export function lanes(selection: readonly FeatureRule[], count: number): FeatureRule[][] {
  const made = Array.from({ length: Math.min(Math.max(count, 1), selection.length) }, () => ({
    at: [] as number[],
    weight: 0,
  }))
  const order = selection
    .map(({ examples }, at) => ({ at, weight: examples.length }))
    .sort((a, b) => b.weight - a.weight)
  for (const { at, weight } of order) {
    const lightest = made.reduce((least, lane) => (lane.weight < least.weight ? lane : least))
    lightest.at.push(at)
    lightest.weight += weight
  }
  return made.map(({ at }) => at.sort((a, b) => a - b).map(index => selection[index]!))
}
