import type { Area } from '../verdicts/catalogue.ts'
import type { VerdictName } from '../verdicts/verdict.ts'

/** In plain words, for somebody who reads a report for the first time. */
export const MEANINGS: Record<VerdictName, string> = {
  conformant: 'The requirement is kept, and the wire shows it.',
  'non-conformant': 'A must is broken, and nobody has recorded that. This fails the run.',
  deviates:
    'Broken, but known: a recorded deviation names this gateway, this requirement and exactly this symptom.',
  stale:
    'A recorded deviation did not show. The gateway got better or the record is wrong: remove the entry. This fails the run.',
  declined: 'A recommendation or option that was not followed, or an observed fact that differs.',
  inapplicable: 'Not run: the gateway does not claim the capability, or has no connector for it.',
  inconclusive: 'The lab could not tell. Counts neither for nor against the gateway.',
  'lab-error': 'The lab itself failed. Never held against the gateway, but the run says nothing.',
}

export const AREA_TITLES: Record<Area, string> = {
  outbound: 'Outbound connectors',
  inbound: 'Inbound connectors',
  'server-to-server': 'Between servers of one service',
  certificate: 'Certificates',
  transition: 'Change of certificates',
  revocation: 'Revocation',
  protocol: 'TLS versions and suites',
  downgrade: 'Downgrade and injection',
  message: 'The message on its way',
  'policy-dane': 'DANE',
  'policy-mta-sts': 'MTA-STS',
  reporting: 'Traces and reports',
}

/** `1 line`, `2 lines`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** Milliseconds as `0.4 ms`, `48 ms`, `2.5 s`, `3 min 20 s`. */
export function duration(ms: number): string {
  if (ms < 10) return `${Math.round(ms * 10) / 10} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${Math.round(ms / 100) / 10} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** `2026-11-24 11:57 UTC`; what is no date comes back as it is. */
export function minute(time: string): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? time : `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** `2026-11-24`; what is no date comes back as it is. */
export function day(time: string): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? time : date.toISOString().slice(0, 10)
}
