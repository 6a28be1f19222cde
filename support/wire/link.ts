import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { type Cut, writePieces } from './write-in-pieces.ts'

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
  /** When this link ends, the socket stays open for another link. */
  keepsSocket = false

  constructor(socket: Socket, tap: Tap) {
    super({ allowHalfOpen: true })
    this.socket = socket
    this.#tap = tap
    socket.setNoDelay(true)
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#tap.received(chunk)
    // The recorder may end the connection because of these bytes.
    if (!this.destroyed && !this.push(chunk)) this.socket.pause()
  }
  readonly #onEnd = (): void => {
    this.push(null)
  }
  readonly #onError = (error: Error): void => {
    this.destroy(error)
  }
  readonly #onClose = (): void => {
    this.destroy()
  }

  /** A link on the same socket, where this one kept it; bytes that come in the meantime are for that link. */
  successor(): Link {
    this.destroy()
    const link = new Link(this.socket, this.#tap)
    if (this.socket.destroyed) link.destroy()
    else this.socket.resume()
    return link
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
    if (this.keepsSocket) done()
    else this.socket.end(() => done())
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.keepsSocket) this.#leaveSocket()
    else this.socket.destroy()
    done(error)
  }

  #leaveSocket(): void {
    const { socket } = this
    socket.pause()
    socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose)
    // The listener for errors stays: an error that nobody hears would end the process.
  }

  /** Ends the connection with RST: the peer sees a reset, not an orderly end. */
  reset(): void {
    this.socket.resetAndDestroy()
  }
}
