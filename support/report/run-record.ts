import type { Requirement } from '../catalogue/catalogue.ts'
import type { Accepted } from '../verdicts/accepted-tls.ts'
import { causeOfEach, causesOf, toldOf } from '../verdicts/causes.ts'
import type { CircumstancesSummary } from '../verdicts/circumstances.ts'
import { exitStatus } from '../verdicts/exit-status.ts'
import { expectedOf } from '../verdicts/expected-outcome.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { type Verdict, type VerdictName, withoutReason } from '../verdicts/verdict.ts'
import type { Difference } from './diff.ts'

/** verdicts.json, key by key (docs/verdicts-json.md). Schema 1 had fewer keys. */
export interface VerdictsDocument {
  schema: 2
  /** The run was interrupted, so that it judged fewer examples than `planned`, or a part of it is `missing`. */
  partial: boolean
  /** The parts of the run that a merged report lacks, each counted from 1, of so many. */
  missing?: { shards: number[]; count: number }
  /** How many examples a partial run was to judge. */
  planned?: number
  /** Whether declined and inconclusive verdicts fail the run. */
  strict: boolean
  exit: 0 | 1 | 2
  /** The command line that repeats the run. */
  command: string
  suite: { name: string; version: string; commit: string }
  gateway: { name: string; version: string; library: string; kind: 'container' | 'embedded' | 'external' }
  profiles: string[]
  /** Absent where the run was not one of several shards. Both numbers are counted from 1. */
  shard?: { index: number; count: number }
  /** RFC 3339. */
  startedAt: string
  durationMs: number
  /** Absent where no example was run again under circumstances. */
  circumstances?: CircumstancesSummary
  /** What the gateway accepts of clients, by the tables of the profiles; absent where no example asked. */
  accepted?: Accepted
  /** What became of the examples since an earlier run; absent where none was named. */
  since?: Since
  /** What kept the suite from judging anything, in a sentence without a full stop; absent where something was judged. */
  setUp?: string
  /** What explains several findings, the most urgent first; `cause` of a verdict is the `id`. */
  causes: { id: string; sentence: string; requirements: string[] }[]
  /** Over verdicts, one per example; not over requirements. */
  totals: Record<VerdictName, number>
  /** Each with its `symptom`, and the `statement` of its requirement in the catalogue. */
  verdicts: (Verdict & { statement: string; expected?: string; cause?: string })[]
}

/** What became of the examples since an earlier run, which the user has named. */
export interface Since extends Pick<VerdictsDocument, 'gateway' | 'suite' | 'startedAt'> {
  /** Whether the earlier run judged a part of its examples alone. */
  partial: boolean
  changes: Difference
}

/** One run with everything that a report shows of it. JSON only. */
export interface RunRecord extends Omit<VerdictsDocument, 'schema' | 'exit' | 'verdicts' | 'causes'> {
  verdicts: RecordedVerdict[]
}

/** How many examples have a verdict. A stale verdict is about a recorded deviation, and not about an example. */
export function examplesIn(verdicts: readonly Verdict[]): number {
  return verdicts.filter(({ verdict }) => verdict !== 'stale').length
}

/**
 * What verdicts.json says of a run. `folders` has the evidence folder of each verdict that has one, `requirements` is
 * the catalogue.
 */
export function verdictsDocument(
  record: RunRecord,
  requirements: readonly Requirement[],
  folders: ReadonlyMap<RecordedVerdict, string> = new Map(),
): VerdictsDocument {
  const { suite, gateway, partial, planned, missing, strict } = record
  const statements = new Map(requirements.map(({ id, statement }) => [id, statement]))
  const causes = causesOf(record.verdicts)
  const explained = causeOfEach(causes)
  return {
    schema: 2,
    partial,
    ...(partial && planned !== undefined ? { planned } : {}),
    ...(missing ? { missing: { shards: missing.shards, count: missing.count } } : {}),
    strict,
    exit: exitStatus(record.verdicts, record),
    command: record.command,
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
    ...(record.circumstances ? { circumstances: record.circumstances } : {}),
    ...(record.accepted ? { accepted: record.accepted } : {}),
    ...(record.since ? { since: record.since } : {}),
    ...(record.setUp === undefined ? {} : { setUp: record.setUp }),
    causes: causes.map(cause => ({
      id: cause.id,
      sentence: toldOf(cause),
      requirements: [...new Set(cause.verdicts.map(({ requirement }) => requirement))],
    })),
    totals: record.totals,
    verdicts: record.verdicts.map(judged => {
      const { requirement, level, actor, scenario, title, control, verdict, detail, durationMs } = judged
      const { circumstances, deviation, again } = judged
      const folder = folders.get(judged)
      const expected = expectedOf(judged)
      const cause = explained.get(judged)?.id
      return {
        ...{ requirement, level, actor, scenario, title, control, verdict, detail },
        ...(judged.connector === undefined ? {} : { connector: judged.connector }),
        symptom: symptomOf(judged),
        statement: statements.get(requirement) ?? '',
        ...(deviation ? { deviation } : {}),
        ...(expected === undefined ? {} : { expected }),
        ...(cause === undefined ? {} : { cause }),
        ...(again ? { again } : {}),
        ...(circumstances ? { circumstances } : {}),
        ...(folder ? { evidence: folder } : {}),
        durationMs,
      }
    }),
  }
}

/** What is not broken has no symptom of its own, and programs need not ask whether there is one. */
function symptomOf({ verdict, detail, symptom }: RecordedVerdict): string {
  const broken = verdict === 'non-conformant' || verdict === 'deviates' || verdict === 'declined'
  return (broken && symptom) || withoutReason(detail)
}
