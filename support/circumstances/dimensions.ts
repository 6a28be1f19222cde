import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type Catalogue, loadCatalogue } from '../catalogue/catalogue.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import { readYaml, schemaOf } from '../yaml-file.ts'
import schemaJson from './circumstances.schema.json' with { type: 'json' }

/** What a value of a dimension changes, as patches of the manners of client, partner and message, and of what was before. */
export interface Patch {
  client?: object
  partner?: object
  message?: object
  before?: object
}

/** One way in which something may vary without mattering; `features/circumstances.yaml`. */
export interface Circumstance {
  /** In words, such as `the client transfers the message: BDAT in one chunk`. */
  name: string
  dimension: string
  value: string
  /** The text that makes it lawful. */
  source: string
  /** Keyword of EHLO that the gateway must offer for it. */
  needs?: string
  /** No gateway refuses a client or a message because of it. */
  mustBeTaken?: true
  sets: Patch
  /** Requirements to which it matters. */
  mattersTo: readonly string[]
}

/** What may vary, with the values beside the plain one. */
export interface Dimension {
  name: string
  /** As what the gateway is judged. */
  role: 'receiver' | 'sender'
  /** How it is where an example runs as it is written. */
  plain: string
  values: readonly Circumstance[]
}

/** Circumstances that hold together, at most one for each dimension. Empty: plain. */
export type Combination = readonly Circumstance[]

interface Entry {
  dimension: string
  role: 'receiver' | 'sender'
  plain: string
  mattersTo?: string[]
  values: (Pick<Circumstance, 'value' | 'source' | 'needs' | 'mustBeTaken' | 'sets'> & {
    mattersTo?: string[]
  })[]
}

const FILE = join(PACKAGE_ROOT, 'features/circumstances.yaml')
const schema = schemaOf<Entry[]>(schemaJson)

/**
 * All dimensions, in the order of the file. Throws InputError that names file, line, column and key for a file that does
 * not fit its schema, a dimension or value that is there twice, and a requirement that is not in the catalogue.
 */
export function loadDimensions(file = FILE, catalogue: Catalogue = loadCatalogue()): Dimension[] {
  const { value: entries, problem } = readYaml(file, schema)
  const names = new Set<string>()
  return entries.map(({ dimension, role, plain, mattersTo = [], values }, at) => {
    if (names.has(dimension)) throw problem([at, 'dimension'], `${dimension} is there twice`)
    names.add(dimension)
    for (const [place, id] of mattersTo.entries())
      if (!catalogue.has(id)) throw problem([at, 'mattersTo', place], `${id} is no requirement`)
    const known = new Set<string>()
    return {
      name: dimension,
      role,
      plain,
      values: values.map((one, place) => {
        if (known.has(one.value)) throw problem([at, 'values', place, 'value'], `${one.value} is there twice`)
        known.add(one.value)
        return {
          name: `${dimension}: ${one.value}`,
          dimension,
          value: one.value,
          source: one.source,
          ...(one.needs === undefined ? {} : { needs: one.needs }),
          ...(one.mustBeTaken ? { mustBeTaken: true } : {}),
          sets: one.sets,
          mattersTo: [...mattersTo, ...(one.mattersTo ?? [])],
        }
      }),
    }
  })
}

/** The patches of a combination as one; those of later circumstances win, where two set the same. */
export function patchOf(combination: Combination): Required<Patch> {
  const all: Required<Patch> = { client: {}, partner: {}, message: {}, before: {} }
  for (const { sets } of combination)
    for (const part of ['client', 'partner', 'message', 'before'] as const)
      Object.assign(all[part], sets[part])
  return all
}

/** Whether all that a patch sets is set so. */
export const isPartOf = (patch: Patch, all: Required<Patch>): boolean =>
  (['client', 'partner', 'message', 'before'] as const).every(part =>
    Object.entries(patch[part] ?? {}).every(([key, value]) =>
      isDeepStrictEqual(value, (all[part] as Record<string, unknown>)[key]),
    ),
  )
