import { PeerLimit } from './lines.ts'

/** One SMTP reply, RFC 5321 s4.2. */
export interface Reply {
  code: number
  /** Enhanced status code (RFC 3463), if the first line has one. */
  enhanced?: string
  lines: string[]
  /** The whole reply in one line, safe to print. */
  text: string
  secured: boolean
}

/** Longest reply, in lines. */
const MAX_LINES = 200

/** What the other side says is no SMTP reply. */
export class NotSmtp extends Error {
  override name = 'NotSmtp'
}

/** Puts replies together from their lines; RFC 5321 s4.2.1. */
export class ReplyReader {
  #lines: string[] = []

  /**
   * The reply that this line ends, or nothing yet. `text` is printable and without its line end. Throws NotSmtp for a
   * line that is none of a reply, and PeerLimit for a reply without end.
   */
  read(text: string, secured: boolean): Reply | undefined {
    const [, code, more, words] = /^([2-5]\d\d)([ -]|$)(.*)/.exec(text) ?? []
    if (this.#lines.length >= MAX_LINES) throw new PeerLimit(`a reply of more than ${MAX_LINES} lines`)
    if (code === undefined) throw new NotSmtp(`not an SMTP reply: ${text.slice(0, 120)}`)
    this.#lines.push(words!)
    if (more === '-') return undefined
    const lines = this.#lines
    this.#lines = []
    const enhanced = /^([245]\.\d{1,3}\.\d{1,3})\b/.exec(lines[0]!)?.[1]
    return {
      code: Number(code),
      ...(enhanced ? { enhanced } : {}),
      lines,
      text: `${code} ${lines.join(' / ')}`.slice(0, 300),
      secured,
    }
  }
}
