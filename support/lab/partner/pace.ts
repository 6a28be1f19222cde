import type { Writable } from 'node:stream'
import { writeInPieces } from '../../wire/write-in-pieces.ts'
import type { PartnerManner } from './partner-manner.ts'

/** What the end of a message is called among the verbs. */
export const CONTENT = 'content'

/** How long a slow reply takes, in ms. */
export const SLOW = 150

/** After which command, or after the content of a message, the reply of a slow partner takes long. */
const SLOW_AFTER: Partial<Record<NonNullable<PartnerManner['speed']>, string>> = {
  'reply to EHLO after 150 ms': 'EHLO',
  'go-ahead after 150 ms': 'STARTTLS',
  'reply to the content after 150 ms': CONTENT,
}

type Done = (error?: Error | null) => void

/** The speed at which a partner answers. While a reply is under way, no other command is taken. */
export class Pace {
  readonly #speed: PartnerManner['speed']
  readonly #onFree: () => void
  #next: NodeJS.Timeout | undefined
  #isOver = false
  /** A reply is under way. */
  busy = false
  /** To what the next reply is: a verb, or CONTENT. */
  answers = ''

  /** `onFree` is called each time when a reply is no longer under way. */
  constructor(speed: PartnerManner['speed'], onFree: () => void) {
    this.#speed = speed
    this.#onFree = onFree
  }

  /** Does the work of a reply when the reply is due. */
  due(work: () => void): void {
    if (this.#speed && this.answers === SLOW_AFTER[this.#speed]) this.later(SLOW, work)
    else work()
  }

  later(ms: number, work: () => void): void {
    this.busy = true
    this.#next = setTimeout(() => {
      this.busy = false
      work()
      this.#onFree()
    }, ms)
  }

  /** Calls `then` at once, or when the last single byte has been written. */
  write(stream: Writable, bytes: Buffer, then: () => void): void {
    if (this.#speed === 'replies in single bytes') this.#trickle(stream, bytes, then)
    else {
      stream.write(bytes)
      then()
    }
  }

  /** Calls `then` when all bytes have been written, or with the error. */
  flush(stream: Writable, bytes: Buffer, then: Done): void {
    if (this.#speed === 'replies in single bytes') this.#trickle(stream, bytes, then)
    else stream.write(bytes, then)
  }

  #trickle(stream: Writable, bytes: Buffer, then: Done): void {
    this.busy = true
    writeInPieces(stream, bytes, 1, error => {
      if (this.#isOver) return
      this.busy = false
      then(error)
      this.#onFree()
    })
  }

  /** The connection is closed. */
  stop(): void {
    this.#isOver = true
    clearTimeout(this.#next)
  }
}
