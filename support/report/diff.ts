import { counted } from '../quantities.ts'
import type { Verdict, VerdictName } from '../verdicts/verdict.ts'

/** How bad a verdict is: a change to a higher number is a change for the worse. */
const BADNESS: Record<VerdictName, number> = {
  conformant: 0,
  inapplicable: 0,
  declined: 1,
  deviates: 1,
  inconclusive: 2,
  stale: 3,
  'lab-error': 3,
  'non-conformant': 4,
}

/** An example of which two runs say different things. */
export interface Change {
  requirement: string
  title: string
  /** Absent where that run does not have the example. */
  before?: Pick<Verdict, 'verdict' | 'detail'>
  after?: Pick<Verdict, 'verdict' | 'detail'>
}

/** What became of the examples from one run to a later one. Examples with the same verdict and symptom are in none. */
export interface Difference {
  /** Worse than before, or broken and not judged before. These fail. */
  worse: Change[]
  better: Change[]
  /** As bad as before, but something else was seen. */
  otherwise: Change[]
  /** Judged before, and not any more: inapplicable, or not part of the run. */
  lost: Change[]
  /** Judged now and not before, and not broken. */
  gained: Change[]
}

/** What a person calls each kind, and in which order: what fails first. */
export const DIFFERENCE_TITLES: Record<keyof Difference, string> = {
  worse: 'Worse',
  otherwise: 'As bad as before, but not the same',
  lost: 'Not judged any more',
  better: 'Better',
  gained: 'Judged now and not before, and not broken',
}

/** The same in the middle of a sentence. */
export const CHANGE_WORDS: Record<keyof Difference, string> = {
  worse: 'worse',
  otherwise: 'not the same',
  lost: 'not judged any more',
  better: 'better',
  gained: 'judged now and not before',
}

export const CHANGE_KINDS = Object.keys(DIFFERENCE_TITLES) as readonly (keyof Difference)[]

/** `2 examples worse, 1 better`. */
export function differenceTold(found: Difference): string {
  const told = CHANGE_KINDS.filter(kind => found[kind].length > 0).map((kind, at) =>
    at === 0
      ? `${counted(found[kind].length, 'example')} ${CHANGE_WORDS[kind]}`
      : `${found[kind].length} ${CHANGE_WORDS[kind]}`,
  )
  return told.join(', ') || 'nothing changed'
}

export function difference(
  before: { verdicts: readonly Verdict[] },
  after: { verdicts: readonly Verdict[] },
): Difference {
  const [old, now] = [byExample(before.verdicts), byExample(after.verdicts)]
  const result: Difference = { worse: [], better: [], otherwise: [], lost: [], gained: [] }
  for (const key of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(key), now.get(key)]
    const kind = kindOf(was, is)
    if (!kind) continue
    const { requirement, title } = (is ?? was)!
    const part = (one?: Verdict) => one && { verdict: one.verdict, detail: one.detail }
    result[kind].push({
      ...{ requirement, title },
      ...(was ? { before: part(was)! } : {}),
      ...(is ? { after: part(is)! } : {}),
    })
  }
  return result
}

function kindOf(was: Verdict | undefined, is: Verdict | undefined): keyof Difference | undefined {
  const [wasBad, isBad] = [badness(was), badness(is)]
  if (isBad > (judged(was) ? wasBad : BADNESS.inconclusive)) return 'worse'
  if (judged(was) && !judged(is)) return 'lost'
  if (isBad < wasBad) return 'better'
  if (!judged(was) && judged(is)) return 'gained'
  if (isBad > 0 && (was!.verdict !== is!.verdict || was!.symptom !== is!.symptom)) return 'otherwise'
  return undefined
}

const badness = (one: Verdict | undefined): number => (one ? BADNESS[one.verdict] : 0)
const judged = (one: Verdict | undefined): boolean => one !== undefined && one.verdict !== 'inapplicable'

/**
 * Verdicts by what names an example across versions of the suite, in which lines move: requirement, feature, title, and the
 * how-manieth of these it is. A stale deviation is not about an example, so it is apart.
 */
function byExample(verdicts: readonly Verdict[]): Map<string, Verdict> {
  const found = new Map<string, Verdict>()
  for (const verdict of verdicts) {
    const { requirement, scenario, title, control, connector } = verdict
    const name = [
      requirement,
      scenario.replace(/:\d+$/, ''),
      title,
      control,
      connector,
      verdict.verdict === 'stale',
    ]
    let count = 0
    while (found.has(JSON.stringify([...name, count]))) count++
    found.set(JSON.stringify([...name, count]), verdict)
  }
  return found
}
