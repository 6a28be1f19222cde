import type { RecordedVerdict } from './recorded-verdict.ts'

/**
 * What should have come of an example, in the words of its last steps: `the message stays queued; the wire shows …`. Nothing
 * where no steps are known.
 */
export function expectedOf({ seen: { steps } }: Pick<RecordedVerdict, 'seen'>): string | undefined {
  const from = steps.findIndex(step => step.startsWith('Then '))
  if (from < 0) return undefined
  return steps
    .slice(from)
    .map(step => step.replace(/^\w+ /, ''))
    .join('; ')
}
