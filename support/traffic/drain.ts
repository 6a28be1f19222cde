import type { Choices, Finding, TlsVersion } from '../evidence/offer.ts'
import { alertName, spoken } from '../wire/tls/tls-names.ts'
import type { Answered } from './question-queue.ts'

export type Chosen = Extract<Answered, { kind: 'chosen' }>

/** What an answer says of a version: accepted, refused, or nothing. */
export function acceptance(answer: Answered, version: TlsVersion): Finding {
  const { seen } = answer
  if (answer.kind === 'unknown') return { known: 'unknown', said: answer.why, seen }
  if (answer.kind === 'refused') return { known: 'no', said: `alert ${alertName(answer.alert)}`, seen }
  if (answer.kind === 'closed') return { known: 'no', said: 'closed without an alert', seen }
  const got = answer.kind === 'ssl2' ? 'SSLv2' : answer.hello.version
  return got === version ? { known: 'yes', seen } : { known: 'no', said: `chose ${spoken(got)}`, seen }
}

/**
 * What a server chooses, in its order: what it has chosen is left out of the next question, until it refuses. `chosenIn`:
 * the number that an answer chooses, or nothing.
 */
export async function drain(
  offered: readonly number[],
  version: TlsVersion,
  ask: (left: readonly number[], question: number) => Answered | Promise<Answered>,
  chosenIn: (answer: Chosen) => number | undefined,
): Promise<Choices<Chosen>> {
  const all: Chosen[] = []
  let left = offered
  while (left.length > 0) {
    const answer = await ask(left, all.length + 1)
    const { known, said } = acceptance(answer, version)
    if (known === 'unknown') return { all, incomplete: said! }
    if (known === 'no' || answer.kind !== 'chosen') return { all, end: answer.seen }
    const chosen = chosenIn(answer)
    // As with a suite that has no elliptic curve, where one was asked for.
    if (chosen === undefined) return { all }
    if (!left.includes(chosen)) return { all, incomplete: `the server chose what was not offered` }
    all.push(answer)
    left = left.filter(one => one !== chosen)
  }
  return { all }
}

export const mapped = <A, B>({ all, ...rest }: Choices<A>, map: (one: A) => B): Choices<B> => ({
  ...rest,
  all: all.map(map),
})

/** One of two lists that are emptied with the same questions. */
export interface Side {
  offered: readonly number[]
  /** The number that an answer chooses of this list, or nothing. */
  chosenIn: (answer: Chosen) => number | undefined
}

/**
 * As `drain`, for two lists at once, which takes fewer questions. Where the server refuses, it may be because of one list
 * alone: then each is asked about by itself, beside the whole other one.
 */
export async function drainBoth(
  version: TlsVersion,
  [one, other]: readonly [Side, Side],
  ask: (
    left: readonly [readonly number[], readonly number[]],
    question: number,
  ) => Answered | Promise<Answered>,
): Promise<[Choices<Chosen>, Choices<Chosen>]> {
  let question = 0
  const whole = [one.offered, other.offered] as const
  const firsts: [Chosen[], Chosen[]] = [[], []]
  const left: [readonly number[], readonly number[]] = [...whole]
  for (;;) {
    const answer = await ask([...left], ++question)
    if (acceptance(answer, version).known !== 'yes' || answer.kind !== 'chosen') break
    const chosen = [one.chosenIn(answer), other.chosenIn(answer)] as const
    if (chosen.some((code, i) => code === undefined || !left[i]!.includes(code))) break
    for (const i of [0, 1] as const) {
      firsts[i].push(answer)
      left[i] = left[i].filter(code => code !== chosen[i])
    }
    if (left.some(({ length }) => length === 0)) break
  }
  const rest = (i: 0 | 1): Promise<Choices<Chosen>> =>
    drain(
      left[i],
      version,
      codes => ask(i === 0 ? [codes, whole[1]] : [whole[0], codes], ++question),
      [one, other][i]!.chosenIn,
    )
  const [restOfOne, restOfOther] = [await rest(0), await rest(1)]
  return [
    { ...restOfOne, all: [...firsts[0], ...restOfOne.all] },
    { ...restOfOther, all: [...firsts[1], ...restOfOther.all] },
  ]
}
