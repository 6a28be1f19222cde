import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import semver from 'semver'
import { stringify } from 'yaml'
import { type Catalogue, loadCatalogue } from '../catalogue/catalogue.ts'
import { InputError } from '../input-error.ts'
import { modeline, readYaml, schemaOf } from '../yaml-file.ts'
import schemaJson from './deviations.schema.json' with { type: 'json' }
import { type Deviation, ONLY_WHEN, shows, type Verdict, type VerdictName } from './verdict.ts'

const SCHEMA = join(import.meta.dirname, 'deviations.schema.json')
const schema = schemaOf<Deviation[]>(schemaJson)

/**
 * Reads a deviations file. Throws InputError that names file, line, column and key when the file does not fit its
 * schema, a requirement is not in the catalogue, a range of versions is not valid, or an entry is there twice.
 */
export function loadDeviations(file: string, catalogue: Catalogue = loadCatalogue()): Deviation[] {
  const { value, problem } = readYaml(file, schema)
  const seen = new Set<string>()
  for (const [index, { requirement, symptom, versions, gateway }] of value.entries()) {
    try {
      catalogue.get(requirement)
    } catch (error) {
      throw problem([index, 'requirement'], (error as Error).message)
    }
    if (versions !== undefined && semver.validRange(versions) === null)
      throw problem(
        [index, 'versions'],
        `${JSON.stringify(versions)} is not a range of versions, such as >=3.5 <4`,
      )
    const key = JSON.stringify([requirement, symptom.toLowerCase(), versions, gateway])
    if (seen.has(key)) throw problem([index], 'is the same as an entry before')
    seen.add(key)
  }
  return value
}

/**
 * The entries that apply to a gateway and its version. Products have their own ways to number versions: the first three
 * numbers count (`8.17.1.9` is 8.17.1, `4.99` is 4.99.0). Only entries without a range apply to a version without
 * numbers. `standIn`: the name of the gateway where it stands in for the service.
 */
export function applicableDeviations(
  deviations: readonly Deviation[],
  { name, version, standIn }: { name: string; version: string; standIn?: string },
): Deviation[] {
  const comparable = semver.coerce(version)
  return deviations.filter(
    ({ versions, gateway = name }) =>
      (gateway === name || gateway === standIn) &&
      (versions === undefined || (comparable !== null && semver.satisfies(comparable, versions))),
  )
}

/** The entry that excuses what was seen: it is about the same requirement, and its symptom shows. */
export function recordedDeviation(
  applicable: readonly Deviation[],
  seen: { requirement: string; detail: string; symptom?: string },
): Deviation | undefined {
  return applicable.find(entry => entry.requirement === seen.requirement && shows(seen, entry))
}

const UNDECIDED: ReadonlySet<VerdictName> = new Set(['inconclusive', 'lab-error'])
const DECIDED: ReadonlySet<VerdictName> = new Set(['conformant', 'non-conformant', 'deviates', 'declined'])

/**
 * The entries whose symptom did not show although the run could have shown it: at least one example of the requirement
 * was decided, and no example was left undecided, because it might have shown the symptom. `applicable` are the entries
 * for the gateway's version. This is not for a run of selected tags or of a shard: other examples may show the symptom. An
 * entry about circumstances is never stale, because runs try other combinations of them, or none.
 */
export function staleDeviations(applicable: readonly Deviation[], verdicts: readonly Verdict[]): Deviation[] {
  const byRequirement = Map.groupBy(verdicts, ({ requirement }) => requirement)
  return applicable.filter(entry => {
    if (entry.symptom.includes(ONLY_WHEN.trim())) return false
    const judged = byRequirement.get(entry.requirement) ?? []
    if (!judged.some(({ verdict }) => DECIDED.has(verdict))) return false
    if (judged.some(({ verdict }) => UNDECIDED.has(verdict))) return false
    return !judged.some(one => one.verdict === 'deviates' && shows(one, entry))
  })
}

/**
 * One failing verdict for each stale entry (see `staleDeviations`). Its level, actor and scenario are those of the first
 * verdict on the requirement of the entry. Throws when there is no such verdict.
 */
export function staleVerdicts(stale: readonly Deviation[], verdicts: readonly Verdict[]): Verdict[] {
  return stale.map(deviation => {
    const { requirement, symptom, since } = deviation
    const first = verdicts.find(verdict => verdict.requirement === requirement)
    if (!first) throw new Error(`${requirement} was not judged, so its recorded deviation cannot be stale`)
    const { level, actor, scenario } = first
    return {
      requirement,
      level,
      actor,
      scenario,
      title: 'a recorded deviation no longer shows',
      control: false,
      verdict: 'stale',
      detail: `this symptom was recorded on ${since} and no longer shows: ${symptom}`,
      deviation,
      durationMs: 0,
    }
  })
}

/**
 * A deviations file with which the next run passes: the entries of `recorded` as they are, without those
 * that are `stale`, and an entry for each requirement and symptom that was non-conformant. With `strict` there are also entries for
 * what was declined, which fails such a run. The file is valid, but the reasons of the new entries have to be written
 * by somebody who knows them. `today` is `2026-11-21`. The new entries are for releases of the gateway's major and
 * minor number.
 */
export function proposeDeviations(
  verdicts: readonly Verdict[],
  gateway: { name: string; version: string },
  {
    recorded = [],
    stale = [],
    today = new Date().toISOString().slice(0, 10),
    strict = false,
  }: {
    recorded?: readonly Deviation[]
    stale?: readonly Deviation[]
    today?: string
    strict?: boolean
  } = {},
): string {
  const version = semver.coerce(gateway.version)
  const failed = verdicts.filter(
    ({ verdict }) => verdict === 'non-conformant' || (strict && verdict === 'declined'),
  )
  const proposed = new Map<string, Deviation>()
  for (const { requirement, detail, symptom = detail } of failed)
    proposed.set(JSON.stringify([requirement, symptom.toLowerCase()]), {
      requirement,
      symptom,
      ...(version ? { versions: `${version.major}.${version.minor}.x` } : {}),
      why: `Proposed by a run on ${today}. Write here why the gateway does this.`,
      since: today,
    })
  const title = `${gateway.name} ${gateway.version}`.replace(/[^\x20-\x7e]/g, '?')
  const entries = [...recorded.filter(entry => !stale.includes(entry)), ...proposed.values()]
  return `# Known deviations of ${title}\n${stringify(entries, { lineWidth: 110 })}`
}

/** Writes a proposed file, with the line by which editors find its schema. Throws InputError when `file` is there already (it is never overwritten) or cannot be made. */
export function writeDeviations(file: string, text: string): void {
  try {
    writeFileSync(file, `${modeline(file, SCHEMA)}${text}`, { flag: 'wx' })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new InputError(
      `${file}: ${code === 'EEXIST' ? 'this exists already and is not overwritten' : message}`,
    )
  }
}
