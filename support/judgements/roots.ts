import type { Sent } from '../evidence/sent.ts'
import type { Standing } from '../pki/store.ts'
import { broken, kept, type Observation, refused } from '../verdicts/observation.ts'
import { arrivesOverTls } from './outbound.ts'

/**
 * The gateway sends the message where the check of its trusted roots (`mail-tls roots`) finds the root of the partner among
 * them, and nowhere else: EXO-ROOT-03. `standing`: what the check says of that root.
 */
export function doesAsCheckSays(standing: Standing, sent: Sent): Observation {
  const [found, missing] = [
    "the check finds the partner's root",
    "the check does not find the partner's root",
  ]
  if (standing === 'trusted') {
    const seen = arrivesOverTls(sent)
    if (seen.kind !== 'broken') return seen.kind === 'kept' ? kept(`${found}, and ${seen.detail}`) : seen
    return {
      ...seen,
      detail: `${found}, and ${seen.detail}`,
      symptom: `${found}, and ${seen.symptom ?? seen.detail}`,
    }
  }
  return sent.arrivals.length > 0
    ? broken(`${missing} (${standing}), and the gateway sent the message`, `${missing} (${standing})`)
    : refused(`${missing} (${standing}), and the message did not arrive`)
}
