import { InputError } from '../input-error.ts'
import { totals } from '../verdicts/verdict.ts'
import type { WrittenReport } from './read.ts'
import type { RunRecord } from './run-record.ts'

/** Parts of one run, made by shards or on several machines, as one record. Throws InputError when they do not fit. */
export function mergedRecord(reports: readonly WrittenReport[], command: string): RunRecord {
  const [first, ...others] = reports.map(({ record }) => record)
  if (!first) throw new InputError('nothing to merge')
  for (const [index, { gateway }] of others.entries())
    if (gateway.version !== first.gateway.version)
      throw new InputError(
        `${reports[index + 1]!.dir}: ${gateway.name} ${gateway.version} cannot be merged with ${first.gateway.version}`,
      )
  const seen = new Map<string, string>()
  for (const { dir, record } of reports)
    for (const { scenario, verdict, title } of record.verdicts) {
      const key = verdict === 'stale' ? `${scenario} ${title} stale` : scenario
      const before = seen.get(key)
      if (before)
        throw new InputError(`${dir}: ${scenario} is in ${before} already; shards of one run do not overlap`)
      seen.set(key, dir)
    }
  const records = [first, ...others]
  const verdicts = records.flatMap(record => record.verdicts)
  const began = records.map(({ startedAt }) => startedAt).sort()
  return {
    ...first,
    profiles: [...new Set(records.flatMap(({ profiles }) => profiles))],
    startedAt: began[0]!,
    durationMs: Math.max(...records.map(({ durationMs }) => durationMs)),
    totals: totals(verdicts),
    verdicts,
    command,
  }
}
