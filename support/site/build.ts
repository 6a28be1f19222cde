/**
 * Builds the site into reports/site: `npm run docs`, with the matrix of the last `npm run matrix`, if there was one, or with
 * `-- --matrix FILE`.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { complain } from '../cli/complain.ts'
import { InputError } from '../input-error.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import schemaJson from '../report/matrix.schema.json' with { type: 'json' }
import type { Matrix } from '../report/matrix.ts'
import { readYaml, schemaOf } from '../yaml-file.ts'
import { buildSite } from './site.ts'

const INTO = join(PACKAGE_ROOT, 'reports/site')
const LAST_MATRIX = join(PACKAGE_ROOT, 'reports/matrix/matrix.json')

const { values } = parseArgs({ options: { matrix: { type: 'string' } } })
const file = values.matrix ?? (existsSync(LAST_MATRIX) ? LAST_MATRIX : undefined)
try {
  // JSON is YAML, too.
  const matrix = file === undefined ? undefined : readYaml(file, schemaOf<Matrix>(schemaJson)).value
  const pages = buildSite(INTO, matrix)
  const products = file === undefined ? 'without a matrix' : `with ${file}`
  process.stdout.write(`${pages} pages, ${products}: ${join(INTO, 'index.html')}\n`)
} catch (error) {
  if (!(error instanceof InputError)) throw error
  complain(error.message)
  process.exitCode = 2
}
