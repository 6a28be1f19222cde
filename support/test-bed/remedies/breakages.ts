import { globSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Remedies, Setting } from '../../catalogue/remedies.ts'
import { PACKAGE_ROOT } from '../../package-root.ts'
import { readYaml, schemaOf } from '../../yaml-file.ts'
import schemaJson from './breakages.schema.json' with { type: 'json' }
import type { Edit, Part } from './edits.ts'

interface Mending {
  place: string
  by: string[]
  only?: string
  for?: Record<string, string>
}

interface BreakagesFile {
  places: Record<string, Part>
  breakages: { what: string; broken: Record<string, string[]>; mended: Mending[] }[]
  untried?: Record<string, string>
}

/** Lines that make a product break requirements, and those of its remedies that mend it. */
export interface Breakage {
  what: string
  /** That it breaks. */
  requirements: string[]
  /** Of those, one for each of the remedies. */
  oneForEach: string[]
  broken: Edit[]
  /** For the broken files. */
  mended: Edit[]
}

export interface Breakages {
  product: string
  breakages: Breakage[]
  /** Remedies that no breakage tries and that the file gives no reason for, each as the ids of its requirements. */
  forgotten: string[]
}

const schema = schemaOf<BreakagesFile>(schemaJson)

/**
 * Reads `containers/*\/breakages.yaml` of a folder, in the order of the products. Throws InputError with file, line, column
 * and key if a file does not fit its schema, names no place of its own, or names a requirement without a remedy.
 */
export function readBreakages(remedies: Remedies, root = PACKAGE_ROOT): Breakages[] {
  return globSync('containers/*/breakages.yaml', { cwd: root })
    .sort()
    .map(path => readProduct(join(root, path), remedies))
}

function readProduct(path: string, remedies: Remedies): Breakages {
  const { value, problem } = readYaml(path, schema)
  const product = basename(dirname(path))
  const settingsOf = (id: string): Setting[] =>
    (remedies.get(id)?.settings ?? []).filter(setting => setting.product === product)
  const partOf = (place: string, at: (string | number)[]): Part => {
    const part = value.places[place]
    if (!part) throw problem(at, `there is no place ${place}`)
    return part
  }
  const mustHaveRemedy = (id: string, at: (string | number)[], what?: 'key') => {
    if (settingsOf(id).length === 0) throw problem(at, `${product} has no remedy for ${id}`, what)
  }

  const remedyOf = (id: string) =>
    settingsOf(id)
      .map(({ set }) => set.join('\n'))
      .join('\n')
  const byRemedy = (ids: string[]): string[] => [...Map.groupBy(ids, remedyOf).values()].map(([id]) => id!)

  const tried = new Set<string>()
  const breakages = value.breakages.map(({ what, broken, mended }, at): Breakage => {
    const edits = mended.map(({ place, by, only = '', for: instead = {} }, index): Edit => {
      const here = ['breakages', at, 'mended', index]
      const part = partOf(place, [...here, 'place'])
      for (const [position, id] of by.entries()) {
        mustHaveRemedy(id, [...here, 'by', position])
        tried.add(id)
      }
      const lines = by.flatMap(id => settingsOf(id).flatMap(({ set }) => set))
      const fitting = lines.filter(line => new RegExp(only).test(line))
      return { part, lines: [...new Set(fitting)].map(line => replaced(line, instead)) }
    })
    return {
      what,
      requirements: [...new Set(mended.flatMap(({ by }) => by))],
      oneForEach: [...new Set(byRemedy(mended.flatMap(({ by }) => by)))],
      broken: Object.entries(broken).map(([place, lines]) => ({
        part: partOf(place, ['breakages', at, 'broken', place]),
        lines,
      })),
      mended: edits,
    }
  })

  const untried = Object.keys(value.untried ?? {})
  for (const id of untried) {
    mustHaveRemedy(id, ['untried', id], 'key')
    if (tried.has(id)) throw problem(['untried', id], `a breakage tries ${id}`, 'key')
  }
  const known = new Set([...tried, ...untried])
  const entries = Map.groupBy(
    [...remedies].flatMap(([id, { settings }]) =>
      settings.filter(one => one.product === product).map(({ set }) => ({ id, lines: set.join('\n') })),
    ),
    ({ lines }) => lines,
  )
  const forgotten = [...entries.values()]
    .map(entry => entry.map(({ id }) => id))
    .filter(ids => !ids.some(id => known.has(id)))
    .map(ids => ids.join(', '))
  return { product, breakages, forgotten }
}

/** The longest first, because one may be a part of another. */
function replaced(line: string, instead: Record<string, string>): string {
  const sorted = Object.entries(instead).sort(([one], [other]) => other.length - one.length)
  return sorted.reduce((text, [example, own]) => text.replaceAll(example, own), line)
}
