import { day, minute } from '../quantities.ts'
import { difference, differenceTold } from './diff.ts'
import { nameOf } from './headline.ts'
import type { Since, VerdictsDocument } from './run-record.ts'

/** What a later run was to judge. */
export interface Judged {
  requirements: ReadonlySet<string>
  /** All examples of these requirements. */
  whole: boolean
}

/** An example that the later run was not to judge is not a change. */
export function sinceOf(
  before: VerdictsDocument,
  after: VerdictsDocument,
  { requirements, whole }: Judged,
): Since {
  const { gateway, suite, startedAt, partial } = before
  const same = before.verdicts.filter(({ requirement }) => requirements.has(requirement))
  const found = difference({ verdicts: same }, after)
  const lost = whole ? found.lost : found.lost.filter(({ after }) => after !== undefined)
  return { gateway, suite, startedAt, partial, changes: { ...found, lost } }
}

/** `Since the run of 2026-11-24 11:57 UTC against haraka 3.3.3, which was partial` */
export function sinceTold({ gateway, startedAt, partial }: Since): string {
  return `Since the run of ${minute(startedAt)} against ${nameOf(gateway)}${partial ? ', which was partial' : ''}`
}

/** `since 2026-11-24 2 examples worse, 1 better`, for the middle of a sentence. */
export const sinceInShort = ({ startedAt, changes }: Since): string =>
  `since ${day(startedAt)} ${differenceTold(changes)}`
