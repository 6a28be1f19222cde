import type { Message } from '../evidence/mail.ts'
import { freshDomain, STRANGERS } from '../mailflow/domains.ts'
import type { SenderBehaviour } from './client-behaviour.ts'
import type { History } from './client-manner.ts'
import { compose } from './message.ts'

/** A domain for which the gateway takes no mail. */
export const ELSEWHERE = 'elsewhere.test'

/** Traffic before the delivery that an example is about; nothing in it is judged. */
export interface EarlierTraffic {
  message: Message
  behaviour: SenderBehaviour
  /** The client offers what no gateway agrees to. */
  failsHandshake?: true
}

/** How a client behaves where everything is in order, as far as its behaviour in an example tells. */
const inOrder = ({ certificate, greetsAs }: SenderBehaviour): SenderBehaviour => ({
  tls: 'uses',
  ...(greetsAs ? { greetsAs } : {}),
  ...(certificate ? { certificate: { names: certificate.names } } : {}),
})

/**
 * What happens before the delivery of a message. `good`: how the same client behaves where everything is in order; absent:
 * it uses TLS, and shows the certificate of its behaviour without the flaws.
 */
export function earlierTraffic(
  history: History,
  { from, to }: Message,
  { behaviour, good = inOrder(behaviour) }: { behaviour: SenderBehaviour; good?: SenderBehaviour },
): EarlierTraffic {
  const message = compose({ from, to })
  switch (history) {
    case 'a delivery of the same client':
      return { message, behaviour: good }
    case 'an unencrypted delivery of another client':
      return {
        message: compose({ from: `other@${freshDomain(STRANGERS)}`, to }),
        behaviour: { tls: 'does not use' },
      }
    case 'a failed handshake of the same client':
      return { message, behaviour: good, failsHandshake: true }
    case 'a refused message of the same client':
      return { message: compose({ from, to: [`nobody@${ELSEWHERE}`] }), behaviour: good }
    case 'a message of the same client that was cut off':
      return { message: compose({ from, to, size: 40_000 }), behaviour: { ...good, cuts: true } }
  }
}
