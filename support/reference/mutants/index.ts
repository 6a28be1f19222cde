import { ACCEPTED_TLS } from './accepted-tls.ts'
import { CERTIFICATE } from './certificate.ts'
import { DOWNGRADE } from './downgrade.ts'
import { GUIDELINES } from './guidelines.ts'
import { INBOUND } from './inbound.ts'
import { MESSAGE } from './message.ts'
import type { Mutant, Omission } from './mutant.ts'
import { OFFERED_TLS } from './offered-tls.ts'
import { OMISSIONS } from './omissions.ts'
import { OUTBOUND } from './outbound.ts'
import { PATH } from './path.ts'
import { PROTOCOL } from './protocol.ts'
import { REPORTING } from './reporting.ts'
import { REVOCATION } from './revocation.ts'
import { SERVER_TO_SERVER } from './server-to-server.ts'
import { SERVICE } from './service.ts'
import { TRANSITION } from './transition.ts'

export type { Mutant, Omission } from './mutant.ts'
export { OMISSIONS } from './omissions.ts'

/** At least one for each requirement with a Rule: the negative control of the catalogue, each of them where it names several. */
export const MUTANTS: readonly Mutant[] = [
  ...ACCEPTED_TLS,
  ...CERTIFICATE,
  ...PATH,
  ...DOWNGRADE,
  ...GUIDELINES,
  ...INBOUND,
  ...MESSAGE,
  ...OFFERED_TLS,
  ...OUTBOUND,
  ...PROTOCOL,
  ...REPORTING,
  ...REVOCATION,
  ...SERVER_TO_SERVER,
  ...SERVICE,
  ...TRANSITION,
]

/** The mutant or omission with this name. Throws where there is none. */
export function mutant(name: string): Mutant | Omission {
  const found = [...MUTANTS, ...OMISSIONS].find(one => one.name === name)
  if (!found) throw new Error(`no mutant ${name}`)
  return found
}
