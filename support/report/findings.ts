import { AREAS, type Area, type Requirement } from '../catalogue/catalogue.ts'
import { counted } from '../quantities.ts'
import { exitStatus } from '../verdicts/exit-status.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { ENDED_BY_ITSELF, VERDICTS, type VerdictName } from '../verdicts/verdict.ts'
import { examplesIn, type RunRecord } from './run-record.ts'

/** Verdicts in the order in which they need attention. The most urgent example decides for its requirement. */
export const BY_URGENCY: readonly VerdictName[] = [
  'non-conformant',
  'stale',
  'lab-error',
  'deviates',
  'declined',
  'inconclusive',
  'conformant',
  'inapplicable',
]

export interface Example {
  judged: RecordedVerdict
  /** `EXO-FRC-01/a-partner-without-tls-20`: unique in a report, safe in paths and addresses. */
  place: string
  /** Relative to the report; absent where nothing was recorded. */
  folder: string | undefined
}

/** One requirement with all of its examples. */
export interface Finding {
  id: string
  /** `other` for a requirement that the catalogue does not know. */
  area: Area | 'other'
  level: Requirement['level']
  actor: Requirement['actor']
  requirement: Requirement | undefined
  verdict: VerdictName
  /** The first example that has the verdict of the requirement. */
  deciding: Example
  /** Never empty. */
  examples: Example[]
}

export interface Findings {
  record: RunRecord
  /**
   * One sentence: whether the run or the gateway ended early, how many requirements are kept, how many of the profiles
   * were judged, and what became of the others.
   */
  headline: string
  /** Of a partial run: how far it came, in a sentence. */
  interrupted: string | undefined
  exit: 0 | 1 | 2
  /** Over requirements, by the worst verdict of each; but `stale` counts entries of the deviations file. */
  counts: Record<VerdictName, number>
  /** Requirements that apply: those with a verdict other than `inapplicable`. */
  applying: number
  /** In the order of the catalogue; areas without findings are left out. */
  areas: { area: Area | 'other'; findings: Finding[] }[]
  /**
   * What is neither conformant nor inapplicable, most urgent first. A requirement that has something worse than a stale
   * deviation is there twice.
   */
  attention: Finding[]
  /** Requirements of the profiles of which no example ran. */
  unseen: Requirement[]
}

/** The verdicts of a run by requirement. `requirements` is the catalogue. */
export function findingsOf(record: RunRecord, requirements: readonly Requirement[]): Findings {
  const known = new Map(requirements.map(requirement => [requirement.id, requirement]))
  const examples = withPlaces(record.verdicts)
  const findings = [...Map.groupBy(examples, ({ judged }) => judged.requirement)].map(([id, group]) =>
    findingOf(id, known.get(id), group),
  )
  const position = new Map([...known.keys()].map((id, index) => [id, index]))
  findings.sort((a, b) => (position.get(a.id) ?? known.size) - (position.get(b.id) ?? known.size))
  const byVerdict = Object.fromEntries(
    VERDICTS.map(name => [name, findings.filter(({ verdict }) => verdict === name).length]),
  ) as Record<VerdictName, number>
  const counts = { ...byVerdict, stale: record.verdicts.filter(({ verdict }) => verdict === 'stale').length }
  const seen = new Set(findings.map(({ id }) => id))
  const unseen = requirements.filter(
    ({ id, profiles }) => !seen.has(id) && profiles.some(profile => record.profiles.includes(profile)),
  )
  const applying = findings.length - counts.inapplicable
  return {
    record,
    headline: headline(record, { counts, applying, all: findings.length + unseen.length }),
    interrupted: interruptionOf(record),
    exit: exitStatus(record.verdicts, record),
    counts,
    applying,
    areas: [...AREAS, 'other' as const]
      .map(area => ({ area, findings: findings.filter(finding => finding.area === area) }))
      .filter(({ findings }) => findings.length > 0),
    attention: findings
      .flatMap(finding => [finding, ...staleBeside(finding)])
      .filter(({ verdict }) => verdict !== 'conformant' && verdict !== 'inapplicable')
      .sort((a, b) => rank(a.deciding.judged) - rank(b.deciding.judged)),
    unseen,
  }
}

/** The same requirement with its first stale deviation, where something worse decided on its verdict. */
function staleBeside(finding: Finding): Finding[] {
  const deciding = finding.examples.find(({ judged }) => judged.verdict === 'stale')
  return deciding && finding.verdict !== 'stale' ? [{ ...finding, verdict: 'stale', deciding }] : []
}

/** Nothing is more urgent than a gateway that ends by itself. */
function rank({ verdict, symptom }: RecordedVerdict): number {
  return verdict === 'non-conformant' && symptom === ENDED_BY_ITSELF ? -1 : BY_URGENCY.indexOf(verdict)
}

function findingOf(id: string, requirement: Requirement | undefined, examples: Example[]): Finding {
  const deciding = examples.reduce((worst, example) =>
    rank(example.judged) < rank(worst.judged) ? example : worst,
  )
  const { verdict, level, actor } = deciding.judged
  return { id, area: requirement?.area ?? 'other', level, actor, requirement, verdict, deciding, examples }
}

function withPlaces(verdicts: readonly RecordedVerdict[]): Example[] {
  const taken = new Set<string>()
  return verdicts.map(judged => {
    const line = /:(\d{1,9})$/.exec(judged.scenario)?.[1]
    const name = [slug(judged.title), line].filter(Boolean).join('-')
    const base = `${judged.requirement.replace(/[^A-Za-z0-9-]/g, '_').slice(0, 60) || '_'}/${name || 'example'}`
    let place = base
    for (let n = 2; taken.has(place); n++) place = `${base}-${n}`
    taken.add(place)
    const { conversations, notes } = judged.seen
    return {
      judged,
      place,
      folder: conversations.length + notes.length > 0 ? `evidence/${place}` : undefined,
    }
  })
}

function slug(title: string): string {
  const words = title.normalize('NFKD').toLowerCase()
  return words
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/^-|-$/g, '')
}

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
function headline(record: RunRecord, requirements: Counted): string {
  const { gateway, verdicts } = record
  const name = nameOf(gateway)
  if (verdicts.length === 0) return `Nothing was judged: no example ran against ${name}`
  const interrupted = interruptionOf(record)
  return [
    ...(interrupted === undefined ? [] : [interrupted]),
    ...endsOf(name, verdicts),
    ...keptOf(name, requirements),
  ].join('; ')
}

function interruptionOf({ verdicts, partial, planned }: RunRecord): string | undefined {
  if (!partial) return undefined
  const done = examplesIn(verdicts)
  return `The run was interrupted after ${planned === undefined ? counted(done, 'example') : `${done} of ${planned} examples`}`
}

function endsOf(name: string, verdicts: readonly RecordedVerdict[]): string[] {
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
