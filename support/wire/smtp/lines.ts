/** Longest line that is read from a peer, in bytes. RFC 5321 s4.5.3.1 allows 1000; some servers send more. */
export const MAX_LINE = 8192

/** A peer sent more than the lab reads (length of a line, of a reply). It is the peer's fault, never the lab's. */
export class PeerLimit extends Error {
  override name = 'PeerLimit'
}

/**
 * Cuts a stream of bytes into lines. Keeps bytes, not strings: what follows a STARTTLS must not be decoded.
 * `next` throws PeerLimit when a line is longer than MAX_LINE, ended or not.
 */
export class LineBuffer {
  #rest: Buffer = Buffer.alloc(0)

  push(chunk: Buffer): void {
    this.#rest = this.#rest.length ? Buffer.concat([this.#rest, chunk]) : chunk
  }

  /** The next whole line without its line end, or nothing yet. */
  next(): Buffer | undefined {
    const line = this.whole()
    return line && withoutEnd(line)
  }

  /** The same with its line end. */
  whole(): Buffer | undefined {
    const end = this.#rest.indexOf(0x0a)
    if ((end < 0 ? this.#rest.length : end) > MAX_LINE)
      throw new PeerLimit(`a line of more than ${MAX_LINE} bytes`)
    if (end < 0) return undefined
    const line = this.#rest.subarray(0, end + 1)
    this.#rest = this.#rest.subarray(end + 1)
    return line
  }

  /** The next bytes, lines or not, or nothing as long as fewer have come. */
  take(count: number): Buffer | undefined {
    if (this.#rest.length < count) return undefined
    const bytes = this.#rest.subarray(0, count)
    this.#rest = this.#rest.subarray(count)
    return bytes
  }

  /** Drops the TLS records (RFC 8446 s5.1) that come next. Whether what is left does not begin with a part of one. */
  skipRecords(): boolean {
    for (;;) {
      const type = this.#rest[0]
      // Alerts and encrypted records: no reply begins with these bytes.
      if (type !== 0x15 && type !== 0x17) return true
      if (this.#rest.length < 5 || !this.take(5 + this.#rest.readUInt16BE(3))) return false
    }
  }

  /** Whether these bytes come next, be they a line or not. */
  begins(...bytes: number[]): boolean {
    return bytes.every((byte, i) => this.#rest[i] === byte)
  }

  get isEmpty(): boolean {
    return this.#rest.length === 0
  }

  /** A copy of the bytes that were not read yet. */
  get rest(): Buffer {
    return Buffer.from(this.#rest)
  }

  /** How many these are. */
  get size(): number {
    return this.#rest.length
  }

  /** Takes all bytes that are left, with an unfinished line: at STARTTLS these bytes came too early. */
  drain(): Buffer {
    const rest = this.#rest
    this.#rest = Buffer.alloc(0)
    return rest
  }
}

/** A line of `LineBuffer.whole` as `next` has it. */
export const withoutEnd = (line: Buffer): Buffer => line.subarray(0, line.at(-2) === 0x0d ? -2 : -1)
