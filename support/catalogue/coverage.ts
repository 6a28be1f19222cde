import { join } from 'node:path'
import { readYaml, schemaOf } from '../yaml-file.ts'
import { type Catalogue, loadCatalogue } from './catalogue.ts'
import schemaJson from './coverage.schema.json' with { type: 'json' }
import type { FeatureRule } from './features.ts'

/** Why no feature tests a requirement. */
export type Gap =
  /** What the suite has to learn first. */
  | { later: string }
  /** Why only the real service could show it. */
  | { impossible: string }

/** What is tested and what is not; all ids, in the order of the catalogue. */
export interface Coverage {
  /** Tested by a Rule. */
  covered: string[]
  /** Not tested, and nobody said why. */
  unexplained: string[]
  /** Tested, although a reason says why not. */
  contradicted: string[]
}

const COVERAGE_FILE = join(import.meta.dirname, 'coverage.yaml')
const schema = schemaOf<Record<string, Gap>>(schemaJson)

/**
 * Reads why requirements are not tested, by id. Throws InputError that names file, line, column and key when the file
 * does not fit its schema or names a requirement that is not in the catalogue.
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

/** Compares the features with the reasons; in good order both lists of complaints are empty. */
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
