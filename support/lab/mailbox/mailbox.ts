import { setTimeout as pause } from 'node:timers/promises'
import type { Mail, ReceivedMessage } from '../../evidence/mail.ts'
import { MAX_WAIT } from '../../wire/patience.ts'
import { until } from '../../wire/until.ts'
import type { Partner } from '../partner/partner.ts'

/** Longest wait for a message that the gateway has accepted, in ms. */
export const ARRIVAL = 2 * MAX_WAIT

/** A mailbox that receives the mail which the gateway accepts for its own domain. */
export interface Mailbox {
  /** Mail with a null return path cannot get into it. */
  needsReturnPath?: boolean
  /** Its server does not offer 8BITMIME: a gateway may return mail of 8 bits or change its encoding. RFC 6152 s3. */
  sevenBitOnly?: boolean
  /** All copies that contain `text`, a message's token, oldest first. */
  find(text: string): Promise<Mail[]>
  /** As `find`, but waits for the first copy, at most `wait` ms or a default. */
  await(text: string, wait?: number): Promise<Mail[]>
}

/** So many copies one search gives at most, the newest ones. */
export const MAX_COPIES = 50
/** Of a message, in bytes. */
export const MAX_MESSAGE = 32 * 1024 * 1024

/** A message as a mailbox has it, with the line ends of SMTP. */
export const contentOf = (raw: Buffer): string => raw.toString('latin1').replace(/\r?\n/g, '\r\n')

/** Pauses between two searches, in ms: short at first, then longer. */
const FIRST_PAUSE = 25
const LONGEST_PAUSE = 1_000

/** Searches again and again, for `wait` ms at most, until something is found. For mailboxes that tell nobody of new mail. */
export async function searched(find: () => Promise<Mail[]>, wait: number): Promise<Mail[]> {
  const end = performance.now() + wait
  for (let rest = FIRST_PAUSE; ; rest = Math.min(rest * 1.5, LONGEST_PAUSE)) {
    const left = end - performance.now()
    const mails = await find()
    if (mails.length > 0 || left <= 0) return mails
    await pause(Math.min(rest, left))
  }
}

/** What each message has in it and no other message has; `Message.token`. */
const TOKEN = /\btoken-[0-9a-f]{16}\b/g

/** A partner as a mailbox: the DNS leads mail for the gateway's own domain to it. It is searched for tokens alone. */
export function partnerMailbox(partner: Partner): Mailbox {
  const copies = new Map<string, ReceivedMessage[]>()
  let read = 0
  // A run delivers thousands of messages, so each is looked through once.
  const of = (token: string): ReceivedMessage[] => {
    for (; read < partner.messages.length; read++) {
      const message = partner.messages[read]!
      for (const found of new Set(message.content.match(TOKEN) ?? []))
        copies.set(found, [...(copies.get(found) ?? []), message])
    }
    return copies.get(token) ?? []
  }
  return {
    find: async token => of(token),
    async await(token, wait = ARRIVAL) {
      await until(() => of(token).length > 0, [partner], wait)
      return of(token)
    },
  }
}
