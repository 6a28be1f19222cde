import type { Mail } from '../../evidence/mail.ts'
import { MAX_WAIT } from '../../wire/patience.ts'
import { until } from '../../wire/until.ts'
import type { Partner } from '../partner/partner.ts'

/** Longest wait for a message that the gateway has accepted, in ms. */
export const ARRIVAL = 2 * MAX_WAIT

/** A mailbox that receives the mail which the gateway accepts for its own domain. */
export interface Mailbox {
  /** Mail with a null return path cannot get into it. */
  needsReturnPath?: true
  /** Its server does not offer 8BITMIME: a gateway may return mail of 8 bits or change its encoding. RFC 6152 s3. */
  sevenBitOnly?: true
  /** All copies that contain `text`, oldest first. */
  find(text: string): Promise<Mail[]>
  /** As `find`, but waits for the first copy, at most `wait` ms or a default. */
  await(text: string, wait?: number): Promise<Mail[]>
}

/** A partner as a mailbox: the DNS leads mail for the gateway's own domain to it. */
export function partnerMailbox(partner: Partner): Mailbox {
  const find = async (text: string) => partner.messages.filter(({ content }) => content.includes(text))
  const holds = (text: string) => partner.messages.some(({ content }) => content.includes(text))
  return {
    find,
    async await(text, wait = ARRIVAL) {
      await until(() => holds(text), [partner], wait)
      return find(text)
    },
  }
}
