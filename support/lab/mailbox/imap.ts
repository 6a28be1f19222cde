import { isIP } from 'node:net'
import type { ImapFlow } from 'imapflow'
import { headersOf, type Mail } from '../../evidence/mail.ts'
import { ANSWER, MailboxFailure } from './http.ts'
import { ARRIVAL, contentOf, MAX_COPIES, MAX_MESSAGE, type Mailbox, searched } from './mailbox.ts'

/** Where an IMAP mailbox is. `url` may be printed, the login must not be. */
export interface ImapAddress {
  /** `imap://HOST[:PORT]/FOLDER` or `imaps://…`, without credentials. */
  url: string
  user: string
  password: string
}

/** The connection is closed when nobody has searched for so long, in ms, so that the run can end. */
const IDLE = 2_000

/**
 * The mailbox of a gateway file: a folder on an IMAP server (RFC 9051). With `imap`, TLS starts if the server offers it.
 * Searches share one connection and wait for each other. Return path and recipients are those that the server wrote on top
 * when it delivered (RFC 5321 s4.4).
 */
export function imapMailbox(address: ImapAddress, { wait = ARRIVAL } = {}): Mailbox {
  const session = new Session(address)
  const find = (text: string) => session.find(text)
  return {
    find,
    await: (text, longest = wait) => searched(() => find(text), longest),
  }
}

class Session {
  readonly #address: ImapAddress
  #last: Promise<unknown> = Promise.resolve()
  #client: ImapFlow | undefined
  #idle: NodeJS.Timeout | undefined

  constructor(address: ImapAddress) {
    this.#address = address
  }

  /** One after the other: IMAP commands of one connection share its folder. */
  find(text: string): Promise<Mail[]> {
    const found = this.#last.then(() => this.#found(text))
    this.#last = found.catch(() => {})
    return found
  }

  async #found(text: string): Promise<Mail[]> {
    clearTimeout(this.#idle)
    try {
      const client = await this.#connected()
      // Without this, the server may not tell of mail that came since the last command.
      await client.noop()
      const all = (await client.search({ text }, { uid: true })) || []
      const newest = all.slice(-MAX_COPIES)
      const mails: Mail[] = []
      if (newest.length > 0)
        for await (const { source } of client.fetch(
          newest,
          { source: { maxLength: MAX_MESSAGE } },
          { uid: true },
        ))
          if (source) mails.push(mailOf(source))
      return mails.filter(({ content }) => content.includes(text))
    } catch (error) {
      this.#close()
      throw new MailboxFailure(
        `the mailbox at ${this.#address.url} cannot be asked: ${reason(error as Error)}`,
      )
    } finally {
      this.#idle = setTimeout(() => this.#close(), IDLE)
    }
  }

  async #connected(): Promise<ImapFlow> {
    if (this.#client?.usable) return this.#client
    const { url, user, password } = this.#address
    const { protocol, hostname, port, pathname } = new URL(url)
    const host = hostname.replace(/^\[|\]$/g, '')
    // Loading it takes time, and few runs need it.
    const { ImapFlow } = await import('imapflow')
    const client = new ImapFlow({
      host,
      port: Number(port) || (protocol === 'imaps:' ? 993 : 143),
      secure: protocol === 'imaps:',
      auth: { user, pass: password },
      logger: false,
      connectionTimeout: ANSWER,
      greetingTimeout: ANSWER,
      socketTimeout: 2 * ANSWER,
      // Nobody can come between on this machine, and a test server there rarely has a certificate.
      tls: { rejectUnauthorized: !isLoopback(host) },
    })
    // What breaks the connection also fails the command that waits.
    client.on('error', () => {})
    this.#client = client
    await client.connect()
    await client.mailboxOpen(decodeURIComponent(pathname.slice(1)) || 'INBOX', { readOnly: true })
    return client
  }

  #close(): void {
    this.#client?.close()
    this.#client = undefined
  }
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

/** The words of the server, if it said why, else those of the library. */
function reason(error: Error & { responseText?: string; code?: string }): string {
  return error.responseText || error.message || error.code || 'no reason is known'
}

function mailOf(source: Buffer): Mail {
  const content = contentOf(source)
  const headers = headersOf(content)
  const named = (...names: string[]) =>
    headers.flatMap(({ name, value }) => (names.includes(name) ? [value.replace(/^<|>$/g, '').trim()] : []))
  const [from] = named('return-path')
  // Without it nothing is known about the return path, which may be null.
  if (from === undefined) throw new Error('a message has no Return-Path line, which RFC 5321 s4.4 demands')
  return { content, from, to: [...new Set(named('delivered-to', 'x-original-to'))] }
}
