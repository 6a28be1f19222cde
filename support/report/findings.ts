import { AREAS, type Area, type Requirement } from '../catalogue/catalogue.ts'
import { counted } from '../quantities.ts'
import { type Cause, causeOfEach, causesOf, toldOf } from '../verdicts/causes.ts'
import { exitStatus } from '../verdicts/exit-status.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { BY_URGENCY, ENDED_BY_ITSELF, VERDICTS, type VerdictName } from '../verdicts/verdict.ts'
import { headline, interruptionOf } from './headline.ts'
import type { RunRecord } from './run-record.ts'
import { capital } from './words.ts'

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

/** One cause with all that comes of it. */
export interface CauseFinding extends Pick<Cause, 'id' | 'kind'> {
  /** One sentence, for the middle of a line: without a capital and a full stop. */
  told: string
  /** The same as a sentence of its own. */
  sentence: string
  /** What it is called: `warning`, `set-up`, or the most urgent verdict that comes of it. */
  word: VerdictName | 'warning' | 'set-up'
  /** The verdict that it looks like. */
  looks: VerdictName
  /** An example of each requirement that fails or could not be judged because of it, the failing ones first. */
  examples: Example[]
}

export interface Findings {
  record: RunRecord
  /** What explains other findings, the most urgent first. */
  causes: CauseFinding[]
  /** What must not be overlooked although the run broke no must, in sentences without full stops; empty for any other run. */
  cautions: string[]
  /**
   * One sentence: whether the gateway or the run ended early, how many requirements are kept, how many of the profiles
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
  /** What of `attention` no cause explains. */
  unexplained: Finding[]
  /** What was judged twice, in a sentence; absent where nothing was. */
  again: string | undefined
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
  const attention = findings
    .flatMap(finding => [finding, ...staleBeside(finding)])
    .filter(({ verdict }) => verdict !== 'conformant' && verdict !== 'inapplicable')
    .sort((a, b) => rank(a.deciding.judged) - rank(b.deciding.judged))
  const causes = causesOf(record.verdicts)
  const explained = causeOfEach(causes)
  const exit = exitStatus(record.verdicts, record)
  return {
    record,
    causes: [...setUpOf(record), ...causes.map(cause => causeFinding(cause, examples))],
    cautions: exit === 0 ? causes.filter(({ kind }) => kind !== 'finding').map(({ says }) => says) : [],
    headline: headline(record, { counts, applying, all: findings.length + unseen.length }),
    interrupted: interruptionOf(record),
    again: againOf(record),
    exit,
    counts,
    applying,
    areas: [...AREAS, 'other' as const]
      .map(area => ({ area, findings: findings.filter(finding => finding.area === area) }))
      .filter(({ findings }) => findings.length > 0),
    attention,
    unexplained: attention.filter(({ deciding: { judged } }) => !explained.has(judged)),
    unseen,
  }
}

/** What kept the suite from judging anything. */
function setUpOf({ setUp }: RunRecord): CauseFinding[] {
  return setUp === undefined
    ? []
    : [{ id: 'set-up', kind: 'finding', ...said(setUp), word: 'set-up', looks: 'lab-error', examples: [] }]
}

function causeFinding(cause: Cause, all: readonly Example[]): CauseFinding {
  const { id, kind, verdicts } = cause
  const own = all
    .filter(({ judged }) => verdicts.includes(judged))
    .sort((a, b) => rank(a.judged) - rank(b.judged))
  const examples = [...Map.groupBy(own, ({ judged }) => judged.requirement).values()].map(([first]) => first!)
  const { verdict } = examples[0]!.judged
  const look =
    kind === 'warning' ? ({ word: 'warning', looks: 'declined' } as const) : { word: verdict, looks: verdict }
  return { id, kind, ...said(toldOf(cause)), ...look, examples }
}

const said = (told: string) => ({ told, sentence: `${capital(told)}.` })

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

/** In a sentence of its own. */
function againOf({ verdicts, gateway }: RunRecord): string | undefined {
  const again = verdicts.filter(one => one.again)
  if (again.length === 0) return undefined
  const ids = [...new Set(again.map(({ requirement }) => requirement))].join(', ')
  const were = again.length === 1 ? 'was' : 'were'
  return `${counted(again.length, 'example')} ${were} judged twice, the second time one by one, because ${gateway.name} had ended by itself; the second verdict stands (${ids}).`
}
