import { join } from 'node:path'
import { readYaml, schemaOf } from '../yaml-file.ts'
import { type Catalogue, loadCatalogue } from './catalogue.ts'
import schemaJson from './coverage.schema.json' with { type: 'json' }
import type { FeatureRule } from './features.ts'

/** The reason why no feature tests a requirement. */
export type Gap =
  /** What the suite needs first. */
  | { later: string }
  /** Why only the real service can show this. */
  | { impossible: string }

/** Which requirements are tested. All lists have ids in the order of the catalogue. */
export interface Coverage {
  /** A Rule tests the requirement. */
  covered: string[]
  /** No Rule tests the requirement, and there is no reason. */
  unexplained: string[]
  /** A Rule tests the requirement, although there is a reason why no feature tests it. */
  contradicted: string[]
}

const COVERAGE_FILE = join(import.meta.dirname, 'coverage.yaml')
const schema = schemaOf<Record<string, Gap>>(schemaJson)

/**
 * Reads the reasons why requirements are not tested, by id. Throws InputError with file, line, column and key if the file
 * does not fit its schema or has a requirement that is not in the catalogue.
 */
export function loadGaps(
  file = COVERAGE_FILE,
  catalogue: Catalogue = loadCatalogue(),
): ReadonlyMap<string, Gap> {
  const { value, problem } = readYaml(file, schema)
  for (const id of Object.keys(value)) {
    try {
      catalogue.get(id)
    } catch (error) {
      throw problem([id], (error as Error).message, 'key')
    }
  }
  return new Map(Object.entries(value))
}

/** Compares the features with the reasons. Every requirement should have a Rule or a reason, and not both. */
export function coverageOf(
  catalogue: Catalogue,
  rules: readonly FeatureRule[],
  gaps: ReadonlyMap<string, Gap>,
): Coverage {
  const tested = new Set(rules.map(({ requirement }) => requirement))
  const ids = catalogue.requirements.map(({ id }) => id)
  return {
    covered: ids.filter(id => tested.has(id)),
    unexplained: ids.filter(id => !tested.has(id) && !gaps.has(id)),
    contradicted: ids.filter(id => tested.has(id) && gaps.has(id)),
  }
}
