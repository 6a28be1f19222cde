import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { type Cut, writePieces } from './pieces.ts'

/** Gets every byte of a TCP connection, below TLS. */
export interface Tap {
  received(chunk: Buffer): void
  sent(chunk: Buffer): void
}

/**
 * A TCP socket of which a recorder gets every byte. TLS runs on top of the link, so the recorder sees TLS records: what
 * crossed unencrypted is known from the bytes themselves, not from what a library says about them.
 */
export class Link extends Duplex {
  readonly socket: Socket
  readonly #tap: Tap
  #cut: Cut | undefined

  constructor(socket: Socket, tap: Tap) {
    super({ allowHalfOpen: true })
    this.socket = socket
    this.#tap = tap
    socket.setNoDelay(true)
    socket.on('data', chunk => {
      tap.received(chunk)
      // The recorder may end the connection because of these bytes.
      if (!this.destroyed && !this.push(chunk)) socket.pause()
    })
    socket.on('end', () => this.push(null))
    socket.on('error', error => this.destroy(error))
    socket.on('close', () => this.destroy())
  }

  override _read(): void {
    this.socket.resume()
  }

  /** The next bytes that are written leave in pieces. */
  cutNext(cut: Cut): void {
    this.#cut = cut
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const cut = this.#cut
    this.#cut = undefined
    if (!cut) this.#out(chunk, () => done())
    else
      writePieces(cut(chunk), piece => new Promise(resolve => this.#out(piece, resolve))).then(
        () => done(),
        done,
      )
  }

  /** Tells whether the bytes left: nothing does once the socket is closed. */
  #out(chunk: Buffer, done: (left: boolean) => void): void {
    if (this.socket.destroyed || this.socket.writableEnded) done(false)
    else {
      this.#tap.sent(chunk)
      this.socket.write(chunk, error => done(!error))
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    this.socket.end(() => done())
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.socket.destroy()
    done(error)
  }

  /** Ends the connection with RST: the peer sees a reset, not an orderly end. */
  reset(): void {
    this.socket.resetAndDestroy()
  }
}
