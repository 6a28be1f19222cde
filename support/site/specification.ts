import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Background, Scenario, Step, TableRow } from '@cucumber/messages'
import { type FeatureRule, readFeature } from '../catalogue/features.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import { pageOf, slugOf } from './markdown.ts'

/** A feature file, as people read it. */
export interface SpecifiedFeature {
  uri: string
  page: string
  name: string
  description: string
  steps: SpecifiedStep[]
  rules: SpecifiedRule[]
}

/** A Rule with the text of its examples; `steps` are those of its Background. */
export interface SpecifiedRule extends Omit<FeatureRule, 'examples'> {
  /** Where the site has it in its feature. */
  page: string
  slug: string
  steps: SpecifiedStep[]
  examples: SpecifiedExample[]
}

export interface SpecifiedExample {
  name: string
  control: boolean
  steps: SpecifiedStep[]
  /** Of an outline: the values with which it runs, one example a row. The first row has their names. */
  runs: { name: string; rows: string[][] }[]
}

export interface SpecifiedStep {
  keyword: string
  text: string
  rows: string[][]
}

/** The features of the given Rules, with their text. */
export function specification(rules: readonly FeatureRule[]): SpecifiedFeature[] {
  return [...Map.groupBy(rules, ({ uri }) => uri)].map(([uri, own]) => {
    const { feature } = readFeature(uri, readFileSync(join(PACKAGE_ROOT, uri), 'utf8')).document
    const { name, description, children } = feature!
    const page = pageOf(uri)
    const taken = new Map<string, number>()
    return {
      ...{ uri, page, name, description: description.trim() },
      steps: stepsOf(children.find(({ background }) => background)?.background),
      rules: own.map(rule => {
        const found = children.find(child => child.rule?.location.line === rule.line)!.rule!
        const slug = slugOf(rule.name, taken)
        return {
          ...{ ...rule, slug, page: `${page}#${slug}` },
          steps: stepsOf(found.children.find(({ background }) => background)?.background),
          examples: found.children.flatMap(({ scenario }) => (scenario ? exampleOf(scenario) : [])),
        }
      }),
    }
  })
}

function exampleOf(scenario: Scenario): SpecifiedExample {
  return {
    name: scenario.name,
    control: scenario.tags.some(({ name }) => name === '@control'),
    steps: stepsOf(scenario),
    runs: scenario.examples.map(({ name, tableHeader, tableBody }) => ({
      name,
      rows: rowsOf(tableHeader ? [tableHeader, ...tableBody] : tableBody),
    })),
  }
}

const stepsOf = (owner: Background | Scenario | undefined): SpecifiedStep[] =>
  (owner?.steps ?? []).map(({ keyword, text, dataTable }: Step) => ({
    keyword: keyword.trim(),
    text,
    rows: rowsOf(dataTable?.rows ?? []),
  }))

const rowsOf = (rows: readonly TableRow[]): string[][] =>
  rows.map(({ cells }) => cells.map(({ value }) => value))
