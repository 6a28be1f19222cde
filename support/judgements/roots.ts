import type { Standing } from '../pki/store.ts'
import type { CheckSays } from './checks.ts'

/** The check of trusted roots, `mail-tls roots`, on the root of the partner: EXO-ROOT-03. */
export const ofRoots = (standing: Standing): CheckSays =>
  standing === 'trusted'
    ? { good: true, says: "the check finds the partner's root" }
    : { good: false, says: `the check does not find the partner's root (${standing})` }
