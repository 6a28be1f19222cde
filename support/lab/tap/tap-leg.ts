import type { Socket } from 'node:net'
import type { ConnectionOptions, TLSSocket, TlsOptions } from 'node:tls'
import type { Party } from '../../wire/conversation.ts'
import { Link } from '../../wire/link.ts'
import type { Recorder } from '../../wire/recorder.ts'
import { LineBuffer } from '../../wire/smtp/lines.ts'
import { acceptTls, beginTls } from '../../wire/tls/handshake.ts'
import { bounded, reasonOf, WireError } from '../../wire/wire-error.ts'

/** How long one leg may take to close after the other leg has closed, in ms. */
const LINGER = 1_000

/** One of the two connections of a tap, with its record and what has been read of it. */
export class Leg {
  readonly link: Link
  readonly recorder: Recorder
  /** The server at the other end of the connection: the one that sends, or the one that receives. */
  readonly #party: Party
  /** The server in whose place the tap is on this connection. */
  readonly #ours: Party
  lines = new LineBuffer()
  reply: Buffer[] = []
  onData: (chunk: Buffer) => void = () => {}
  onEnd = () => {}
  onReset = () => {}
  onClose = () => {}
  onRecord: (text: string) => void = () => {}
  #stream: Link | TLSSocket
  #opened = false
  /** The side that ended the connection first. */
  #ender: Party | undefined
  /** How many reasons there are at the moment not to read from the connection. */
  #holds = 0
  #full = false
  #giveUp: (error: WireError) => void = () => {}

  constructor(socket: Socket, recorder: Recorder, party: Party) {
    this.recorder = recorder
    this.#party = party
    this.#ours = party === 'sender' ? 'receiver' : 'sender'
    this.link = new Link(socket, recorder)
    this.#stream = this.link
    this.link.on('data', this.#data)
    this.link.on('end', this.#ended)
    this.link.on('error', error => {
      this.#ender ??= party
      this.record('error', reasonOf(error), party)
      if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') this.onReset()
    })
    this.link.on('close', () => {
      this.record('close', this.#opened ? 'closed' : 'no connection', this.#ender ?? party)
      this.onClose()
    })
  }

  readonly #data = (chunk: Buffer): void => this.onData(chunk)

  readonly #ended = (): void => {
    this.#ender ??= this.#party
    this.onEnd()
  }

  record(kind: Parameters<Recorder['event']>[1], text: string, from: Party, secured = false): void {
    this.recorder.event(from, kind, text, secured)
    if (kind !== 'close') this.onRecord(text)
  }

  opened(text: string): void {
    this.#opened = true
    this.record('open', text, 'sender')
  }

  /** Sends bytes that the leg `from` has received. Reads no more of that leg until they are sent. */
  write(bytes: Buffer, from: Leg): void {
    const stream = this.#stream
    if (bytes.length === 0 || !stream.writable || stream.write(bytes) || this.#full) return
    this.#full = true
    from.hold()
    stream.once('drain', () => {
      this.#full = false
      from.release()
    })
  }

  hold(): void {
    if (this.#holds++ === 0) this.#stream.pause()
  }

  release(): void {
    if (--this.#holds === 0) this.#stream.resume()
  }

  /** Sends nothing more. What the other end still sends is passed on. */
  end(): void {
    this.#ender ??= this.#ours
    if (this.#stream.writable) this.#stream.end()
  }

  /** As `end`, after the other leg has closed: destroys the connection if the other end does not close it soon. */
  endSoon(): void {
    this.end()
    setTimeout(() => this.link.destroy(), LINGER).unref()
  }

  drop(why: string): void {
    this.record('close', why, this.#ours)
    this.link.destroy()
  }

  reset(why = 'reset'): void {
    this.record('close', why, this.#ours)
    this.link.reset()
  }

  /** Makes a TLS handshake as the server. Throws as `acceptTls` does, and WireError 'no answer' after `wait` ms. */
  accept(options: TlsOptions, wait: number): Promise<void> {
    return this.#secure(() => acceptTls(this.link, options), wait, String(options.cert))
  }

  /** Makes a TLS handshake as the client. Throws likewise. */
  begin(options: ConnectionOptions, wait: number): Promise<void> {
    return this.#secure(async () => {
      const { socket, done } = beginTls(this.link, options, this.recorder)
      await done
      return socket
    }, wait)
  }

  async #secure(handshake: () => Promise<TLSSocket>, wait: number, chain?: string): Promise<void> {
    this.link.off('data', this.#data)
    try {
      const abandoned = new Promise<never>((_, reject) => {
        this.#giveUp = reject
      })
      const answered = bounded(handshake(), 'no answer to the handshake', wait)
      const socket = await Promise.race([answered, abandoned])
      this.recorder.secured(socket, chain)
      this.#stream = socket
      this.lines = new LineBuffer()
      socket.on('error', error => this.record('error', reasonOf(error), this.#party))
      socket.on('end', this.#ended)
    } catch (error) {
      this.recorder.failed(error as Error)
      throw error
    }
  }

  /** Ends a handshake that is under way: nobody waits for it any more, so the other end was silent. */
  giveUpHandshake(): void {
    this.#giveUp(new WireError('no answer', 'no answer to the handshake before the other server gave up'))
  }

  /** Begins to read what comes inside TLS. */
  listen(): void {
    this.#stream.on('data', this.#data)
    this.release()
  }
}
