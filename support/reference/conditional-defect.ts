import { isDeepStrictEqual } from 'node:util'
import type { Combination } from '../circumstances/dimensions.ts'
import { type Defect, type Overrides, onlyWhere } from './decisions/defect.ts'
import { CORRECT_RECEIVER, type ReceiverDecisions } from './decisions/receiver.ts'
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
  const receives = receiver && watchedReceiver(receiver, acts)
  const only = <O extends object>(overrides: O): O => onlyWhere(holds, watched(overrides, acts))
  const late =
    receiver &&
    ABOUT_SENDERS.some(name => name in receiver) &&
    circumstances.some(({ name }) => isSeenWithMessage(name))
  return {
    ...(receiver
      ? { receiver: { ...(late ? { decidesLate: () => true } : {}), ...onlyWhere(holds, receives!) } }
      : {}),
    ...(sender ? { sender: only(sender) } : {}),
    ...(queue ? { queue: only(queue) } : {}),
    ...(words ? { words: only(words) } : {}),
  }
}

/** Another connector matters only where it leads to another reply. */
function watchedReceiver(
  { connector, refusalOfSender, ...others }: Overrides<ReceiverDecisions>,
  acts: () => void,
): Overrides<ReceiverDecisions> {
  if (!connector) return watched({ ...(refusalOfSender ? { refusalOfSender } : {}), ...others }, acts)
  let right: ReturnType<ReceiverDecisions['connector']>
  return {
    ...watched(others, acts),
    connector: (at, correct) => {
      right = correct
      return connector(at, correct)
    },
    refusalOfSender: (at, correct) => {
      const refusal = refusalOfSender ? refusalOfSender(at, correct) : correct
      if (refusal !== CORRECT_RECEIVER.refusalOfSender({ ...at, connector: right })) acts()
      return refusal
    },
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
