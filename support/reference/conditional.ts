import { isDeepStrictEqual } from 'node:util'
import type { Combination } from '../circumstances/dimensions.ts'
import { type Defect, onlyWhere } from './decisions/defect.ts'
import type { Situation } from './decisions/situation.ts'
import { isSeenWithMessage } from './seen/seen.ts'

type Override = (at: Situation, correct: unknown) => unknown

/** Decisions about a sender, which the gateway may put off until it has the message. */
const ABOUT_SENDERS = ['connector', 'trustsChain', 'acceptsName', 'refusalOfSender']

/**
 * The defect where all these circumstances hold, as far as the gateway sees them; nowhere else. `acts` is called when a
 * decision comes out otherwise than the correct one.
 */
export function conditional(
  { receiver, sender, queue, words }: Defect,
  circumstances: Combination,
  acts: () => void,
): Defect {
  const holds = (at: Situation) => circumstances.every(({ name }) => at.holds(name))
  const only = <O extends object>(overrides: O): O => onlyWhere(holds, watched(overrides, acts))
  const late =
    receiver &&
    ABOUT_SENDERS.some(name => name in receiver) &&
    circumstances.some(({ name }) => isSeenWithMessage(name))
  return {
    ...(receiver ? { receiver: { ...(late ? { decidesLate: () => true } : {}), ...only(receiver) } } : {}),
    ...(sender ? { sender: only(sender) } : {}),
    ...(queue ? { queue: only(queue) } : {}),
    ...(words ? { words: only(words) } : {}),
  }
}

function watched<O extends object>(overrides: O, acts: () => void): O {
  const override =
    (decide: Override): Override =>
    (at, correct) => {
      let decided: unknown
      try {
        decided = decide(at, correct)
      } catch (error) {
        acts()
        throw error
      }
      if (!isDeepStrictEqual(decided, correct)) acts()
      return decided
    }
  return Object.fromEntries(
    Object.entries(overrides as Record<string, Override>).map(([name, decide]) => [name, override(decide)]),
  ) as O
}
