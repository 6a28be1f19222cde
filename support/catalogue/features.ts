import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AstBuilder, compile, Errors, GherkinClassicTokenMatcher, Parser } from '@cucumber/gherkin'
import { type GherkinDocument, IdGenerator, type Pickle, type Rule } from '@cucumber/messages'
import { type Node, parse as parseTags } from '@cucumber/tag-expressions'
import { InputError } from '../input-error.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import type { Catalogue } from './catalogue.ts'

/** One requirement as a feature tells it. A selection is a list of these with fewer examples. */
export interface FeatureRule {
  /** Path from the package's root with forward slashes: `features/outbound/forced-tls.feature`. */
  uri: string
  line: number
  name: string
  /** Free text under the name, without its indentation; empty where there is none. */
  description: string
  requirement: string
  /** As what the gateway is judged. */
  role: 'sender' | 'receiver'
  /** At least one, in the order of the file. */
  examples: readonly FeatureExample[]
}

/** What Cucumber runs as one test case: an example, or one row of an outline's table. */
export interface FeatureExample {
  /** Of the `Example:` line, or of the row; what follows the colon in Cucumber's `uri:line`. */
  line: number
  /** With the values of the row filled in. */
  name: string
  /** All that hold here, those of feature and Rule included, without their `@`. */
  tags: ReadonlySet<string>
  /** The example in which everything is well. */
  control: boolean
  /** Texts of its steps, those of the Background included, with the values of the row filled in. */
  steps: readonly string[]
}

/** A part of the suite, for example `--shard 2/3`; both counted from 1. */
export interface Shard {
  index: number
  of: number
}

/** What to run. Everything that is given must hold; nothing given means all. */
export interface Wanted {
  /** Ids of the catalogue. They are taken whatever `profiles` says. */
  requirements?: readonly string[]
  profiles?: readonly string[]
  /** A Cucumber tag expression over the examples: `@sender and not @exclusive`. */
  tags?: string
  shard?: Shard
}

/** Reads all of `features/` below `root`. Throws as `indexFeatures` does. */
export function loadFeatures(catalogue: Catalogue, root = PACKAGE_ROOT): FeatureRule[] {
  const uris = globSync('features/**/*.feature', { cwd: root }).map(uri => uri.replaceAll('\\', '/'))
  return indexFeatures(
    uris.sort().map(uri => ({ uri, text: readFileSync(join(root, uri), 'utf8') })),
    catalogue,
  )
}

/**
 * All Rules in the order given. Throws InputError, one `uri:line: …` per line, for what could never be selected: text
 * that is not Gherkin, an example outside of a Rule, a Rule without example or without exactly one tag that is an id of
 * the catalogue.
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

/** A feature file as parsed by Cucumber's own parser, with its test cases. Throws InputError. */
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
    // Messages of the parser begin with `(line:column): `.
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

/** The line of a test case, as in FeatureExample; undefined where it is none of the rule's. */
export function lineIn({ children }: Rule, { astNodeIds }: Pickle): number | undefined {
  // The scenario, followed by the row if it is an outline.
  const id = astNodeIds.at(-1)
  for (const { scenario } of children) {
    const rows = scenario?.examples.flatMap(({ tableBody }) => tableBody) ?? []
    const node = scenario?.id === id ? scenario : rows.find(row => row.id === id)
    if (node) return node.location.line
  }
  return undefined
}

/**
 * The Rules that are wanted, with their wanted examples, in the order given. The control of a Rule stays with any
 * example of it: without it a refusal would prove nothing. A shard takes whole Rules in turn, from what the rest of
 * `wanted` leaves over. Throws InputError for an unknown requirement or profile and for a bad tag expression.
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

/** Reads `I/N`, for example `2/3`. Throws InputError unless 1 ≤ I ≤ N. */
export function parseShard(text: string): Shard {
  const [, index, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []
  const shard = { index: Number(index), of: Number(of) }
  if (!(shard.index >= 1 && shard.index <= shard.of))
    throw new InputError(`--shard: ${JSON.stringify(text)} is not a part of a whole, such as 2/3`)
  return shard
}

/** `features/outbound/forced-tls.feature:14` */
export const placeOf = ({ uri, line }: Pick<FeatureRule, 'uri' | 'line'>): string => `${uri}:${line}`

/** What Cucumber takes as paths: `features/outbound/forced-tls.feature:14`, one for each example. */
export function locations(selection: readonly FeatureRule[]): string[] {
  return selection.flatMap(({ uri, examples }) => examples.map(({ line }) => placeOf({ uri, line })))
}

/**
 * The selection on at most `count` lanes that take about equally long. A Rule stays whole, because its control decides
 * about its other examples: the one with the most examples goes first, always onto the lane with the least so far. No
 * lane is empty, and each has its Rules in the order of the selection.
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
