import { setTimeout as pause } from 'node:timers/promises'
import mailhog from 'mailhog'
import type { Mail } from '../../evidence/mail.ts'
import { MAX_WAIT } from '../../wire/patience.ts'
import type { Mailbox } from './mailbox.ts'

/** Where a MailHog API is. `url` may be printed, `authorization` must not. */
export interface MailhogAddress {
  /** With the path in front of `/api`, without a slash at its end and without credentials. */
  url: string
  /** Value of the header of that name. */
  authorization?: string
}

/** MailHog cannot be asked, or does not answer as MailHog: nothing can be said about its mail. */
export class MailboxFailure extends Error {
  override name = 'MailboxFailure'
}

/** Longest wait for a message that the gateway has accepted, in ms. */
const ARRIVAL = 2 * MAX_WAIT
/** Longest wait for one answer, in ms. */
const ANSWER = MAX_WAIT
/** MailHog tells of new mail only by WebSocket, so it is asked: soon, then ever less often. In ms. */
const FIRST_PAUSE = 25
const LONGEST_PAUSE = 1_000
/** Copies that one search gives, the newest of them. */
const MAX_COPIES = 50
/** In bytes. MailHog repeats the content three times over in an answer. */
const MAX_ANSWER = 32 * 1024 * 1024

/**
 * A mailbox that MailHog keeps (API version 2 of MailHog 1.0), wherever its user has it. MailHog speaks JSON: bytes that
 * are not UTF-8 come back as U+FFFD, and it takes no message with a null return path.
 *
 * Not by the npm package `mailhog` (4.16.0): it joins the chunks of an answer as text, which spoils any character that
 * two of them share, takes an error page for an answer, knows no bound of time or size, and its types lack `Raw`.
 */
export function mailhogMailbox(
  address: MailhogAddress,
  { wait = ARRIVAL, maxAnswer = MAX_ANSWER }: { wait?: number; maxAnswer?: number } = {},
): Mailbox {
  return mailbox(wait, async text => {
    const query = new URLSearchParams({ kind: 'containing', query: text, limit: String(MAX_COPIES) })
    return mailsOf(parsed(await get(address, `/api/v2/search?${query}`, maxAnswer)), address)
  })
}

/**
 * The MailHog of the lab, read through the npm package `mailhog`: nobody else writes its answers, and the mail in it is
 * ASCII, so that what the package cannot do (see above) does no harm.
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
      return mailsOf(answer, { url })
    } catch (error) {
      if (error instanceof MailboxFailure) throw error
      throw new MailboxFailure(`the mailbox at ${url} cannot be asked: ${reason(error as Error)}`)
    } finally {
      late.abort()
    }
  })
}

/** `search` gives copies newest first, and perhaps some that only look alike. */
function mailbox(wait: number, search: (text: string) => Promise<Mail[]>): Mailbox {
  const find = async (text: string): Promise<Mail[]> =>
    (await search(text)).filter(({ content }) => content.includes(text)).reverse()
  return {
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
      // What is behind a redirect is not what the user named, and must not get the password.
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

/** `fetch` says only that it failed, and a host with several addresses only how. */
function reason({ name, message, cause }: Error): string {
  if (name === 'TimeoutError') return `no answer within ${ANSWER / 1000} s`
  const { message: why, code } = (cause ?? {}) as NodeJS.ErrnoException
  return why || code || message
}

/** Nothing for what is no JSON. */
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

/** MailHog takes the last line end off; its maildir storage puts a bare LF there. */
function asReceived(data: string): string {
  return `${data.replace(/(?<!\r)\n$/, '')}\r\n`
}
