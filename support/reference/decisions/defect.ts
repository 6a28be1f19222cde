import type { QueueDecisions } from './queue.ts'
import type { ReceiverDecisions } from './receiver.ts'
import type { SenderDecisions } from './sender.ts'
import type { WordsDecisions } from './words.ts'

/**
 * Decisions that a defect makes otherwise. Each is told the situation and what the correct gateway decides in it. A
 * decision that throws ends the gateway.
 */
export type Overrides<Decisions> = {
  [Name in keyof Decisions]?: Decisions[Name] extends (at: infer At) => infer Answer
    ? (at: At, correct: Answer) => Answer
    : never
}

/** What a gateway decides otherwise than the correct one; nothing: it keeps every requirement. */
export interface Defect {
  /** Where it takes mail in, from other servers and from users. */
  receiver?: Overrides<ReceiverDecisions>
  /** Where it sends mail on. */
  sender?: Overrides<SenderDecisions>
  /** Between taking mail in and sending it on. */
  queue?: Overrides<QueueDecisions>
  /** What it says in headers and in its log. */
  words?: Overrides<WordsDecisions>
}

/** The correct decisions, except those that are overridden. */
export function overridden<Decisions extends object>(
  correct: Decisions,
  overrides: Overrides<Decisions> = {},
): Decisions {
  type Decision = (at: unknown, correct?: unknown) => unknown
  const all = { ...correct } as Record<string, Decision>
  for (const [name, override] of Object.entries(overrides as Record<string, Decision>)) {
    const decide = all[name]!
    all[name] = at => override(at, decide(at))
  }
  return all as Decisions
}

/** The overrides in situations for which `holds` is true; in all others the gateway decides correctly. */
export function onlyWhere<At, O extends object>(holds: (at: At) => boolean, overrides: O): O {
  type Override = (at: At, correct: unknown) => unknown
  return Object.fromEntries(
    Object.entries(overrides as Record<string, Override>).map(([name, override]) => [
      name,
      (at: At, correct: unknown) => (holds(at) ? override(at, correct) : correct),
    ]),
  ) as O
}
