import { broken, type Observation } from '../verdicts/observation.ts'

/**
 * What the service did with TLS 1.0 and TLS 1.1 on a day: Microsoft, Prepare for TLS 1.2, April 2020. The removal is that of
 * the text of 2021 at the addresses for mail.
 */
export type OldTls = 'works' | 'works, unsupported' | 'removed'
const UNSUPPORTED_FROM = '2018-10-31'
export const REMOVED_ON = '2021-01-11'

/** Days as `2020-04-01`. `removedOn`: the removal may come at short notice, also before support would end. */
export function oldTlsOn(day: string, removedOn = REMOVED_ON): OldTls {
  if (day >= removedOn) return 'removed'
  return day >= UNSUPPORTED_FROM ? 'works, unsupported' : 'works'
}

/**
 * The gateway did with old TLS what the service did on that day. `used`: what is to be seen as long as the service has it;
 * `gone`: what is to be seen from its removal on. EXO-VER-09.
 */
export function asOn(day: string, seen: { used: Observation; gone: Observation }): Observation {
  const state = oldTlsOn(day)
  const observation = state === 'removed' ? seen.gone : seen.used
  if (observation.kind === 'unclear') return observation
  const detail = `${observation.detail} (on ${day} old TLS ${state === 'removed' ? 'is removed' : state})`
  if (observation.kind === 'kept') return { ...observation, detail }
  return broken(detail, observation.symptom ?? observation.detail)
}
