import type { RecordedVerdict } from '../verdicts/record.ts'
import type { Verdict, VerdictName } from '../verdicts/verdict.ts'

/** verdicts.json, key by key (design contract, section 6). */
export interface VerdictsDocument {
  schema: 1
  suite: { name: string; version: string; commit: string }
  gateway: { name: string; version: string; library: string; kind: 'container' | 'embedded' | 'external' }
  profiles: string[]
  /** Absent: the run was no part of another. Both are counted from 1. */
  shard?: { index: number; count: number }
  /** RFC 3339. */
  startedAt: string
  durationMs: number
  /** Over verdicts, one per example; not over requirements. */
  totals: Record<VerdictName, number>
  verdicts: Verdict[]
}

/** One run with everything that a report shows of it. JSON only. */
export interface RunRecord extends Omit<VerdictsDocument, 'verdicts'> {
  verdicts: RecordedVerdict[]
  /** The command line that repeats the run. */
  command: string
  /** Whether declined and inconclusive verdicts fail the run. */
  strict?: boolean
}

/** What verdicts.json says of a run; `folders` has the evidence folder of each verdict that has one. */
export function verdictsDocument(
  record: RunRecord,
  folders: ReadonlyMap<RecordedVerdict, string>,
): VerdictsDocument {
  const { suite, gateway } = record
  return {
    schema: 1,
    suite: { name: suite.name, version: suite.version, commit: suite.commit },
    gateway: {
      name: gateway.name,
      version: gateway.version,
      library: gateway.library,
      kind: gateway.kind,
    },
    profiles: record.profiles,
    ...(record.shard ? { shard: { index: record.shard.index, count: record.shard.count } } : {}),
    startedAt: record.startedAt,
    durationMs: record.durationMs,
    totals: record.totals,
    verdicts: record.verdicts.map(judged => {
      const { requirement, level, actor, scenario, title, control, verdict, detail, durationMs } = judged
      const folder = folders.get(judged)
      return {
        ...{ requirement, level, actor, scenario, title, control, verdict, detail },
        ...(folder ? { evidence: folder } : {}),
        durationMs,
      }
    }),
  }
}
