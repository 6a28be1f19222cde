import type { Sent } from '../evidence/sent.ts'
import { broken, kept, type Observation, refused } from '../verdicts/observation.ts'
import { arrivesOverTls } from './outbound.ts'

/** What a check of the suite says of the partner's certificate. */
export interface CheckSays {
  /** A gateway that judges like the check sends its message. */
  good: boolean
  says: string
  /** `says` may differ from run to run, and is no part of a symptom. */
  varies?: true
}

/** The gateway sends the message where a check finds all in order, and nowhere else: EXO-ROOT-03, EXO-REV-04, -06. */
export function doesAsCheckSays({ good, says, varies }: CheckSays, sent: Sent): Observation {
  const saying = (detail: string) => `${says}, and ${detail}`
  const symptomOf = (symptom: string) => (varies ? symptom : saying(symptom))
  if (good) {
    const seen = arrivesOverTls(sent)
    if (seen.kind === 'kept') return kept(saying(seen.detail))
    return seen.kind === 'broken'
      ? { ...seen, detail: saying(seen.detail), symptom: symptomOf(seen.symptom ?? seen.detail) }
      : seen
  }
  const arrived = 'the gateway sent the message'
  return sent.arrivals.length > 0
    ? broken(saying(arrived), symptomOf(arrived))
    : refused(saying('the message did not arrive'))
}
