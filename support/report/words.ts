import type { Area } from '../catalogue/catalogue.ts'
import type { VerdictName } from '../verdicts/verdict.ts'

/** What each verdict means, for somebody who reads a report for the first time. */
export const MEANINGS: Record<VerdictName, string> = {
  conformant: 'The gateway keeps the requirement, and the recorded traffic shows it.',
  'non-conformant': 'The gateway breaks a must, and no recorded deviation says so. This fails the run.',
  deviates:
    'The gateway breaks the requirement, and a recorded deviation names this gateway, this requirement and this symptom.',
  stale:
    'A deviation is recorded, but its symptom did not show. Either the gateway has improved or the entry is wrong: remove the entry. This fails the run.',
  declined: 'The gateway does not follow a recommendation or an option, or an observed fact differs.',
  inapplicable:
    'Not run: the gateway does not have the capability or the connector that the requirement is about.',
  inconclusive: 'The suite could not decide. This counts neither for nor against the gateway.',
  'lab-error':
    'The lab failed. The suite never counts this against the gateway, but the run says nothing about the gateway.',
}

/** The same in a few words, for a terminal. */
export const SHORT_MEANINGS: Record<VerdictName, string> = {
  conformant: 'the gateway keeps it',
  'non-conformant': 'the gateway breaks a must, and that is not recorded',
  deviates: 'the gateway breaks it in the way that is recorded',
  stale: 'a recorded deviation that no longer shows',
  declined: 'optional and not followed, or a fact that differs',
  inapplicable: 'not run: the gateway lacks the capability or connector',
  inconclusive: 'the suite could not decide',
  'lab-error': 'the lab failed, which says nothing about the gateway',
}

/** What an exit status says about a gateway. */
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

/** The text with a capital at its beginning. */
export const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
