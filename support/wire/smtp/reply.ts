import type { ReplyFields } from './line-fields.ts'
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

/** What the other side sent is no SMTP reply. */
export class NotSmtp extends Error {
  override name = 'NotSmtp'
}

/** Joins the lines of replies; RFC 5321 s4.2.1. */
export class ReplyReader {
  #lines: string[] = []
  /** Enhanced status code of the first line. */
  #enhanced: string | undefined

  /**
   * The reply that this line ends, or nothing yet. Throws NotSmtp for a line that is none of a reply, and PeerLimit for a
   * reply without end.
   */
  read({ code, enhanced, words, last }: ReplyFields, secured: boolean): Reply | undefined {
    if (this.#lines.length >= MAX_LINES) throw new PeerLimit(`a reply of more than ${MAX_LINES} lines`)
    if (code === undefined) throw new NotSmtp(`not an SMTP reply: ${words.slice(0, 120)}`)
    if (this.#lines.length === 0) this.#enhanced = enhanced
    this.#lines.push(words)
    if (!last) return undefined
    const lines = this.#lines
    this.#lines = []
    return {
      code,
      ...(this.#enhanced ? { enhanced: this.#enhanced } : {}),
      lines,
      text: `${code} ${lines.join(' / ')}`.slice(0, 300),
      secured,
    }
  }
}
