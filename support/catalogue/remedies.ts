import { globSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { PACKAGE_ROOT } from '../package-root.ts'
import { readYaml, schemaOf, type YamlFile } from '../yaml-file.ts'
import { type Catalogue, loadCatalogue } from './catalogue.ts'
import productSchemaJson from './product-remedies.schema.json' with { type: 'json' }
import schemaJson from './remedies.schema.json' with { type: 'json' }

/** Lines of one product's own files. */
export interface Setting {
  product: string
  set: string[]
  /** Where the lines belong, or what belongs to them, in a sentence. */
  also?: string
  /** The product's own documentation. */
  link: string
}

/** The lines, and in the last place what belongs to them, if anything. */
export const linesOf = ({ set, also }: Setting): string[] => [...set, ...(also === undefined ? [] : [also])]

/** What to do where a gateway breaks a requirement. */
export interface Remedy {
  /** One sentence for any gateway. */
  sentence: string
  /** Of each product whose configuration decides, in the order of their names. */
  settings: readonly Setting[]
}

/** By the id of the requirement. */
export type Remedies = ReadonlyMap<string, Remedy>

const schema = schemaOf<Record<string, string>>(schemaJson)
const productSchema = schemaOf<(Omit<Setting, 'product'> & { requirements: string[] })[]>(productSchemaJson)
let loaded: Remedies | undefined

/**
 * Reads `features/remedies.yaml` and `containers/*\/remedies.yaml` of a folder. Throws InputError with file, line, column
 * and key if a file does not fit its schema or names a requirement that is not in the catalogue or has no sentence.
 */
export function readRemedies(root: string, catalogue: Catalogue): Remedies {
  const general = readYaml(join(root, 'features/remedies.yaml'), schema)
  for (const id of Object.keys(general.value)) mustBeKnown(catalogue, id, general, [id])
  const settings = new Map<string, Setting[]>()
  for (const path of globSync('containers/*/remedies.yaml', { cwd: root }).sort()) {
    const file = readYaml(join(root, path), productSchema)
    const product = basename(dirname(path))
    for (const [at, { requirements, ...setting }] of file.value.entries())
      for (const [place, id] of requirements.entries()) {
        mustBeKnown(catalogue, id, file, [at, 'requirements', place])
        if (general.value[id] === undefined)
          throw file.problem([at, 'requirements', place], `${id} has no sentence in features/remedies.yaml`)
        settings.set(id, [...(settings.get(id) ?? []), { product, ...setting }])
      }
  }
  return new Map(
    Object.entries(general.value).map(([id, sentence]) => [
      id,
      { sentence, settings: settings.get(id) ?? [] },
    ]),
  )
}

function mustBeKnown(
  catalogue: Catalogue,
  id: string,
  { problem }: Pick<YamlFile<unknown>, 'problem'>,
  path: (string | number)[],
): void {
  if (!catalogue.has(id)) throw problem(path, `there is no requirement ${id}`)
}

/** The remedies of the package, which are read once. */
export function loadRemedies(): Remedies {
  loaded ??= readRemedies(PACKAGE_ROOT, loadCatalogue())
  return loaded
}

/** What a gateway's administrator has to set, where the gateway is a product that comes with the suite (`postfix@trixie`). */
export function settingsFor(remedy: Remedy, gateway: string): readonly Setting[] {
  const [product] = gateway.split('@')
  return remedy.settings.filter(setting => setting.product === product)
}
