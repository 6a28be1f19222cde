import { AREAS, type Area, type Requirement } from '../catalogue/catalogue.ts'
import { counted } from '../quantities.ts'
import type { RecordedVerdict } from '../verdicts/record.ts'
import { exitStatus, VERDICTS, type VerdictName } from '../verdicts/verdict.ts'
import type { RunRecord } from './run-record.ts'

/** From what needs attention first to what needs none; the worst example decides for its requirement. */
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
  /** Folder relative to the report, where anything was recorded. */
  folder: string | undefined
}

/** One requirement with all that was seen of it. */
export interface Finding {
  id: string
  /** `other` for a requirement that the catalogue does not know. */
  area: Area | 'other'
  level: Requirement['level']
  actor: Requirement['actor']
  requirement: Requirement | undefined
  verdict: VerdictName
  /** The first example with the verdict of the requirement. */
  deciding: Example
  /** Never empty. */
  examples: Example[]
}

export interface Findings {
  record: RunRecord
  /** One sentence: how many requirements are kept, and what became of the others. */
  headline: string
  exit: 0 | 1 | 2
  /** Over requirements. */
  counts: Record<VerdictName, number>
  /** In the order of the catalogue; areas without findings are left out. */
  areas: { area: Area | 'other'; findings: Finding[] }[]
  /** What is not simply kept or inapplicable, most urgent first. */
  attention: Finding[]
  /** Requirements of the profiles of which no example ran. */
  unseen: Requirement[]
}

/** Verdicts by requirement. `requirements` is the catalogue or the part of it that was to be judged. */
export function findingsOf(record: RunRecord, requirements: readonly Requirement[]): Findings {
  const known = new Map(requirements.map(requirement => [requirement.id, requirement]))
  const examples = located(record.verdicts)
  const findings = [...Map.groupBy(examples, ({ judged }) => judged.requirement)].map(([id, group]) =>
    findingOf(id, known.get(id), group),
  )
  const position = new Map([...known.keys()].map((id, index) => [id, index]))
  findings.sort((a, b) => (position.get(a.id) ?? known.size) - (position.get(b.id) ?? known.size))
  const counts = Object.fromEntries(
    VERDICTS.map(name => [name, findings.filter(({ verdict }) => verdict === name).length]),
  ) as Record<VerdictName, number>
  const seen = new Set(findings.map(({ id }) => id))
  return {
    record,
    headline: headline(record, counts),
    exit: exitStatus(record.verdicts, { strict: record.strict ?? false }),
    counts,
    areas: [...AREAS, 'other' as const]
      .map(area => ({ area, findings: findings.filter(finding => finding.area === area) }))
      .filter(({ findings }) => findings.length > 0),
    attention: findings
      .filter(({ verdict }) => verdict !== 'conformant' && verdict !== 'inapplicable')
      .sort((a, b) => urgency(a.verdict) - urgency(b.verdict)),
    unseen: requirements.filter(
      ({ id, profiles }) => !seen.has(id) && profiles.some(profile => record.profiles.includes(profile)),
    ),
  }
}

function urgency(verdict: VerdictName): number {
  return BY_URGENCY.indexOf(verdict)
}

function findingOf(id: string, requirement: Requirement | undefined, examples: Example[]): Finding {
  const deciding = examples.reduce((worst, example) =>
    urgency(example.judged.verdict) < urgency(worst.judged.verdict) ? example : worst,
  )
  const { verdict, level, actor } = deciding.judged
  return { id, area: requirement?.area ?? 'other', level, actor, requirement, verdict, deciding, examples }
}

function located(verdicts: readonly RecordedVerdict[]): Example[] {
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

/** With the version, where it is known. */
export function nameOf({ name, version }: { name: string; version: string }): string {
  return version === '' || version === 'unknown' ? name : `${name} ${version}`
}

/** Where at most one requirement applies, by its verdict; `inapplicable` comes last in BY_URGENCY. */
const FEW: Record<VerdictName, (name: string) => string> = {
  conformant: name => `${name} keeps the one requirement that applies`,
  'non-conformant': name => `${name} does not keep the one requirement that applies; that is not recorded`,
  stale: name => `A recorded deviation from the one requirement that applies to ${name} no longer shows`,
  'lab-error': name => `The lab failed on the one requirement that applies to ${name}`,
  deviates: name => `${name} does not keep the one requirement that applies; it differs as recorded`,
  declined: name => `${name} does not follow the one requirement that applies; it is optional`,
  inconclusive: name => `The one requirement that applies to ${name} could not be decided`,
  inapplicable: name => `No requirement applies to ${name}`,
}

/** `haraka 3.3.4 keeps 41 of 47 requirements that apply; 2 are broken; 4 differ as recorded` */
function headline({ gateway, verdicts }: RunRecord, counts: Record<VerdictName, number>): string {
  const name = nameOf(gateway)
  if (verdicts.length === 0) return `Nothing was judged: no example ran against ${name}`
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const applying = all - counts.inapplicable
  if (applying <= 1) return FEW[BY_URGENCY.find(verdict => counts[verdict] > 0)!](name)
  const kept =
    counts.conformant === applying
      ? `all ${applying} requirements that apply`
      : `${counts.conformant || 'none'} of ${applying} requirements that apply`
  const parts: [VerdictName, (count: number) => string][] = [
    ['non-conformant', count => `${count} ${count === 1 ? 'is' : 'are'} broken`],
    ['stale', count => `${counted(count, 'recorded deviation')} no longer ${count === 1 ? 'shows' : 'show'}`],
    ['lab-error', count => `the lab failed on ${count}`],
    ['deviates', count => `${count} ${count === 1 ? 'differs' : 'differ'} as recorded`],
    ['declined', count => `${count} optional ${count === 1 ? 'one is' : 'ones are'} not followed`],
    ['inconclusive', count => `${count} could not be decided`],
  ]
  return [
    `${name} keeps ${kept}`,
    ...parts.flatMap(([verdict, say]) => (counts[verdict] > 0 ? [say(counts[verdict])] : [])),
  ].join('; ')
}
