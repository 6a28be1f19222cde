import type { Conversation } from '../wire/conversation.ts'
import type { Cell, Verdict } from './verdict.ts'

/** What a verdict rests on. */
export interface Evidence {
  /** Oldest first; there are several where the gateway tried again or tried another host. */
  conversations: Conversation[]
  /** What the gateway itself said: lines of its log, entries of its queue. */
  notes: string[]
  /** The steps of the example with their keywords: `Given an outbound connector …`. */
  steps: string[]
  /** What came of the example as it is written, and then under each combination of circumstances, the broken ones first. */
  cells?: Cell[]
  /** Of an example under circumstances: the names of those that came about. */
  held?: string[]
}

/** A verdict with its evidence. `writeReport` decides on the evidence folder, so `evidence` is not read here. */
export interface RecordedVerdict extends Verdict {
  seen: Evidence
}

export const byScenario = (verdicts: readonly RecordedVerdict[]): Map<string, RecordedVerdict> =>
  new Map(verdicts.map(verdict => [verdict.scenario, verdict]))
