import { setTimeout as pause } from 'node:timers/promises'
import mailhog from 'mailhog'
import type { Mail } from '../../evidence/mail.ts'
import { ANSWER, get, type HttpAddress, MailboxFailure, parsed, reason } from './http.ts'
import { ARRIVAL, MAX_COPIES, type Mailbox, searched } from './mailbox.ts'

/** Of an answer, in bytes. MailHog repeats the content of a message three times in it. */
const MAX_ANSWER = 32 * 1024 * 1024
/** U+FFFD, one character for each byte: in place of a character that two chunks of an answer share. */
const SPOILED = Buffer.from('\ufffd').toString('latin1')

/**
 * The mailbox of a gateway file: a MailHog of the user's (API version 2 of MailHog 1.0). MailHog answers in JSON, so
 * bytes that are not UTF-8 become U+FFFD. It accepts no message with a null return path.
 *
 * This function does not use the npm package `mailhog` (4.16.0). The package joins the chunks of an answer as text,
 * which spoils a character that two chunks share; it takes an error page for an answer; it has no limit of time or
 * size; and its types lack `Raw`.
 */
export function mailhogMailbox(
  address: HttpAddress,
  { wait = ARRIVAL, maxAnswer = MAX_ANSWER }: { wait?: number; maxAnswer?: number } = {},
): Mailbox {
  return mailbox(wait, text => exactly(text, address, maxAnswer))
}

async function exactly(text: string, address: HttpAddress, maxAnswer = MAX_ANSWER): Promise<Mail[]> {
  const query = new URLSearchParams({ kind: 'containing', query: text, limit: String(MAX_COPIES) })
  return mailsOf(parsed(await get(address, `/api/v2/search?${query}`, maxAnswer)), address)
}

/**
 * The mailbox of the lab in containers: MailHog, asked through the npm package `mailhog`. Of the faults of the package
 * (see above) one can do harm here, and mail with a spoiled character is asked for again without the package.
 */
export function labMailbox({ host, port, auth }: { host: string; port: number; auth: string }): Mailbox {
  const url = `http://${host}:${port}`
  const client = mailhog({ host, port, auth })
  return mailbox(ARRIVAL, async text => {
    const late = new AbortController()
    try {
      const answer = await Promise.race([
        client.search(text, 'containing', 0, MAX_COPIES),
        pause(ANSWER, undefined, { signal: late.signal }).then(() => {
          throw new Error(`no answer within ${ANSWER / 1000} s`)
        }),
      ])
      const mails = mailsOf(answer, { url })
      const authorization = `Basic ${Buffer.from(auth).toString('base64')}`
      return mails.some(({ content }) => content.includes(SPOILED))
        ? await exactly(text, { url, authorization })
        : mails
    } catch (error) {
      if (error instanceof MailboxFailure) throw error
      throw new MailboxFailure(`the mailbox at ${url} cannot be asked: ${reason(error as Error)}`)
    } finally {
      late.abort()
    }
  })
}

/** `search` gives copies newest first, and perhaps some that do not contain the text. */
function mailbox(wait: number, search: (text: string) => Promise<Mail[]>): Mailbox {
  const find = async (text: string): Promise<Mail[]> =>
    (await search(text)).filter(({ content }) => content.includes(text)).reverse()
  return {
    needsReturnPath: true,
    sevenBitOnly: true,
    find,
    await: (text, longest = wait) => searched(() => find(text), longest),
  }
}

function mailsOf(answer: unknown, { url }: HttpAddress): Mail[] {
  try {
    const { items } = answer as { items: { Raw: { Data: string; From: string; To: string[] } }[] }
    return items.map(({ Raw: { Data, From, To } }) => {
      const strings = [Data, From, ...To]
      if (!strings.every(value => typeof value === 'string')) throw new TypeError()
      return { content: asReceived(Data), from: From, to: To }
    })
  } catch {
    throw new MailboxFailure(`what the mailbox at ${url} answers is not MailHog's`)
  }
}

/** MailHog removes the last line end. With its maildir storage there is a bare LF in its place. */
function asReceived(data: string): string {
  return Buffer.from(`${data.replace(/(?<!\r)\n$/, '')}\r\n`).toString('latin1')
}
