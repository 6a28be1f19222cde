import { counted } from '../quantities.ts'
import { BY_URGENCY, ENDED_BY_ITSELF, VERDICTS, type Verdict, type VerdictName } from '../verdicts/verdict.ts'
import { examplesIn, type RunRecord } from './run-record.ts'
import { capital } from './words.ts'

/** The name with the version, if the version is known. */
export function nameOf({ name, version }: { name: string; version: string }): string {
  return version === '' || version === 'unknown' ? name : `${name} ${version}`
}

/** Where at most one requirement applies, by its verdict; `inapplicable` comes last in BY_URGENCY. */
const ONE: Record<VerdictName, (name: string) => string> = {
  conformant: name => `${name} keeps the one requirement that applies`,
  'non-conformant': name => `${name} breaks the one requirement that applies`,
  stale: name => `A recorded deviation from the one requirement that applies to ${name} no longer shows`,
  'lab-error': name => `The lab failed on the one requirement that applies to ${name}`,
  deviates: name => `${name} breaks the one requirement that applies, as recorded`,
  declined: name => `${name} does not follow the one requirement that applies, which is optional`,
  inconclusive: name => `The one requirement that applies to ${name} could not be decided`,
  inapplicable: name => `No requirement applies to ${name}`,
}

interface Counted {
  counts: Record<VerdictName, number>
  applying: number
  /** All requirements of the profiles, and those that were judged beside them. */
  all: number
}

/** `haraka 3.3.4 keeps 41 of 47 requirements that apply (47 of 110 judged); 2 are broken; 4 deviate as recorded` */
export function headline(record: RunRecord, requirements: Counted): string {
  const { gateway, verdicts } = record
  const name = nameOf(gateway)
  if (record.setUp !== undefined) return `Nothing was judged: ${record.setUp}`
  if (verdicts.length === 0) return `Nothing was judged: no example ran against ${name}`
  const interrupted = interruptionOf(record)
  return [
    ...endsOf(name, verdicts),
    ...(interrupted === undefined ? [] : [interrupted]),
    ...keptOf(name, requirements),
  ].join('; ')
}

/** Of a partial run: how far it came, in a sentence. */
export function interruptionOf({ verdicts, partial, planned, missing }: RunRecord): string | undefined {
  if (!partial) return undefined
  const done = examplesIn(verdicts)
  if (missing)
    return `${capital(missingTold(missing))}; ${counted(done, 'example')} ${done === 1 ? 'was' : 'were'} judged`
  return `The run was interrupted after ${planned === undefined ? counted(done, 'example') : `${done} of ${planned} examples`}`
}

/** `parts 2, 3 of 4 are missing` */
export function missingTold({ shards, count }: NonNullable<RunRecord['missing']>): string {
  return shards.length === 1
    ? `part ${shards[0]} of ${count} is missing`
    : `parts ${shards.join(', ')} of ${count} are missing`
}

/** What is said first of a gateway that ended by itself; empty for any other. */
export function endsOf(name: string, verdicts: readonly Verdict[]): string[] {
  const ends = verdicts.filter(({ symptom }) => symptom === ENDED_BY_ITSELF)
  const sure = ends.filter(({ verdict }) => verdict !== 'lab-error').length
  if (sure > 0) return [`${name} ended by itself in ${sure} of ${counted(examplesIn(verdicts), 'example')}`]
  return ends.length > 0 ? [`${name} ended by itself, and no single example makes it end again`] : []
}

function keptOf(name: string, { counts, applying, all }: Counted): string[] {
  const judged = applying < all ? ` (${applying} of ${all} judged)` : ''
  const kept =
    counts.conformant === applying
      ? `all ${applying} requirements that apply`
      : `${counts.conformant || 'none'} of ${applying} requirements that apply`
  const parts: [VerdictName, (count: number) => string][] = [
    ['non-conformant', count => `${count} ${count === 1 ? 'is' : 'are'} broken`],
    ['stale', count => `${counted(count, 'recorded deviation')} no longer ${count === 1 ? 'shows' : 'show'}`],
    ['lab-error', count => `the lab failed on ${count}`],
    ['deviates', count => `${count} ${count === 1 ? 'deviates' : 'deviate'} as recorded`],
    ['declined', count => `${count} optional ${count === 1 ? 'one is' : 'ones are'} not followed`],
    ['inconclusive', count => `${count} could not be decided`],
  ]
  const said = (wanted: readonly VerdictName[]) =>
    parts.flatMap(([verdict, say]) =>
      wanted.includes(verdict) && counts[verdict] > 0 ? [say(counts[verdict])] : [],
    )
  if (applying > 1) return [`${name} keeps ${kept}${judged}`, ...said(VERDICTS)]
  const worst = BY_URGENCY.find(verdict => counts[verdict] > 0)!
  return [`${ONE[worst](name)}${judged}`, ...(worst === 'stale' ? [] : said(['stale']))]
}
