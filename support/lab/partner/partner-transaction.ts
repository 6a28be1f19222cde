/** What BDAT announced (RFC 3030 s2): `left` bytes of the chunk have not come. */
export interface Chunk {
  left: number
  last: boolean
  /** The reply to a chunk that is refused. It comes all the same, and is dropped. */
  refusal?: string
}

/** One mail transaction (RFC 5321 s3.3): the envelope, and what has come of the message. */
export class Transaction {
  /** Absent before MAIL. */
  from: string | undefined
  to: string[] = []
  /** Bytes of the message that have come. */
  size = 0
  /** Since DATA. */
  #lines: string[] | undefined
  /** Since the first BDAT. */
  readonly #chunks: Buffer[] = []

  /** Whether the next line belongs to the message. */
  get takesLines(): boolean {
    return this.#lines !== undefined
  }

  get hasChunks(): boolean {
    return this.#chunks.length > 0
  }

  beginLines(): void {
    this.#lines = []
  }

  /** A line without its end. The dot that stands before another dot is removed: RFC 5321 s4.5.2. */
  addLine(line: Buffer): void {
    const text = line.toString('latin1')
    this.#lines!.push(text.startsWith('.') ? text.slice(1) : text)
  }

  addChunk(bytes: Buffer): void {
    this.#chunks.push(bytes)
  }

  /** The message, one character for each byte. */
  get content(): string {
    return this.#lines ? `${this.#lines.join('\r\n')}\r\n` : Buffer.concat(this.#chunks).toString('latin1')
  }
}
