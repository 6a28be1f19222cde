import { MAX_WAIT } from '../../wire/patience.ts'

/** Where the HTTP API of a mailbox is. `url` may be printed, `authorization` must not be. */
export interface HttpAddress {
  /** Up to the path in front of `/api`, without a slash at its end and without credentials. */
  url: string
  /** Value of the header of that name. */
  authorization?: string
}

/** A mailbox cannot be asked, or what answers is none that is known: nothing is known about its mail. */
export class MailboxFailure extends Error {
  override name = 'MailboxFailure'
  /** The HTTP status, where an answer came with another one than 200. */
  readonly status: number | undefined

  constructor(message: string, status?: number) {
    super(message)
    this.status = status
  }
}

/** Longest wait for one answer, in ms. */
export const ANSWER = MAX_WAIT

/** The body of an answer with status 200, of at most `max` bytes. Throws MailboxFailure. */
export async function get({ url, authorization }: HttpAddress, path: string, max: number): Promise<Buffer> {
  try {
    const response = await fetch(url + path, {
      headers: authorization ? { authorization } : {},
      // A redirect leads to a server that the user has not named, and that must not get the password.
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER),
    })
    if (response.status !== 200) {
      await response.body?.cancel()
      const { status } = response
      throw new MailboxFailure(`the mailbox at ${url} answers with HTTP status ${status}`, status)
    }
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body ?? []) {
      size += chunk.length
      if (size > max) throw new MailboxFailure(`the mailbox at ${url} answers with more than ${max} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } catch (error) {
    if (error instanceof MailboxFailure) throw error
    throw new MailboxFailure(`the mailbox at ${url} cannot be asked: ${reason(error as Error)}`)
  }
}

/** Why a request failed: `fetch` has that in the cause of its error, with a message or only a code. */
export function reason({ name, message, cause }: Error): string {
  if (name === 'TimeoutError') return `no answer within ${ANSWER / 1000} s`
  const { message: why, code } = (cause ?? {}) as NodeJS.ErrnoException
  return why || code || message
}

/** Undefined where the text is no JSON. */
export function parsed(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'))
  } catch {
    return undefined
  }
}
