import { setTimeout as pause } from 'node:timers/promises'
import mailhog from 'mailhog'
import type { Mail } from '../../evidence/mail.ts'
import { MAX_WAIT } from '../../wire/patience.ts'
import type { Mailbox } from './mailbox.ts'

/** Where a MailHog API is. `url` may be printed, `authorization` must not be. */
export interface MailhogAddress {
  /** Up to the path in front of `/api`, without a slash at its end and without credentials. */
  url: string
  /** Value of the header of that name. */
  authorization?: string
}

/** MailHog cannot be asked, or what answers is not MailHog: nothing is known about its mail. */
export class MailboxFailure extends Error {
  override name = 'MailboxFailure'
}

/** Longest wait for a message that the gateway has accepted, in ms. */
const ARRIVAL = 2 * MAX_WAIT
/** Longest wait for one answer, in ms. */
const ANSWER = MAX_WAIT
/** Pauses between two searches, in ms: short at first, then longer. MailHog reports new mail by WebSocket only. */
const FIRST_PAUSE = 25
const LONGEST_PAUSE = 1_000
/** So many copies one search gives at most, the newest ones. */
const MAX_COPIES = 50
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
  address: MailhogAddress,
  { wait = ARRIVAL, maxAnswer = MAX_ANSWER }: { wait?: number; maxAnswer?: number } = {},
): Mailbox {
  return mailbox(wait, text => exactly(text, address, maxAnswer))
}

async function exactly(text: string, address: MailhogAddress, maxAnswer = MAX_ANSWER): Promise<Mail[]> {
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
    async await(text, longest = wait) {
      const end = performance.now() + longest
      for (let rest = FIRST_PAUSE; ; rest = Math.min(rest * 1.5, LONGEST_PAUSE)) {
        const left = end - performance.now()
        const mails = await find(text)
        if (mails.length > 0 || left <= 0) return mails
        await pause(Math.min(rest, left))
      }
    },
  }
}

async function get({ url, authorization }: MailhogAddress, path: string, max: number): Promise<string> {
  try {
    const response = await fetch(url + path, {
      headers: authorization ? { authorization } : {},
      // A redirect leads to a server that the user has not named, and that must not get the password.
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER),
    })
    if (response.status !== 200) {
      await response.body?.cancel()
      throw new MailboxFailure(`the mailbox at ${url} answers with HTTP status ${response.status}`)
    }
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body ?? []) {
      size += chunk.length
      if (size > max) throw new MailboxFailure(`the mailbox at ${url} answers with more than ${max} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString('utf8')
  } catch (error) {
    if (error instanceof MailboxFailure) throw error
    throw new MailboxFailure(`the mailbox at ${url} cannot be asked: ${reason(error as Error)}`)
  }
}

/** Why a request failed: `fetch` has that in the cause of its error, with a message or only a code. */
function reason({ name, message, cause }: Error): string {
  if (name === 'TimeoutError') return `no answer within ${ANSWER / 1000} s`
  const { message: why, code } = (cause ?? {}) as NodeJS.ErrnoException
  return why || code || message
}

/** Undefined where the text is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function mailsOf(answer: unknown, { url }: MailhogAddress): Mail[] {
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
