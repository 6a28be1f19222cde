import { InputError } from '../input-error.ts'
import { SERVICE_TEXTS, type ServiceText } from '../mailflow/mail-flow.ts'
import { nearest } from '../nearest.ts'
import type { GatewaySource } from './source.ts'

/** The same product, told to be the mail service of one of Microsoft's texts, and judged by the profile of that text. */
export function standIn(source: GatewaySource, text: ServiceText): GatewaySource {
  return { ...source, name: `${source.name}-as-${text}`, service: text, profiles: [text] }
}

/** The same gateway, among partners and clients that play the mail service of a text; judged by its profile unless it says others. */
export function amongService(source: GatewaySource, text: ServiceText): GatewaySource {
  return {
    ...source,
    name: `${source.name}-partner-as-${text}`,
    peersAs: text,
    profiles: source.profiles ?? [text],
  }
}

/** Throws InputError where there is no such text. `option`: that gave it. */
export function serviceText(given: string, option = '--as'): ServiceText {
  const found = SERVICE_TEXTS.find(text => text === given)
  if (found) return found
  const [near] = nearest(given, SERVICE_TEXTS, 1)
  throw new InputError(
    `${option} ${given}: ${near ? `there is no such text of the service; did you mean ${near}?` : `it must be one of ${SERVICE_TEXTS.join(', ')}`}`,
  )
}
