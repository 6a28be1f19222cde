import pc from 'picocolors'
import type { Catalogue, Requirement } from '../catalogue/catalogue.ts'
import type { Gap } from '../catalogue/coverage.ts'
import type { FeatureRule } from '../catalogue/features.ts'
import { linesOf, loadRemedies } from '../catalogue/remedies.ts'
import type { Dimension } from '../circumstances/dimensions.ts'
import { rangeOf } from '../circumstances/range.ts'
import { jsonText } from '../json-text.ts'
import { COLUMNS, wrapped } from './columns.ts'
import type { Paint } from './terminal.ts'

/** The catalogue, the Rules that test it, what must not matter, and the reasons why the suite does not test the rest. */
export interface Knowledge {
  catalogue: Catalogue
  rules: readonly FeatureRule[]
  dimensions: readonly Dimension[]
  gaps: ReadonlyMap<string, Gap>
}

/** Whether a feature tests a requirement; `never`: only the real service could show it. */
type Tested = 'yes' | 'later' | 'never'

const LEGEND = [
  'later: the suite does not test this requirement yet.',
  'never: no lab can show this, only the real service.',
  '`mail-tls requirements ID` explains one requirement.',
].join('\n')

/**
 * All requirements, or those of a profile, as lines of at most 80 columns that end in a newline. Throws InputError for
 * an unknown profile.
 */
export function requirementsList(
  knowledge: Knowledge,
  { profile, colour }: { profile?: string | undefined; colour: boolean },
): string {
  const paint = pc.createColors(colour)
  const chosen = chosenBy(knowledge.catalogue, profile)
  const widths = [Math.max(...chosen.map(({ id }) => id.length)), 'observed'.length, 'tested'.length]
  const row = (cells: string[], text: string, decorate: (cells: string[]) => string[]) => {
    const padded = cells.map((cell, index) => cell.padEnd(widths[index]!))
    const indent = padded.join('  ').length + 2
    return `${decorate(padded).join('  ')}  ${wrapped(text, COLUMNS, indent)}`
  }
  const marks = { yes: paint.green, later: paint.yellow, never: paint.dim }
  const rows = chosen.map(requirement => {
    const tested = isTested(requirement, knowledge)
    return row([requirement.id, requirement.level, tested], requirement.statement, ([id, level, mark]) => [
      paint.bold(id!),
      level!,
      marks[tested](mark!),
    ])
  })
  const header = row(['ID', 'LEVEL', 'TESTED'], 'STATEMENT', cells => cells.map(paint.dim))
  return `${[header, ...rows, '', summary(chosen, knowledge), LEGEND].join('\n')}\n`
}

/** Everything about one requirement. Throws InputError for an unknown id. */
export function requirementPage(knowledge: Knowledge, id: string, { colour }: { colour: boolean }): string {
  const paint = pc.createColors(colour)
  const entry = knowledge.catalogue.get(id)
  const label = 'Negative control'.length + 2
  const field = (name: string, ...texts: string[]) =>
    `${paint.dim(name.padEnd(label))}${texts.map(text => wrapped(text, COLUMNS, label)).join(`\n${' '.repeat(label)}`)}`
  const role = entry.actor === 'both' ? 'sender and receiver' : entry.actor
  return `${[
    `${paint.bold(entry.id)}  ${entry.level}, ${role}, ${entry.area}`,
    '',
    wrapped(entry.statement, COLUMNS),
    '',
    field('Given', entry.given),
    field('When', entry.when),
    field('Then', entry.then),
    field('Evidence', entry.evidence),
    field('Negative control', entry.negative_control),
    '',
    field('Sources', ...entry.source),
    field('', `(${entry.source_basis})`),
    field('Profiles', entry.profiles.join(', ')),
    '',
    ...whereTested(entry, knowledge).map(([name, ...texts]) => field(name, ...texts)),
    ...remedyOf(entry, label, field),
    ...(entry.untested ? [field('Not checked', ...entry.untested)] : []),
    ...circumstances(entry, knowledge, paint),
  ].join('\n')}\n`
}

/** What lets a gateway keep it, then the settings of each product. */
function remedyOf(
  { id }: Requirement,
  label: number,
  field: (name: string, ...texts: string[]) => string,
): string[] {
  const remedy = loadRemedies().get(id)
  if (!remedy) return []
  return [
    field('To do if broken', remedy.sentence),
    ...remedy.settings.flatMap(setting => [
      field(`  ${setting.product}`, ...linesOf(setting)),
      // An address that is broken over two lines leads nowhere.
      `${' '.repeat(setting.link.length + label > COLUMNS ? 2 : label)}${setting.link}`,
    ]),
  ]
}

const ROLES = { receiver: 'receives', sender: 'sends' } as const

/** What must not matter, with the text that makes each value lawful; nothing for a requirement whose Rules do not vary. */
function circumstances({ id }: Requirement, { rules, dimensions }: Knowledge, paint: Paint): string[] {
  const byRole = Map.groupBy(rangeOf(id, rules, dimensions), ({ role }) => role)
  return [...byRole].flatMap(([role, range]) => [
    '',
    paint.dim(`Must not matter when the gateway ${ROLES[role]} mail`),
    ...range.flatMap(({ name, plain, values }) => [
      `  ${wrapped(`${name}: ${plain}, or`, COLUMNS, 2)}`,
      ...values.map(
        ({ value, source, needs }) =>
          `    ${wrapped(`${value} ${paint.dim(`(${source}${needs ? `; if the gateway offers ${needs}` : ''})`)}`, COLUMNS, 6)}`,
      ),
    ]),
  ])
}

/**
 * The catalogue's own keys with `remedy` (`{ sentence, settings: [{ product, set, also, link }] }`) and `coverage` added, as one JSON document: an array, or one object for an id. `coverage`
 * is `{ rules: [{ uri, line, name, examples }] }`, `{ later }` or `{ impossible }`. The object has also `circumstances`,
 * what must not matter: `[{ role, dimension, plain, value, source, needs }]`. Throws as the two above.
 */
export function requirementsJson(
  knowledge: Knowledge,
  { id, profile }: { id?: string | undefined; profile?: string | undefined },
): string {
  const told = (requirement: Requirement) => ({
    ...requirement,
    ...remedyJson(requirement),
    coverage: coverageOf(requirement, knowledge),
  })
  const { catalogue, rules, dimensions } = knowledge
  const range = (id: string) =>
    rangeOf(id, rules, dimensions).flatMap(({ role, plain, values }) =>
      values.map(({ dimension, value, source, needs }) => ({ role, dimension, plain, value, source, needs })),
    )
  const value =
    id === undefined
      ? chosenBy(catalogue, profile).map(told)
      : { ...told(catalogue.get(id)), circumstances: range(id) }
  return jsonText(value)
}

function remedyJson({ id }: Requirement) {
  const remedy = loadRemedies().get(id)
  return remedy ? { remedy } : {}
}

function chosenBy(catalogue: Catalogue, profile: string | undefined): readonly Requirement[] {
  return profile === undefined ? catalogue.requirements : catalogue.inProfile(profile)
}

function rulesOf({ id }: Requirement, { rules }: Knowledge): FeatureRule[] {
  return rules.filter(({ requirement }) => requirement === id)
}

function isTested(requirement: Requirement, knowledge: Knowledge): Tested {
  if (rulesOf(requirement, knowledge).length > 0) return 'yes'
  const gap = knowledge.gaps.get(requirement.id)
  return gap && 'impossible' in gap ? 'never' : 'later'
}

function coverageOf(requirement: Requirement, knowledge: Knowledge) {
  const rules = rulesOf(requirement, knowledge)
  if (rules.length === 0) return knowledge.gaps.get(requirement.id) ?? { later: 'no reason is given' }
  return {
    rules: rules.map(({ uri, line, name, examples }) => ({ uri, line, name, examples: examples.length })),
  }
}

function whereTested(requirement: Requirement, knowledge: Knowledge): [name: string, ...texts: string[]][] {
  const coverage = coverageOf(requirement, knowledge)
  if ('later' in coverage) return [['Not tested yet', coverage.later]]
  if ('impossible' in coverage) return [['Never tested', coverage.impossible]]
  return coverage.rules.map(({ uri, line, name, examples }, index) => [
    index === 0 ? 'Tested in' : '',
    `${uri}:${line}`,
    `${name} (${examples} ${examples === 1 ? 'example' : 'examples'})`,
  ])
}

function summary(chosen: readonly Requirement[], knowledge: Knowledge): string {
  const count: Record<Tested, number> = { yes: 0, later: 0, never: 0 }
  for (const requirement of chosen) count[isTested(requirement, knowledge)]++
  return `${chosen.length} requirements: ${count.yes} tested, ${count.later} later, ${count.never} never.`
}
