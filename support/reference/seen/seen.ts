import { CLIENT_CIRCUMSTANCES } from './client-circumstances.ts'
import { ENVELOPE_CIRCUMSTANCES, PARTNER_CIRCUMSTANCES, SENT_CIRCUMSTANCES } from './partner-circumstances.ts'

/** Whether the gateway can see that a circumstance holds. */
export const isSeen = (circumstance: string): boolean =>
  [CLIENT_CIRCUMSTANCES, PARTNER_CIRCUMSTANCES, SENT_CIRCUMSTANCES, ENVELOPE_CIRCUMSTANCES].some(
    known => circumstance in known,
  )

/** Whether a domain is two names below the one whose names a connector covers, or deeper; without one, below its kind. */
export function isDeep(domain: string, pattern = '*'): boolean {
  const parent = pattern.startsWith('*.') ? pattern.slice(2) : domain.split('.').slice(-2).join('.')
  return domain.toLowerCase().endsWith(`.${parent}`) && domain.slice(0, -parent.length - 1).includes('.')
}

/** Dimensions that show only after the gateway has accepted a sender. */
const WITH_MESSAGE =
  /^(the recipients of the message|how the client transfers the message|writes of the message|the (text|size|author|recipients?) of the (delivered|sent) message|headers of the (delivered|sent) message): /

export const isSeenWithMessage = (circumstance: string): boolean => WITH_MESSAGE.test(circumstance)
