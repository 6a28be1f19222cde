import type { Area } from '../catalogue/catalogue.ts'
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

/** What an exit status says of a gateway. */
export const OUTCOMES: Record<0 | 1 | 2, string> = { 0: 'passed', 1: 'not passed', 2: 'no result' }

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
