import { Duplex } from 'node:stream'
import type { Link } from '../link.ts'
import { writeInPieces } from '../write-in-pieces.ts'

/** How TLS is carried; all absent: as by the link itself. */
export interface Carriage {
  /** Writes at most so many bytes at a time. */
  pieces?: number
  /** What goes out in place of what TLS writes. */
  rewrites?: (bytes: Buffer) => Buffer
  /**
   * TLS may end, and the link does not end with it. Whatever comes then, or before, and is no TLS record goes here
   * (RFC 8446 s5.1).
   */
  onUnencrypted?: (bytes: Buffer) => void
}

const HEADER = 5

/** Carries TLS over a link, in place of the link. */
export class TlsCarrier extends Duplex {
  readonly #link: Link
  readonly #how: Carriage
  #rest: Buffer = Buffer.alloc(0)

  constructor(link: Link, how: Carriage) {
    super({ allowHalfOpen: true })
    this.#link = link
    this.#how = { ...how }
    link.on('data', this.#onData)
    link.once('end', () => this.push(null))
    link.once('error', error => this.destroy(error))
    link.once('close', () => this.destroy())
  }

  /** From here on the link ends with TLS. */
  endsWithTls(): void {
    delete this.#how.onUnencrypted
  }

  #onData = (chunk: Buffer): void => {
    const { onUnencrypted } = this.#how
    if (!onUnencrypted) {
      this.#pass(chunk)
      return
    }
    this.#rest = Buffer.concat([this.#rest, chunk])
    for (let length = this.#next(); length > 0; length = this.#next()) {
      const bytes = this.#rest.subarray(0, length)
      this.#rest = this.#rest.subarray(length)
      if (isRecord(bytes)) this.#pass(bytes)
      else onUnencrypted(bytes)
    }
  }

  /** Length of the record that is there as a whole, or of all bytes where they are none; else 0. */
  #next(): number {
    const { length } = this.#rest
    if (length === 0 || !isRecord(this.#rest)) return length
    const record = length < HEADER ? Infinity : HEADER + this.#rest.readUInt16BE(3)
    return record <= length ? record : 0
  }

  #pass(bytes: Buffer): void {
    if (!this.destroyed && !this.push(bytes)) this.#link.pause()
  }

  override _read(): void {
    this.#link.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const bytes = this.#how.rewrites ? this.#how.rewrites(chunk) : chunk
    const { pieces } = this.#how
    if (bytes.length === 0) done()
    else if (pieces === undefined) this.#link.write(bytes, done)
    else writeInPieces(this.#link, bytes, pieces, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#how.onUnencrypted) done()
    else this.#link.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Whoever listens for unencrypted bytes still wants to hear them.
    if (this.#how.onUnencrypted) this.#link.resume()
    else this.#link.destroy()
    done(error)
  }
}

/** As far as can be told from the first two bytes. */
const isRecord = ([type, major = 3]: Buffer): boolean =>
  type !== undefined && type >= 20 && type <= 24 && major === 3
