import pc from 'picocolors'
import { type Catalogue, loadCatalogue } from '../catalogue/catalogue.ts'
import { type FeatureRule, loadFeatures, select } from '../catalogue/features.ts'
import { jsonText } from '../json-text.ts'
import { Pki } from '../pki/pki.ts'
import { withRun } from '../run/current.ts'
import { judgeAll } from '../run/judge-all.ts'
import { Run } from '../run/run.ts'
import { sideBySide } from '../side-by-side.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import type { Defect } from './decisions/defect.ts'
import { reference } from './gateway.ts'
import { MUTANTS, type Mutant, OMISSIONS, type Omission } from './mutants/index.ts'

/** Requirements that every mutant must keep unless it says otherwise, where it receives and where it sends. */
export const SAMPLE = { in: ['EXO-FRC-11', 'RFC3207-02'], out: ['EXO-FRC-01', 'EXO-OPP-04'] }

const sample = ({ receiver, sender, queue, words }: Defect): string[] => [
  ...(receiver || words ? SAMPLE.in : []),
  ...(sender || queue || words ? SAMPLE.out : []),
]

/** How many runs go on at the same time. */
const PARALLEL = 8
/** As for `Run`: a defect that acts later acts within 100 ms. */
const AFTERMATH = 400

/** Whether the suite found one mutant. */
export interface MutantResult {
  name: string
  /** Under which the suite must find the defect; for an omission, under which no refusal may pass. */
  requirements: readonly string[]
  omission: boolean
  found: boolean
  /** What the suite said of the gateway, or why the mutant counts as missed. */
  detail: string
  /** What the suite called broken although it is not, each in a sentence. */
  alarms: string[]
  durationMs: number
}

export interface SelftestResult {
  /** Of the gateway without a defect. */
  clean: { examples: number; alarms: string[] }
  mutants: MutantResult[]
  durationMs: number
}

export interface SelftestListener {
  /** `done` of `total` runs have ended; the first one is that of the gateway without a defect. */
  progressed(done: number, total: number, name: string): void
}

/** Whether the suite finds every mutant, and nothing in a gateway without a defect. Throws GatewayFailure. */
export async function selftest(
  listener?: SelftestListener,
  { mutants = MUTANTS, omissions = OMISSIONS } = {},
): Promise<SelftestResult> {
  const began = performance.now()
  const catalogue = loadCatalogue()
  const bench = { catalogue, rules: loadFeatures(catalogue), pki: new Pki() }
  const total = 1 + mutants.length + omissions.length
  let done = 0
  const progressed = (name: string) => listener?.progressed(++done, total, name)

  const all = await judged(bench, {}, undefined, PARALLEL)
  for (const [as, those] of Map.groupBy(mutants, one => one.as))
    if (as) all.push(...(await judged(bench, { as }, idsOf(those), PARALLEL)))
  const alarms = all.filter(isAlarm).map(said)
  progressed('no defect')

  const todo = [...omissions, ...mutants].map((mutant, place) => ({ mutant, place }))
  todo.sort((a, b) => Number(waits(b.mutant)) - Number(waits(a.mutant)))
  const results: MutantResult[] = []
  await sideBySide(todo, PARALLEL, async ({ mutant, place }) => {
    results[place] = await tried(bench, mutant)
    progressed(mutant.name)
  })
  return {
    clean: { examples: all.length, alarms },
    mutants: [...results.slice(omissions.length), ...results.slice(0, omissions.length)],
    durationMs: Math.round(performance.now() - began),
  }
}

/** These runs wait for seconds for signs that never come, so they begin first. */
const waits = (mutant: Mutant | Omission): boolean => 'requirements' in mutant || mutant.waits === true

const idsOf = (mutants: readonly Mutant[]): string[] => [
  ...new Set(mutants.map(({ requirement }) => requirement)),
]

interface Bench {
  catalogue: Catalogue
  rules: readonly FeatureRule[]
  pki: Pki
}

/** Verdicts on a gateway with this defect. No `requirements`: under all. */
async function judged(
  { catalogue, rules, pki }: Bench,
  { as, ...defect }: Defect & Pick<Mutant, 'as'>,
  requirements: readonly string[] | undefined,
  parallel: number,
): Promise<RecordedVerdict[]> {
  const run = await Run.start({ source: reference(defect, as), pki, aftermath: AFTERMATH })
  try {
    await withRun(run, () =>
      judgeAll(run, select(rules, catalogue, requirements ? { requirements } : {}), parallel),
    )
    return [...run.verdicts, ...run.record.ofFailedControls()]
  } finally {
    await run.stop()
  }
}

async function tried(bench: Bench, mutant: Mutant | Omission): Promise<MutantResult> {
  const began = performance.now()
  const omission = 'requirements' in mutant
  const requirements = omission ? mutant.requirements : [mutant.requirement]
  const wanted = omission ? requirements : [...new Set([...requirements, ...sample(mutant)])]
  const verdicts = await judged(bench, mutant, wanted, omission ? 2 : 1)
  return {
    name: mutant.name,
    requirements,
    omission,
    ...(omission ? withheld(verdicts, mutant.refusals) : found(mutant, verdicts)),
    durationMs: Math.round(performance.now() - began),
  }
}

const isRed = ({ verdict }: RecordedVerdict): boolean =>
  verdict === 'non-conformant' || verdict === 'declined'
/** There is no server of another kind for the reference gateway, so not every example applies to it. */
export const isAlarm = ({ verdict }: RecordedVerdict): boolean =>
  verdict !== 'conformant' && verdict !== 'inapplicable'

const said = ({ requirement, title, verdict, detail }: RecordedVerdict): string =>
  `${requirement}, ${title}: ${verdict}: ${detail}`

/**
 * The suite must find a mutant under its requirement and by its symptom. Other requirements must hold, and so must the
 * control, unless the symptom shows there as well.
 */
export function found(
  { requirement, as, symptom, explains = [] }: Mutant,
  verdicts: readonly RecordedVerdict[],
): Pick<MutantResult, 'found' | 'detail' | 'alarms'> {
  const own = verdicts.filter(verdict => verdict.requirement === requirement)
  const shows = ({ detail }: RecordedVerdict) =>
    typeof symptom === 'string' ? detail.includes(symptom) : symptom.test(detail)
  const caught = own.find(verdict => isRed(verdict) && shows(verdict))
  const red = own.filter(isRed)
  const alarms = verdicts.filter(one => {
    if (one.verdict === 'lab-error') return !explains.includes(one.requirement)
    if (one.requirement !== requirement) return isRed(one) && !explains.includes(one.requirement)
    // A Rule about another text of the service does not apply.
    const applies = !(as && one.verdict === 'inapplicable')
    return one.control && applies && one.verdict !== 'conformant' && !(isRed(one) && shows(one))
  })
  return {
    found: caught !== undefined,
    detail: caught
      ? caught.detail
      : red.length > 0
        ? `it shows otherwise than expected: ${red.map(said).join('; ')}`
        : `nothing is red: ${own.map(said).join('; ')}`,
    alarms: alarms.map(said),
  }
}

/** Steps that conclude from something that did not happen. */
const REFUSES =
  /\b(does not arrive|stays queued|refuses|refused|no unencrypted part|does not reach|not offered|nobody gets)\b/
const NAMES_REFUSAL = /^(Then|And) the reply is (5\d\d|a permanent refusal)/

/** The suite must not call it a right refusal that the gateway did not do its work. */
export function withheld(
  verdicts: readonly RecordedVerdict[],
  words = REFUSES,
): Pick<MutantResult, 'found' | 'detail' | 'alarms'> {
  const refusals = verdicts.filter(({ seen: { steps } }) =>
    steps.some(step => /^(Then|And) /.test(step) && (words.test(step) || NAMES_REFUSAL.test(step))),
  )
  const passed = refusals.filter(({ verdict }) => verdict === 'conformant')
  return {
    found: refusals.length > 0 && passed.length === 0,
    detail:
      refusals.length === 0
        ? 'no example concludes from a refusal'
        : passed.length > 0
          ? `taken for a right refusal: ${passed.map(said).join('; ')}`
          : `none of ${refusals.length} refusals passed: ${said(refusals[0]!)}`,
    alarms: verdicts.filter(({ verdict }) => verdict === 'lab-error').map(said),
  }
}

export interface SelftestTotals {
  found: number
  of: number
  alarms: number
}

export function selftestTotals({ clean, mutants }: SelftestResult): SelftestTotals {
  return {
    found: mutants.filter(({ found }) => found).length,
    of: mutants.length,
    alarms: clean.alarms.length + mutants.reduce((sum, { alarms }) => sum + alarms.length, 0),
  }
}

/** Scoreboard for people: what was missed and which alarms were false, then the score. */
export function selftestText(result: SelftestResult, { colour }: { colour: boolean }): string {
  const { red, yellow, green, bold, dim } = pc.createColors(colour)
  const { found, of, alarms } = selftestTotals(result)
  const lines: string[] = []
  for (const mutant of result.mutants.filter(({ found }) => !found))
    lines.push(
      `${red('missed')}  ${mutant.requirements.join(', ')}: a gateway that ${mutant.name}`,
      `        ${dim(mutant.detail)}`,
    )
  for (const alarm of result.clean.alarms) lines.push(`${yellow('alarm')}   without any defect: ${alarm}`)
  for (const { name, alarms } of result.mutants)
    for (const alarm of alarms) lines.push(`${yellow('alarm')}   a gateway that ${name}: ${alarm}`)
  const score = `${found} of ${of} mutants found, ${alarms} false alarms`
  const good = found === of && alarms === 0
  lines.push(
    `${good ? green(bold(score)) : red(bold(score))} ${dim(
      `(${result.clean.examples} examples of a gateway without defect, ${(result.durationMs / 1000).toFixed(1)} s)`,
    )}`,
  )
  return `${lines.join('\n')}\n`
}

/** One JSON document. */
export function selftestJson(result: SelftestResult): string {
  return jsonText({ schema: 1, totals: selftestTotals(result), ...result })
}
