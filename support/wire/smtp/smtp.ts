import { type Socket, connect as tcpConnect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import type { Party } from '../conversation.ts'
import { Link } from '../link.ts'
import { MAX_WAIT } from '../patience.ts'
import { printable } from '../printable.ts'
import type { Recorder } from '../recorder.ts'
import { withoutCredentials } from '../secrets.ts'
import { type ClientTls, connectionOptions } from '../tls/client-tls.ts'
import { beginTls } from '../tls/handshake.ts'
import { bounded, reasonOf, WireError } from '../wire-error.ts'
import { type Cut, writePieces } from '../write-in-pieces.ts'
import { type Room, roomAt } from './connection-limit.ts'
import { replyFields } from './line-fields.ts'
import { LineBuffer, PeerLimit } from './lines.ts'
import { NotSmtp, type Reply, ReplyReader } from './reply.ts'

export type { ClientTls } from '../tls/client-tls.ts'
// The types that the client takes and returns, and the error that it throws.
export { type Breakdown, WireError } from '../wire-error.ts'
export type { Reply } from './reply.ts'

/** All waits of one session together, in ms, so that a server that always answers late cannot hold a session for long. */
const MAX_SESSION = 4 * MAX_WAIT
/** The first bytes of a TLS record with an alert; RFC 8446 s5.1. */
const TLS_ALERT = [0x15, 0x03] as const

export interface Endpoint {
  host: string
  port: number
  /** TLS begins with the connection, without STARTTLS (RFC 8314 s3). */
  implicitTls?: ClientTls
}

/** `host:port`, an IPv6 address in brackets. */
export const addressOf = ({ host, port }: Endpoint): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** One thing that a client says: a command, or a chunk of a message behind the BDAT that announces it (RFC 3030 s2). */
export type Utterance = { command: string } | { chunk: Buffer; last: boolean }

/** How the bytes of a client leave; absent: in one write. */
export interface Writes {
  commands?: Cut
  /** Of messages, with the dot or the BDAT command that belongs to them. */
  messages?: Cut
}

/** A message as DATA transfers it, without the final dot: CRLF line ends, dots doubled. RFC 5321 s4.5.2. */
export const dotStuffed = (message: string): string =>
  message.replace(/\r?\n/g, '\r\n').replace(/(^|\n)\./g, '$1..')

/** The sending side of an SMTP connection, byte by byte. Every wait is bounded by MAX_WAIT, all together by MAX_SESSION. */
export class SmtpClient {
  readonly recorder: Recorder
  /** The room at the server, which this connection takes; absent once it has left. */
  #room: Room | undefined
  /** The server has answered. */
  #answered = false
  #link: Link
  #stream: Link | TLSSocket
  #buffer = new LineBuffer()
  #reader = new ReplyReader()
  #replies: Reply[] = []
  #waiting: ((result: Reply | WireError) => void) | undefined
  #ended: WireError | undefined
  #secured = false
  #answeredInTls = false
  /** The connection was encrypted, or was to be, and goes on unencrypted. */
  #leftTls = false
  /** The receiver answered unencrypted bytes with a TLS alert. */
  #alert = false
  /** Of MAX_SESSION, in ms. */
  #left = MAX_SESSION
  #session: Buffer | undefined
  #status: Buffer | undefined
  writes: Writes = {}
  /** All pieces so far have left. */
  #pieces = Promise.resolve()
  #waitingPieces = 0

  private constructor(socket: Socket, recorder: Recorder, room: Room) {
    this.recorder = recorder
    this.#room = room
    this.#link = new Link(socket, recorder)
    this.#stream = this.#link
    recorder.whenFull(limit => this.#end(new WireError('unexpected answer', limit.message)))
    this.#listen()
  }

  /** Waits for room where the server takes a few connections at a time alone. */
  static async connect(to: Endpoint, recorder: Recorder, localAddress?: string): Promise<SmtpClient> {
    const room = roomAt(to)
    await room.enter()
    const socket = tcpConnect({ host: to.host, port: to.port, ...(localAddress ? { localAddress } : {}) })
    try {
      await bounded(
        new Promise<void>((resolve, reject) => {
          socket.once('connect', resolve)
          socket.on('error', error => reject(new WireError('no connection', error.message)))
        }),
        `no connection to ${to.host}:${to.port}`,
      )
    } catch (error) {
      room.leave()
      socket.destroy()
      recorder.event('sender', 'error', printable((error as Error).message, 300))
      recorder.event('sender', 'close', 'no connection')
      throw error
    }
    recorder.event('sender', 'open', `to ${to.host} port ${to.port}`)
    const client = new SmtpClient(socket, recorder, room)
    if (to.implicitTls) await client.startTls(to.implicitTls)
    return client
  }

  /** The address that the receiver sees. */
  get localAddress(): string {
    return this.#link.socket.localAddress ?? ''
  }

  get secured(): boolean {
    return this.#secured
  }

  /** With it a later connection may resume this TLS session; absent until the receiver has given it. */
  get session(): Buffer | undefined {
    return this.#session
  }

  /** The OCSP answer that the receiver sent with its certificate, where it was asked for one. */
  get status(): Buffer | undefined {
    return this.#status
  }

  /** The handshake went on from an earlier session. */
  get resumed(): boolean {
    return this.#stream instanceof TLSSocket && this.#stream.isSessionReused()
  }

  /** Reads the stream that is in use now. The end of an earlier one below it shows in this one. */
  #listen(): void {
    const stream = this.#stream
    const ends = (error: WireError) => {
      if (stream === this.#stream) this.#end(error)
    }
    stream.on('data', this.#onData)
    stream.on('end', () => ends(new WireError('connection closed', 'the receiver closed the connection')))
    stream.on('error', error => ends(this.#broken(error)))
    stream.on('close', () => ends(new WireError('connection closed', 'the connection is gone')))
  }

  /** With TLS 1.3 a receiver refuses the client's certificate after the client's side of the handshake is done: RFC 8446 s4.4.2.4. */
  #broken(error: NodeJS.ErrnoException): WireError {
    const refused = this.#secured && !this.#answeredInTls && error.code?.startsWith('ERR_SSL_')
    return new WireError(refused ? 'handshake failure' : 'connection closed', reasonOf(error))
  }

  #onData = (chunk: Buffer): void => {
    try {
      this.#buffer.push(chunk)
      // What the receiver wrote before it knew that TLS is over.
      if (this.#leftTls && !this.#buffer.skipRecords()) return
      while (!this.#ended) {
        this.#alert = !this.#secured && this.#buffer.begins(...TLS_ALERT)
        if (this.#alert) throw new NotSmtp('a TLS alert in place of a reply')
        const line = this.#buffer.next()
        if (!line) return
        this.#line(line)
      }
    } catch (error) {
      if (!(error instanceof PeerLimit || error instanceof NotSmtp)) throw error
      this.#end(new WireError('unexpected answer', error.message))
    }
  }

  #line(bytes: Buffer): void {
    const text = printable(bytes)
    this.#answeredInTls = this.#secured
    this.recorder.event('receiver', 'reply', text, this.#secured)
    const reply = this.#reader.read(replyFields(text), this.#secured)
    if (reply) this.#deliver(reply)
  }

  #deliver(reply: Reply): void {
    if (!this.#answered && reply.code === 421) {
      this.#room?.refuse()
      this.#room = undefined
    }
    this.#answered = true
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) waiting(reply)
    else this.#replies.push(reply)
  }

  /** Ends the connection: notes it in the record, rejects the wait for a reply, and destroys the socket. */
  #end(error: WireError, from: Party = 'receiver'): void {
    if (this.#ended) return
    this.#ended = error
    this.#room?.leave()
    this.#room = undefined
    this.recorder.event(from, 'close', error.message, this.#secured)
    this.#waiting?.(error)
    this.#waiting = undefined
    this.#stream.destroy()
    this.#link.destroy()
  }

  /** The next whole reply. Throws WireError. */
  async reply(wait = MAX_WAIT): Promise<Reply> {
    const early = this.#replies.shift()
    if (early) return early
    if (this.#ended) throw this.#ended
    try {
      const result = await this.#bounded(
        new Promise<Reply | WireError>(resolve => {
          this.#waiting = resolve
        }),
        'no reply',
        wait,
      )
      if (result instanceof WireError) throw result
      return result
    } finally {
      this.#waiting = undefined
    }
  }

  /** As `bounded`, within what is left of MAX_SESSION. */
  async #bounded<T>(promise: Promise<T>, what: string, wait: number): Promise<T> {
    const began = performance.now()
    try {
      return await bounded(promise, what, Math.min(wait, this.#left))
    } finally {
      this.#left = Math.max(this.#left - (performance.now() - began), 0)
    }
  }

  /** Begins another piece of work on the connection, with the whole of MAX_SESSION. */
  renew(): void {
    this.#left = MAX_SESSION
  }

  /**
   * To be called before a command: throws WireError when a reply is there already, which cannot be the reply to the
   * command. Only 421 may come unasked (RFC 5321 s3.8).
   */
  inStep(): void {
    const early = this.#replies.find(({ code }) => code !== 421)
    if (early) throw new WireError('unexpected answer', `a reply that nobody asked for: ${early.text}`)
  }

  /** Replies that came and were not awaited. */
  get unread(): readonly Reply[] {
    return this.#replies
  }

  async command(line: string): Promise<Reply> {
    this.write(`${line}\r\n`, withoutCredentials(line))
    return this.reply()
  }

  /** Sends bytes as they are. `shown` is what the record says of them. */
  write(bytes: string | Buffer, shown = printable(bytes)): void {
    if (this.#ended) throw this.#ended
    this.recorder.event('sender', 'command', printable(shown), this.#secured)
    this.#send(Buffer.from(bytes), this.writes.commands)
  }

  /** Says several things without waiting for replies between them (RFC 2920), in one write where nothing is to be cut. */
  say(utterances: readonly Utterance[]): void {
    if (this.#ended) throw this.#ended
    const parts = utterances.map(one => {
      const command = 'command' in one ? one.command : `BDAT ${one.chunk.length}${one.last ? ' LAST' : ''}`
      this.recorder.event('sender', 'command', printable(command), this.#secured)
      const line = Buffer.from(`${command}\r\n`)
      if ('command' in one) return { bytes: line, cut: this.writes.commands }
      this.recorder.event('sender', 'content', `chunk of ${one.chunk.length} bytes`, this.#secured)
      return { bytes: Buffer.concat([line, one.chunk]), cut: this.writes.messages }
    })
    if (parts.some(({ cut }) => cut)) for (const { bytes, cut } of parts) this.#send(bytes, cut)
    else this.#send(Buffer.concat(parts.map(({ bytes }) => bytes)))
  }

  /**
   * Sends a message and the final dot, dots stuffed (RFC 5321 s4.5.2), and awaits the verdict on it. `message` has one
   * character for each byte.
   */
  async content(message: string): Promise<Reply> {
    if (this.#ended) throw this.#ended
    const stuffed = dotStuffed(message)
    this.recorder.event('sender', 'content', `message of ${message.length} bytes`, this.#secured)
    const whole = `${stuffed}${stuffed.endsWith('\r\n') ? '' : '\r\n'}.\r\n`
    this.#send(Buffer.from(whole, 'latin1'), this.writes.messages)
    return this.reply()
  }

  #send(bytes: Buffer, cut?: Cut): void {
    const stream = this.#stream
    if (!cut && this.#waitingPieces === 0) {
      stream.write(bytes)
      return
    }
    const pieces = cut?.(bytes) ?? [bytes]
    this.#waitingPieces++
    this.#pieces = this.#pieces.then(async () => {
      await writePieces(pieces, async piece => {
        if (this.#ended) return false
        await new Promise<void>(resolve => stream.write(piece, () => resolve()))
        return true
      })
      this.#waitingPieces--
    })
  }

  /**
   * Begins TLS; call right after the 220 to STARTTLS. Whatever was read after that 220 and before TLS is dropped, as it
   * may come from somebody else (RFC 3207 s6). Throws WireError when the receiver fails, any other error when `tls`
   * cannot be used.
   */
  async startTls(tls: ClientTls, wait = MAX_WAIT): Promise<void> {
    this.#expectTls()
    try {
      await this.#handshake(tls, wait)
    } catch (error) {
      this.recorder.failed(error as Error)
      this.#end(
        error instanceof WireError ? error : new WireError('connection closed', 'by the sender'),
        'sender',
      )
      throw error
    }
  }

  /**
   * As `startTls`, but a handshake that fails does not end the connection: it goes on unencrypted, as far as the receiver
   * lets it. Gives the failure, or nothing.
   */
  async tryTls(tls: ClientTls, wait = MAX_WAIT): Promise<WireError | undefined> {
    this.#expectTls()
    this.#link.keepsSocket = true
    try {
      await this.#handshake(tls, wait)
      this.#link.keepsSocket = false
      return undefined
    } catch (error) {
      this.recorder.failed(error as Error)
      this.#leaveTls()
      if (error instanceof WireError && error.breakdown === 'handshake failure') return error
      this.close()
      throw error
    }
  }

  /**
   * The connection below TLS, for a handshake that the caller speaks byte by byte. Call right after the 220 to STARTTLS, or
   * at once where TLS begins with the connection. Throws WireError when the receiver has ended the connection.
   */
  bareTls(): Link {
    this.#expectTls()
    return this.#link
  }

  /** Ends TLS with close_notify (RFC 8446 s6.1). The connection stays open and goes on unencrypted. */
  async endTls(): Promise<void> {
    await this.#pieces
    this.#link.keepsSocket = true
    await new Promise<void>(resolve => this.#stream.end(resolve))
    this.#leaveTls()
  }

  #leaveTls(): void {
    const secure = this.#stream
    secure.off('data', this.#onData)
    this.#link = this.#link.successor()
    this.#stream = this.#link
    this.#secured = false
    this.#leftTls = true
    this.#buffer = new LineBuffer()
    this.#reader = new ReplyReader()
    this.#listen()
    secure.destroy()
  }

  #expectTls(): void {
    const { recorder } = this
    if (this.#alert)
      throw new WireError('handshake failure', 'it answered what came behind STARTTLS with an alert')
    if (this.#ended) throw this.#ended
    this.#link.off('data', this.#onData)
    const rest = this.#buffer.drain()
    if (rest.length) recorder.event('receiver', 'bytes', `before the handshake: ${printable(rest)}`)
    this.#reader = new ReplyReader()
    this.#replies = []
    recorder.expectTls('sender')
    recorder.expectTls('receiver')
  }

  async #handshake(tls: ClientTls, wait: number): Promise<void> {
    if (tls.cutsHello) this.#link.cutNext(tls.cutsHello)
    const { socket: secure, done } = beginTls(this.#link, connectionOptions(tls), this.recorder)
    this.#stream = secure
    secure.on('session', session => {
      this.#session = session
    })
    secure.once('OCSPResponse', (answer: Buffer | null) => {
      this.#status = answer ?? undefined
    })
    // A server that writes session tickets right after a TLS 1.3 handshake holds its next write back until they are
    // acknowledged, and our kernel delays that for 40 ms. A command sent after the tickets carries the acknowledgement.
    const ticket = new Promise<void>(resolve => secure.once('session', () => setImmediate(resolve)))
    await this.#bounded(done, 'no answer to the handshake', wait)
    this.#buffer = new LineBuffer()
    this.#secured = true
    this.recorder.secured(secure, tls.identity?.certificate)
    this.#listen()
    if (secure.getProtocol() === 'TLSv1.3') await Promise.race([ticket, pause(3)])
  }

  /**
   * Begins another handshake inside TLS, up to TLS 1.2. Whether the receiver goes along; one that does not may end the
   * connection. Throws WireError 'no answer' where it does nothing.
   */
  async renegotiates(): Promise<boolean> {
    const stream = this.#stream
    if (this.#ended || !(stream instanceof TLSSocket)) throw this.#ended ?? new Error('there is no TLS')
    return this.#bounded(
      new Promise<boolean>(resolve => {
        stream.once('close', () => resolve(false))
        stream.renegotiate({ rejectUnauthorized: false }, error => resolve(error === null))
      }),
      'no answer to another handshake',
      MAX_WAIT,
    )
  }

  /** Why the receiver's certificate does not chain to the roots that were given; undefined when it does. */
  get chainError(): string | undefined {
    const stream = this.#stream
    if (!(stream instanceof TLSSocket)) return 'no TLS'
    return stream.authorized ? undefined : String(stream.authorizationError)
  }

  /**
   * Says QUIT and at once that nothing more will come, with close_notify inside TLS: a busy sender does the same, and
   * Exim holds its answer back for 200 ms if not. What the peer answers is read; one that does not answer is left.
   */
  async quit(): Promise<void> {
    try {
      this.write('QUIT\r\n', 'QUIT')
      await this.#pieces
      const parted = new Promise<void>(resolve => {
        // A receiver that closes first destroys the stream, and then nobody calls the callback of `end`.
        this.#stream.once('close', resolve)
        if (this.#ended) resolve()
        else this.#stream.end(resolve)
      })
      await this.reply()
      await bounded(parted, 'no end', 1_000)
    } catch {
      // The connection is gone already.
    }
    this.close()
  }

  /** Cuts the TCP connection without close_notify and without QUIT. */
  cut(): void {
    this.#link.reset()
    this.#end(new WireError('connection closed', 'cut by the sender, without QUIT or close_notify'), 'sender')
  }

  close(): void {
    this.#end(new WireError('connection closed', 'by the sender'), 'sender')
  }
}

/** RFC 4954, PLAIN of RFC 4616: the command with its initial response. */
export const authPlain = (name: string, password: string): string =>
  `AUTH PLAIN ${Buffer.from(`\0${name}\0${password}`).toString('base64')}`
