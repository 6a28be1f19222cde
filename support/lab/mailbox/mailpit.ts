import { headersOf, type Mail } from '../../evidence/mail.ts'
import { get, type HttpAddress, MailboxFailure, parsed } from './http.ts'
import { ARRIVAL, contentOf, MAX_COPIES, MAX_MESSAGE, type Mailbox, searched } from './mailbox.ts'

/** Of a list of messages, in bytes. */
const MAX_LIST = 4 * 1024 * 1024

/** Whether what answers there is a Mailpit. Throws MailboxFailure where nothing answers. */
export async function isMailpit(address: HttpAddress): Promise<boolean> {
  try {
    const { Version, Messages } = parsed(await get(address, '/api/v1/info', MAX_LIST)) as Record<
      string,
      unknown
    >
    return typeof Version === 'string' && typeof Messages === 'number'
  } catch (error) {
    if (error instanceof MailboxFailure && error.status === undefined) throw error
    return false
  }
}

/**
 * The mailbox of a gateway file: a Mailpit (API version 1). Mailpit writes the return path and its own Received line on
 * top of each message, and the recipients that no header names into a line `Bcc`.
 */
export function mailpitMailbox(address: HttpAddress, { wait = ARRIVAL } = {}): Mailbox {
  const find = async (text: string): Promise<Mail[]> => {
    const query = new URLSearchParams({ query: `"${text}"`, limit: String(MAX_COPIES) })
    const ids = idsIn(parsed(await get(address, `/api/v1/search?${query}`, MAX_LIST)), address)
    const mails: Mail[] = []
    // Oldest first, and one after the other: there is hardly ever more than one.
    for (const id of ids.reverse())
      mails.push(mailOf(await get(address, `/api/v1/message/${encodeURIComponent(id)}/raw`, MAX_MESSAGE)))
    return mails.filter(({ content }) => content.includes(text))
  }
  return { find, await: (text, longest = wait) => searched(() => find(text), longest) }
}

function idsIn(answer: unknown, { url }: HttpAddress): string[] {
  try {
    const { messages } = answer as { messages: { ID: string }[] }
    return messages.map(({ ID }) => {
      if (typeof ID !== 'string') throw new TypeError()
      return ID
    })
  } catch {
    throw new MailboxFailure(`what the mailbox at ${url} answers is not Mailpit's`)
  }
}

function mailOf(raw: Buffer): Mail {
  const content = contentOf(raw)
  const headers = headersOf(content)
  const addresses = (...names: string[]) =>
    headers
      .filter(({ name }) => names.includes(name))
      .flatMap(({ value }) => [...value.matchAll(/[^\s<>,;"]+@[^\s<>,;"]+/g)].map(([address]) => address))
  return { content, from: addresses('return-path')[0] ?? '', to: [...new Set(addresses('to', 'cc', 'bcc'))] }
}
