import type { Message } from '../evidence/mail.ts'
import type { Arrivals, MailStream } from '../evidence/mail-stream.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Mailbox } from '../lab/mailbox/mailbox.ts'

/** Waits until accepted messages are in the mailbox. Once, it asks the gateway to try again: messages may wait for that. */
export async function arrivalsOf(
  { accepted }: Pick<MailStream, 'accepted'>,
  mailbox: Mailbox,
  gateway: Pick<Gateway, 'holds' | 'retry' | 'flow' | 'patience'>,
  { retries = true } = {},
): Promise<Arrivals> {
  const awaited = (messages: readonly Message[]) =>
    filtered(messages, async ({ token }) => (await mailbox.await(token, gateway.patience)).length === 0)
  // Both addresses: a notification about the message has the message's author as its recipient.
  const holds = async (addresses: readonly string[]) =>
    (await Promise.all(addresses.map(async address => gateway.holds?.(address)))).every(Boolean)
  const held = (messages: readonly Message[]) => filtered(messages, ({ from, to }) => holds([from, ...to]))
  let missing = await awaited(accepted)
  if (missing.length > 0 && retries && (!gateway.holds || (await held(missing)).length > 0)) {
    await gateway.retry(gateway.flow.domain)
    missing = await awaited(missing)
  }
  const queued = await held(missing)
  // The queue is read before the mailbox: a message that has left the queue since is in the mailbox now.
  const copies = await Promise.all(accepted.map(async ({ token }) => (await mailbox.find(token)).length))
  return {
    missing: accepted.filter((message, place) => copies[place] === 0 && !queued.includes(message)),
    queued: accepted.filter((message, place) => copies[place] === 0 && queued.includes(message)),
    doubled: accepted.filter((_, place) => copies[place]! > 1),
  }
}

/** Those messages for which `holds` resolves with true. */
async function filtered(
  messages: readonly Message[],
  holds: (message: Message) => Promise<boolean>,
): Promise<Message[]> {
  const held = await Promise.all(messages.map(holds))
  return messages.filter((_, place) => held[place])
}
