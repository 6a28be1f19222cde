import { connect as tcpConnect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as tlsConnect, type SecureVersion, type TLSSocket } from 'node:tls'
import { LineBuffer, PeerLimit } from './lines.ts'
import { Link } from './link.ts'
import { printable } from './printable.ts'
import type { Recorder } from './recorder.ts'

/** Longest wait for one thing from the peer (connection, reply, handshake), in milliseconds. */
export const MAX_WAIT = 10_000
/** Longest reply, in lines. */
const MAX_REPLY_LINES = 200

export interface Endpoint {
  host: string
  port: number
}

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

/** Why a conversation could not go on. None of these is an SMTP refusal. */
export type Breakdown = 'no connection' | 'closed' | 'silent' | 'malformed' | 'handshake failed'

export class WireError extends Error {
  override name = 'WireError'
  readonly breakdown: Breakdown
  constructor(breakdown: Breakdown, detail: string) {
    super(`${breakdown}: ${detail}`)
    this.breakdown = breakdown
  }
}

/** How our side of a handshake behaves. PEM texts; versions as Node names them (`TLSv1.2`). */
export interface ClientTls {
  servername?: string
  /** Roots to check the receiver against. Without it the chain is looked at and not judged. */
  trust?: string[]
  identity?: { key: string; certificate: string }
  minVersion?: SecureVersion
  maxVersion?: SecureVersion
  /** OpenSSL cipher list; `@SECLEVEL=0` in it opens TLS 1.0 and 1.1. */
  ciphers?: string
}

/** The sending side of an SMTP connection, byte by byte. Every wait is bounded by MAX_WAIT. */
export class SmtpClient {
  readonly recorder: Recorder
  readonly #link: Link
  #stream: Link | TLSSocket
  #buffer = new LineBuffer()
  #lines: string[] = []
  #replies: Reply[] = []
  #waiting: ((result: Reply | WireError) => void) | undefined
  #ended: WireError | undefined
  #secured = false

  private constructor(socket: Socket, recorder: Recorder) {
    this.recorder = recorder
    this.#link = new Link(socket, recorder)
    this.#stream = this.#link
    this.#listen()
  }

  static async connect(to: Endpoint, recorder: Recorder, localAddress?: string): Promise<SmtpClient> {
    const socket = tcpConnect({ ...to, ...(localAddress ? { localAddress } : {}) })
    await bounded(
      new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve)
        socket.once('error', error => reject(new WireError('no connection', error.message)))
      }),
      `no connection to ${to.host}:${to.port}`,
      () => socket.destroy(),
    )
    socket.removeAllListeners('error')
    recorder.event('sender', 'open', `to ${to.host} port ${to.port}`)
    return new SmtpClient(socket, recorder)
  }

  get secured(): boolean {
    return this.#secured
  }

  #listen(): void {
    const stream = this.#stream
    stream.on('data', this.#onData)
    stream.on('end', () => stream === this.#stream && this.#end(new WireError('closed', 'the receiver closed the connection')))
    stream.on('error', error => this.#end(new WireError('closed', printable(error.message, 300))))
    stream.on('close', () => stream === this.#stream && this.#end(new WireError('closed', 'the connection is gone')))
  }

  #onData = (chunk: Buffer): void => {
    try {
      this.#buffer.push(chunk)
      for (let line = this.#buffer.next(); line; line = this.#buffer.next()) this.#line(line)
    } catch (error) {
      if (!(error instanceof PeerLimit)) throw error
      this.#end(new WireError('malformed', error.message))
      this.close()
    }
  }

  #line(bytes: Buffer): void {
    const text = printable(bytes)
    this.recorder.event('receiver', 'reply', text, this.#secured)
    const match = /^([2-5]\d\d)([ -]|$)(.*)/.exec(text)
    if (!match) return this.#end(new WireError('malformed', `not an SMTP reply: ${text.slice(0, 120)}`))
    this.#lines.push(match[3]!)
    if (this.#lines.length > MAX_REPLY_LINES)
      return this.#end(new WireError('malformed', `a reply of more than ${MAX_REPLY_LINES} lines`))
    if (match[2] === '-') return
    const lines = this.#lines
    this.#lines = []
    const enhanced = /^([245]\.\d{1,3}\.\d{1,3})\b/.exec(lines[0]!)?.[1]
    this.#deliver({
      code: Number(match[1]),
      ...(enhanced ? { enhanced } : {}),
      lines,
      text: `${match[1]} ${lines.join(' / ')}`.slice(0, 300),
      secured: this.#secured,
    })
  }

  #deliver(reply: Reply): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) waiting(reply)
    else this.#replies.push(reply)
  }

  #end(error: WireError): void {
    if (this.#ended) return
    this.#ended = error
    this.recorder.event('receiver', 'close', error.message, this.#secured)
    this.#waiting?.(error)
    this.#waiting = undefined
  }

  /** The next whole reply. Throws WireError: closed, silent, malformed. */
  async reply(wait = MAX_WAIT): Promise<Reply> {
    const early = this.#replies.shift()
    if (early) return early
    if (this.#ended) throw this.#ended
    const result = await bounded(
      new Promise<Reply | WireError>(resolve => {
        this.#waiting = resolve
      }),
      'no reply',
      () => {
        this.#waiting = undefined
      },
      wait,
    )
    if (result instanceof WireError) throw result
    return result
  }

  /** Replies that came without having been awaited. */
  get unread(): readonly Reply[] {
    return this.#replies
  }

  async command(line: string): Promise<Reply> {
    this.write(`${line}\r\n`, line)
    return this.reply()
  }

  /** Sends bytes as they are. `shown` is what the record says of them. */
  write(bytes: string | Buffer, shown = printable(bytes)): void {
    if (this.#ended) throw this.#ended
    this.recorder.event('sender', 'command', printable(shown), this.#secured)
    this.#stream.write(bytes)
  }

  /** Sends a message and the final dot, dots stuffed (RFC 5321 s4.5.2), and awaits the verdict on it. */
  async content(message: string): Promise<Reply> {
    if (this.#ended) throw this.#ended
    const stuffed = message.replace(/\r?\n/g, '\r\n').replace(/^\./gm, '..')
    this.recorder.event('sender', 'content', `message of ${Buffer.byteLength(message)} bytes`, this.#secured)
    this.#stream.write(`${stuffed}${stuffed.endsWith('\r\n') ? '' : '\r\n'}.\r\n`)
    return this.reply()
  }

  /** From now on the tap takes what crosses for TLS. Call right before STARTTLS is answered with 220. */
  async startTls(tls: ClientTls): Promise<void> {
    const { recorder } = this
    this.#link.removeAllListeners('data')
    recorder.expectTls('sender')
    recorder.expectTls('receiver')
    const options: ConnectionOptions = {
      socket: this.#link,
      rejectUnauthorized: false,
      ...(tls.servername ? { servername: tls.servername } : {}),
      ...(tls.trust ? { ca: tls.trust } : {}),
      ...(tls.identity ? { key: tls.identity.key, cert: tls.identity.certificate } : {}),
      ...(tls.minVersion ? { minVersion: tls.minVersion } : {}),
      ...(tls.maxVersion ? { maxVersion: tls.maxVersion } : {}),
      ...(tls.ciphers ? { ciphers: tls.ciphers } : {}),
    }
    const secure = tlsConnect(options)
    // A server that writes session tickets right after a TLS 1.3 handshake holds its next write back until they are
    // acknowledged, and our kernel delays that for 40 ms. A command sent after the tickets carries the acknowledgement.
    const ticket = new Promise<void>(resolve => secure.once('session', () => setImmediate(resolve)))
    try {
      await bounded(
        new Promise<void>((resolve, reject) => {
          secure.once('secureConnect', resolve)
          secure.once('error', error => reject(new WireError('handshake failed', printable(error.message, 300))))
          secure.once('close', () => reject(new WireError('handshake failed', 'the receiver closed the connection')))
        }),
        'no answer to the handshake',
        () => secure.destroy(),
      )
    } catch (error) {
      recorder.failed(error as Error)
      this.#ended ??= error as WireError
      this.close()
      throw error
    }
    recorder.secured(secure)
    secure.removeAllListeners('error').removeAllListeners('close')
    this.#stream = secure
    this.#secured = true
    this.#buffer = new LineBuffer()
    this.#listen()
    if (secure.getProtocol() === 'TLSv1.3') await Promise.race([ticket, delay(3)])
  }

  /** Whether the receiver's certificate chains to the roots that were given, and if not, why. */
  get chainError(): string | undefined {
    const stream = this.#stream as TLSSocket
    return stream.authorized ? undefined : String(stream.authorizationError)
  }

  /** Ends politely; a peer that does not answer QUIT is left. */
  async quit(): Promise<void> {
    try {
      await this.command('QUIT')
    } catch {
      // Already gone: nothing to part from.
    }
    this.close()
  }

  /** Cuts the TCP connection without close_notify and without QUIT. */
  cut(): void {
    this.recorder.event('sender', 'close', 'cut without QUIT or close_notify', this.#secured)
    this.#ended ??= new WireError('closed', 'cut by the sender')
    this.#link.reset()
  }

  close(): void {
    if (!this.recorder.conversation.closed) this.recorder.event('sender', 'close', 'closed', this.#secured)
    this.#ended ??= new WireError('closed', 'closed by the sender')
    this.#stream.destroy()
    this.#link.destroy()
  }
}

export function delay(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** Rejects with WireError 'silent' after `wait` ms; `give up` releases what the promise holds. */
async function bounded<T>(promise: Promise<T>, what: string, giveUp: () => void, wait = MAX_WAIT): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      giveUp()
      reject(new WireError('silent', `${what} within ${wait / 1000} s`))
    }, wait)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
