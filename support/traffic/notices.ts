import { isGivenUp, type Notices, type Sent } from '../evidence/sent.ts'
import type { Partner } from '../lab/partner/partner.ts'
import { until } from '../wire/until.ts'

/** Longest wait for a notification after the gateway has given a message up, in ms. */
const NOTICE = 15_000

/** Waits for the first notification to the author, for a bounded time, where one is due. */
export async function awaitNotice(sent: Sent, author: Partner): Promise<void> {
  if (isGivenUp(sent)) await until(() => author.messages.length > 0, [author], NOTICE)
}

/** What the mail servers of a message's author and of its recipient have taken so far. */
export const noticesAt = (author: Partner, recipient: Partner): Notices => ({
  toAuthor: [...author.messages],
  toRecipient: [...recipient.messages],
})
