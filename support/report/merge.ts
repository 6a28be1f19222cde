import type { Catalogue } from '../catalogue/catalogue.ts'
import { InputError } from '../input-error.ts'
import { mergedSummary } from '../verdicts/circumstances.ts'
import { applicableDeviations } from '../verdicts/deviations.ts'
import { rejudged } from '../verdicts/rejudged.ts'
import { type Deviation, totals } from '../verdicts/verdict.ts'
import type { WrittenReport } from './read.ts'
import { examplesIn, type RunRecord } from './run-record.ts'

/** How to judge what is merged, where not as its parts were judged. */
export interface Otherwise {
  strict?: boolean
  /** The requirements of these profiles alone. */
  profiles?: readonly string[]
  deviations?: readonly Deviation[]
}

const NAMES = { profiles: 'other profiles', suite: 'another version of the suite' } as const

/**
 * Parts of one run, made by shards or on several machines, as one record: partial if one of them is, or if one is
 * missing. Throws InputError when parts do not fit together.
 */
export function mergedRecord(reports: readonly WrittenReport[], command: string): RunRecord {
  const [first, ...others] = reports.map(({ record }) => record)
  if (!first) throw new InputError('nothing to merge')
  for (const [index, { gateway }] of others.entries())
    if (gateway.version !== first.gateway.version)
      throw new InputError(
        `${reports[index + 1]!.dir}: ${gateway.name} ${gateway.version} cannot be merged with ${first.gateway.version}`,
      )
  for (const { dir, record } of reports.slice(1))
    for (const key of ['profiles', 'suite'] as const)
      if (record.shard && JSON.stringify(record[key]) !== JSON.stringify(first[key]))
        throw new InputError(`${dir}: was judged with ${NAMES[key]} than ${reports[0]!.dir}`)
  const missing = missingOf(reports)
  const seen = new Map<string, string>()
  for (const { dir, record } of reports)
    for (const { scenario, verdict, title } of record.verdicts) {
      const key = verdict === 'stale' ? `${scenario} ${title} stale` : scenario
      const before = seen.get(key)
      if (before)
        throw new InputError(
          `${dir}: ${scenario} is in ${before} already, but shards of one run do not overlap`,
        )
      seen.set(key, dir)
    }
  const records = [first, ...others]
  const verdicts = records.flatMap(record => record.verdicts)
  const began = records.map(({ startedAt }) => startedAt).sort()
  const { shard: _part, planned: _planned, circumstances: _tried, since: _since, ...whole } = first
  const accepted = records.find(record => record.accepted)?.accepted
  const circumstances = mergedSummary(records.flatMap(({ circumstances = [] }) => circumstances))
  return {
    ...whole,
    ...plannedIn(records),
    ...(missing ? { partial: true, missing } : {}),
    strict: records.some(({ strict }) => strict),
    profiles: [...new Set(records.flatMap(({ profiles }) => profiles))],
    startedAt: began[0]!,
    durationMs: Math.max(...records.map(({ durationMs }) => durationMs)),
    ...(circumstances ? { circumstances } : {}),
    ...(accepted ? { accepted } : {}),
    totals: totals(verdicts),
    verdicts,
    command,
  }
}

/** A record judged otherwise. Throws InputError where no requirement of the profiles was judged. */
export function judgedOtherwise(
  record: RunRecord,
  { strict, profiles, deviations }: Otherwise,
  catalogue: Catalogue,
  { whole }: { whole: boolean },
): RunRecord {
  const wanted = profiles && new Set(profiles.flatMap(name => catalogue.inProfile(name)).map(({ id }) => id))
  const selected = record.verdicts.filter(({ requirement }) => wanted?.has(requirement) ?? true)
  if (selected.length === 0)
    throw new InputError(`no requirement of ${profiles?.join(', ')} was judged for ${record.gateway.name}`)
  const verdicts = deviations
    ? rejudged(selected, applicableDeviations(deviations, record.gateway), { whole })
    : selected
  return {
    ...record,
    strict: strict === true || record.strict,
    ...(profiles ? { profiles: [...profiles] } : {}),
    totals: totals(verdicts),
    verdicts,
  }
}

/** A whole part judged as many examples as it was to judge. */
function plannedIn(records: readonly RunRecord[]): Pick<RunRecord, 'partial' | 'planned'> {
  if (!records.some(({ partial }) => partial)) return { partial: false }
  const counts = records.map(({ partial, planned, verdicts }) => (partial ? planned : examplesIn(verdicts)))
  return counts.includes(undefined)
    ? { partial: true }
    : { partial: true, planned: counts.reduce((sum: number, count) => sum + (count ?? 0), 0) }
}

/** The shards of a run that are not there. A report of a run without shards is complete. */
function missingOf(reports: readonly WrittenReport[]): RunRecord['missing'] {
  const [one, ...more] = reports
  const lacking = more.length === 0 ? undefined : reports.find(({ record }) => record.missing)
  if (lacking) throw new InputError(`${lacking.dir}: is merged already; name the shards that it is made of`)
  const parts = reports.flatMap(({ dir, record: { shard, gateway } }) =>
    shard ? [{ dir, ...shard, name: gateway.name }] : [],
  )
  const [first] = parts
  if (!first) return one?.record.missing
  const { count, name } = first
  const places = new Map<number, string>()
  for (const part of parts) {
    if (part.count !== count)
      throw new InputError(
        `${part.dir}: part ${part.index} of ${part.count} of ${name}, but ${first.dir} is one of ${count}`,
      )
    const before = places.get(part.index)
    if (before !== undefined)
      throw new InputError(`${part.dir}: part ${part.index} of ${count} of ${name} is in ${before} already`)
    places.set(part.index, part.dir)
  }
  const shards = Array.from({ length: count }, (_, at) => at + 1).filter(index => !places.has(index))
  return shards.length > 0 ? { shards, count } : undefined
}
