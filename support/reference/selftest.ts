import pc from 'picocolors'
import { type Catalogue, loadCatalogue } from '../catalogue/catalogue.ts'
import { type FeatureRule, loadFeatures, select } from '../catalogue/features.ts'
import { Pki } from '../pki/pki.ts'
import { withRun } from '../run/current.ts'
import { judgeAll } from '../run/judge-all.ts'
import { Run } from '../run/run.ts'
import type { RecordedVerdict } from '../verdicts/record.ts'
import type { Defect } from './decisions/defect.ts'
import { reference } from './gateway.ts'
import { MUTANTS, type Mutant, OMISSIONS, type Omission } from './mutants/index.ts'

/** Rules that every mutant must keep unless it says otherwise: some for each direction in which it is a mutant. */
const SAMPLE = { in: ['EXO-FRC-11', 'RFC3207-02'], out: ['EXO-FRC-01', 'EXO-OPP-04'] }

const sample = ({ receiver, sender, queue, words }: Defect): string[] => [
  ...(receiver || words ? SAMPLE.in : []),
  ...(sender || queue || words ? SAMPLE.out : []),
]

/** Runs side by side: most of what they do is waiting for each other's handshakes. */
const PARALLEL = 8
/** As for `Run`: defects that act later act within 100 ms. */
const AFTERMATH = 400

/** What became of one planted defect. */
export interface MutantResult {
  name: string
  /** Where the defect must be found; for an omission where nothing may pass. */
  requirements: readonly string[]
  omission: boolean
  found: boolean
  /** What the suite said of it, or why it counts as missed. */
  detail: string
  /** What was called broken and is not, each in a sentence. */
  alarms: string[]
  durationMs: number
}

export interface SelftestResult {
  /** Of the gateway without defect. */
  clean: { examples: number; alarms: string[] }
  mutants: MutantResult[]
  durationMs: number
}

export interface SelftestListener {
  /** `done` of `total` runs have ended; the clean one is the first. */
  progressed(done: number, total: number, name: string): void
}

/** Whether the suite finds what is planted, and finds nothing where nothing is. Throws GatewayFailure. */
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
  // What is for a server of another kind does not apply to a gateway that is of no kind.
  const alarms = all.filter(({ verdict }) => verdict !== 'conformant' && verdict !== 'inapplicable').map(said)
  progressed('no defect')

  const todo = [...omissions, ...mutants].map((mutant, place) => ({ mutant, place }))
  todo.sort((a, b) => Number(waits(b.mutant)) - Number(waits(a.mutant)))
  const results: MutantResult[] = []
  const lane = async () => {
    for (let next = todo.shift(); next; next = todo.shift()) {
      results[next.place] = await tried(bench, next.mutant)
      progressed(next.mutant.name)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, lane))
  return {
    clean: { examples: all.length, alarms },
    mutants: [...results.slice(omissions.length), ...results.slice(0, omissions.length)],
    durationMs: Math.round(performance.now() - began),
  }
}

/** These take seconds of waiting for signs that never come, and are begun first. */
const waits = (mutant: Mutant | Omission): boolean => 'requirements' in mutant || mutant.waits === true

interface Bench {
  catalogue: Catalogue
  rules: readonly FeatureRule[]
  pki: Pki
}

/** Verdicts on a gateway with these defects; of all requirements without a choice. */
async function judged(
  { catalogue, rules, pki }: Bench,
  defect: Defect,
  requirements: readonly string[] | undefined,
  parallel: number,
): Promise<RecordedVerdict[]> {
  const run = await Run.start({ source: reference(defect), pki, aftermath: AFTERMATH })
  try {
    await withRun(run, () =>
      judgeAll(run, select(rules, catalogue, requirements ? { requirements } : {}), parallel),
    )
    return run.verdicts
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
const said = ({ requirement, title, verdict, detail }: RecordedVerdict): string =>
  `${requirement}, ${title}: ${verdict}: ${detail}`

/** A mutant is found under its requirement and by its symptom, while the control holds and others stay quiet. */
export function found(
  { requirement, symptom, breaksControl, explains = [] }: Mutant,
  verdicts: readonly RecordedVerdict[],
): Pick<MutantResult, 'found' | 'detail' | 'alarms'> {
  const own = verdicts.filter(verdict => verdict.requirement === requirement)
  const shows = ({ detail }: RecordedVerdict) =>
    typeof symptom === 'string' ? detail.includes(symptom) : symptom.test(detail)
  const caught = own.find(verdict => isRed(verdict) && shows(verdict))
  const strange = own.filter(({ verdict }) => verdict === 'lab-error')
  const control = breaksControl
    ? []
    : own.filter(one => one.control && one.verdict !== 'conformant' && !(isRed(one) && shows(one)))
  const others = verdicts.filter(
    verdict =>
      verdict.requirement !== requirement &&
      !explains.includes(verdict.requirement) &&
      (isRed(verdict) || verdict.verdict === 'lab-error'),
  )
  const red = own.filter(isRed)
  return {
    found: caught !== undefined,
    detail: caught
      ? caught.detail
      : red.length > 0
        ? `it shows otherwise than expected: ${red.map(said).join('; ')}`
        : `nothing is red: ${own.map(said).join('; ')}`,
    alarms: [...new Set([...strange, ...control, ...others])].map(said),
  }
}

/** Steps that conclude from what did not happen. */
const REFUSES =
  /\b(held back|stays queued|refuses|refused|no unencrypted part|does not reach|not offered|nobody gets)\b/
const NAMES_REFUSAL = /^(Then|And) the reply is (5\d\d|a permanent refusal)/

/** Nothing that the gateway left undone may be called a right refusal. */
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
  return `${JSON.stringify({ schema: 1, totals: selftestTotals(result), ...result }, null, 2)}\n`
}
