import type { X509Certificate } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import {
  type ConnectionOptions,
  createServer,
  type TLSSocket,
  type TlsOptions,
  connect as tlsConnect,
} from 'node:tls'
import { reasonOf } from '../wire/breakdown.ts'
import type { ClientHello } from '../wire/conversation.ts'
import { Link } from '../wire/link.ts'
import { LineBuffer } from '../wire/smtp/lines.ts'
import { RecordReader } from '../wire/tls/tls-records.ts'
import type { EarlyBytes } from './defects.ts'

/** Longest wait for one thing from the other side, in ms. */
const WAIT = 10_000
/** How long the other side may take to close after us, in ms. */
const LINGER = 1_000

export class ChannelError extends Error {
  override name = 'ChannelError'
  readonly kind: 'no connection' | 'closed' | 'silent' | 'handshake'
  constructor(kind: ChannelError['kind'], detail: string) {
    super(detail)
    this.kind = kind
  }
}

/** What is known of a TLS session from inside. */
export interface TlsSession {
  /** `TLSv1.3` */
  version: string
  /** Standard name. */
  suite: string
  /** Of the other side, if it showed one. */
  certificate: X509Certificate | undefined
  /** Why its certificate does not chain to the roots that are trusted, in OpenSSL's word; undefined when it does. */
  chainError: string | undefined
}

/** One SMTP connection as lines, first in clear and then perhaps inside TLS; both roles of the gateway use it. */
export class Channel {
  readonly remoteAddress: string
  session: TlsSession | undefined
  /** Sees what arrives below TLS, as it arrives. */
  onRaw: ((chunk: Buffer) => void) | undefined
  readonly #link: Link
  #stream: Link | TLSSocket
  #buffer = new LineBuffer()
  #ended: ChannelError | undefined
  #wake: (() => void) | undefined
  #linger: NodeJS.Timeout | undefined

  constructor(socket: Socket) {
    this.remoteAddress = socket.remoteAddress ?? ''
    this.#link = new Link(socket, { received: chunk => this.onRaw?.(chunk), sent: () => {} })
    this.#stream = this.#link
    this.#link.on('close', () => clearTimeout(this.#linger))
    this.#listen()
  }

  static async connect(host: string, port: number): Promise<Channel> {
    const socket = connect({ host, port })
    await bounded(
      WAIT,
      () => new ChannelError('no connection', `no connection to ${host} in time`),
      new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve)
        socket.on('error', error => reject(new ChannelError('no connection', error.message)))
      }),
    ).catch(error => {
      socket.destroy()
      throw error
    })
    return new Channel(socket)
  }

  #listen(): void {
    const stream = this.#stream
    const over = (detail: string) => {
      if (stream !== this.#stream) return
      this.#ended ??= new ChannelError('closed', detail)
      this.#wake?.()
    }
    stream.on('data', this.#onData)
    stream.on('end', () => over('the connection was closed'))
    stream.on('error', error => over(error.message))
    stream.on('close', () => over('the connection is gone'))
  }

  #onData = (chunk: Buffer): void => {
    this.#buffer.push(chunk)
    this.#wake?.()
  }

  get over(): boolean {
    return this.#ended !== undefined
  }

  /** The next line, without its end. Throws ChannelError (closed, silent) and PeerLimit. */
  async line(wait = WAIT): Promise<Buffer> {
    for (;;) {
      const line = this.#buffer.next()
      if (line) return line
      if (this.#ended) throw this.#ended
      const more = new Promise<void>(resolve => {
        this.#wake = resolve
      })
      await bounded(wait, () => new ChannelError('silent', `nothing came for ${wait / 1000} s`), more)
    }
  }

  /** Whole lines that have come and that nobody has asked for. */
  waiting(): Buffer[] {
    const lines: Buffer[] = []
    for (let line = this.#buffer.next(); line; line = this.#buffer.next()) lines.push(line)
    return lines
  }

  write(bytes: string | Buffer): void {
    if (!this.#ended && this.#stream.writable) this.#stream.write(bytes)
  }

  /** The ClientHello that comes next; it stays to be read. Nothing where none comes. */
  async hello(): Promise<ClientHello | undefined> {
    const stream = this.#stream
    stream.off('data', this.#onData)
    const chunk = await new Promise<Buffer | undefined>(resolve => {
      stream.once('data', resolve)
      stream.once('close', () => resolve(undefined))
    })
    if (!chunk) return undefined
    stream.pause()
    stream.unshift(chunk)
    const sighting = new RecordReader().read(chunk).find(({ kind }) => kind === 'client-hello')
    return sighting?.kind === 'client-hello' ? sighting.hello : undefined
  }

  /** Below TLS, whatever is going on above. */
  writeRaw(bytes: string): void {
    this.#link.socket.write(bytes)
  }

  /** Begins TLS as the side that connected. Throws ChannelError (handshake). */
  async startTls(options: ConnectionOptions, early?: EarlyBytes): Promise<void> {
    await this.#secure(early, (done, failed) => {
      const secure = tlsConnect({
        socket: this.#link,
        // Whom to believe is decided by the connector, afterwards.
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
        ...options,
      })
      secure.once('secureConnect', () => done(secure))
      secure.on('error', failed)
      secure.once('close', () => failed(new Error('the connection was closed')))
    })
  }

  /** Begins TLS as the side that listened. Throws ChannelError (handshake). */
  async acceptTls(options: TlsOptions, early?: EarlyBytes): Promise<void> {
    // A server of its own: only a server object judges the certificates of clients.
    const server = createServer({ handshakeTimeout: WAIT, ...options })
    await this.#secure(early, (done, failed) => {
      server.once('secureConnection', done)
      server.once('tlsClientError', failed)
      this.#link.once('close', () => failed(new Error('the connection was closed')))
      server.emit('connection', this.#stream)
    })
  }

  async #secure(
    early: EarlyBytes | undefined,
    begin: (done: (socket: TLSSocket) => void, failed: (error: Error) => void) => void,
  ): Promise<void> {
    // What came before TLS may come from somebody else (RFC 3207 s6): it is dropped.
    const rest = this.#buffer.drain()
    if (early === 'all') this.#buffer.push(rest)
    if (early === 'half') this.#buffer.push(rest.subarray(rest.lastIndexOf(0x0a) + 1))
    this.#stream.off('data', this.#onData)
    this.#stream.pause()
    try {
      const socket = await bounded(
        WAIT,
        () => new ChannelError('handshake', 'no answer to the handshake'),
        new Promise<TLSSocket>((resolve, reject) =>
          begin(resolve, error => reject(new ChannelError('handshake', reasonOf(error)))),
        ),
      )
      this.session = {
        version: socket.getProtocol() ?? 'unknown',
        suite: socket.getCipher().standardName ?? socket.getCipher().name,
        certificate: socket.getPeerX509Certificate(),
        chainError: socket.authorized ? undefined : String(socket.authorizationError),
      }
      this.#stream = socket
      this.#listen()
    } catch (error) {
      this.#ended ??= error as ChannelError
      this.destroy()
      throw error
    }
  }

  /** Ends politely: what was written leaves first, inside TLS with close_notify. */
  end(): void {
    this.#stream.end()
    this.#linger = setTimeout(() => this.destroy(), LINGER)
  }

  reset(): void {
    this.#link.reset()
  }

  destroy(): void {
    this.#stream.destroy()
    this.#link.destroy()
  }
}

async function bounded<T>(wait: number, late: () => Error, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), wait)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}
