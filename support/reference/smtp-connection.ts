import type { X509Certificate } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import {
  type ConnectionOptions,
  createServer,
  type TLSSocket,
  type TlsOptions,
  connect as tlsConnect,
} from 'node:tls'
import { Link } from '../wire/link.ts'
import { LineBuffer } from '../wire/smtp/lines.ts'
import { certificateFacts } from '../wire/tls/certificate-facts.ts'
import { EarlyTicket } from '../wire/tls/early-ticket.ts'
import { TlsCarrier } from '../wire/tls/tls-carrier.ts'
import { RecordReader } from '../wire/tls/tls-records.ts'
import { reasonOf } from '../wire/wire-error.ts'
import type { TlsSession } from './decisions/situation.ts'
import type { SeenHello } from './seen/client.ts'
import type { SeenHandshake } from './seen/partner.ts'

/** How long the gateway waits for one thing from the other side, in ms. */
const WAIT = 5_000
/** How long the other side may take to close after the gateway has closed, in ms. */
const LINGER = 1_000

export class ChannelError extends Error {
  override name = 'ChannelError'
  readonly kind: 'no connection' | 'closed' | 'silent' | 'handshake'
  constructor(kind: ChannelError['kind'], detail: string) {
    super(detail)
    this.kind = kind
  }
}

/** One SMTP connection, line by line, before and inside TLS. The gateway uses it as a receiver and as a sender. */
export class Channel {
  readonly localAddress: string
  readonly remoteAddress: string
  session: TlsSession | undefined
  /** The certificate of the other side, with its issuers as they came with it. */
  shown: X509Certificate | undefined
  /** What the other side sent along about the status of its certificate. */
  stapled: Buffer | undefined
  /** Gets all bytes that arrive, below TLS. */
  onRaw: ((chunk: Buffer) => void) | undefined
  /** Gets what a session can be resumed with, where the gateway began TLS. */
  onSession: ((session: Buffer) => void) | undefined
  /** Whether the connection goes on unencrypted where TLS fails or ends. */
  survivesTls = false
  #link: Link
  #stream: Link | TLSSocket
  /** Where the gateway began TLS. */
  handshake: SeenHandshake | undefined
  #buffer = new LineBuffer()
  #reads: number[] = []
  /** What comes below TLS during a handshake that the gateway began. */
  #flights: Buffer[] | undefined
  #ended: ChannelError | undefined
  #wake: (() => void) | undefined
  #linger: NodeJS.Timeout | undefined

  constructor(socket: Socket) {
    this.localAddress = socket.localAddress ?? ''
    this.remoteAddress = socket.remoteAddress ?? ''
    this.#link = new Link(socket, { received: chunk => this.#received(chunk), sent: () => {} })
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
      if (this.survivesTls && stream !== this.#link && this.#leaveTls()) return
      this.#ended ??= new ChannelError('closed', detail)
      this.#wake?.()
    }
    stream.on('data', this.#onData)
    stream.on('end', () => over('the connection was closed'))
    stream.on('error', error => over(error.message))
    stream.on('close', () => over('the connection was closed'))
  }

  #received(chunk: Buffer): void {
    this.#flights?.push(chunk)
    this.onRaw?.(chunk)
  }

  #onData = (chunk: Buffer): void => {
    this.#buffer.push(chunk)
    this.#reads.push(chunk.length)
    this.#wake?.()
  }

  /** False where the other side has closed the connection. */
  #leaveTls(): boolean {
    this.session = undefined
    this.#link = this.#link.successor()
    this.#stream = this.#link
    this.#listen()
    return !this.#link.destroyed
  }

  /** Ends TLS with close_notify; the connection goes on unencrypted. */
  async endTls(): Promise<void> {
    this.#link.keepsSocket = true
    await new Promise<void>(resolve => this.#stream.end(resolve))
    this.#leaveTls()
  }

  /** Bytes of each read since the last call. */
  takeReads(): number[] {
    return this.#reads.splice(0)
  }

  /** What has come that no call of `line` has taken, Latin-1. */
  get waiting(): string {
    return this.#buffer.rest.toString('latin1')
  }

  get over(): boolean {
    return this.#ended !== undefined
  }

  /** The next line, without its end. Throws ChannelError (closed, silent) and PeerLimit. */
  async line(wait = WAIT): Promise<Buffer> {
    return this.#next(() => this.#buffer.next(), wait)
  }

  /** So many bytes, whatever they are. Throws ChannelError as `line` does. */
  async bytes(count: number, wait = WAIT): Promise<Buffer> {
    return this.#next(() => this.#buffer.take(count), wait)
  }

  async #next(take: () => Buffer | undefined, wait: number): Promise<Buffer> {
    for (;;) {
      const taken = take()
      if (taken) return taken
      if (this.#ended) throw this.#ended
      const more = new Promise<void>(resolve => {
        this.#wake = resolve
      })
      await bounded(wait, () => new ChannelError('silent', `nothing came for ${wait / 1000} s`), more)
    }
  }

  /** Bytes have come that no call of `line` has taken. */
  get pending(): boolean {
    return !this.#buffer.isEmpty
  }

  /** Takes these bytes out: at STARTTLS they came before TLS. Latin-1. */
  drain(): string {
    return this.#buffer.drain().toString('latin1')
  }

  write(bytes: string | Buffer): void {
    if (!this.#ended && this.#stream.writable) this.#stream.write(bytes)
  }

  /** The ClientHello that comes next, which stays to be read; undefined where something else comes, or nothing in time. */
  async hello(wait = WAIT): Promise<SeenHello | undefined> {
    const stream = this.#stream
    const reader = new RecordReader()
    const chunks: Buffer[] = []
    stream.off('data', this.#onData)
    let onData = (_chunk: Buffer): void => {}
    const found = new Promise<SeenHello | undefined>(resolve => {
      onData = chunk => {
        chunks.push(chunk)
        const sightings = reader.read(chunk)
        if (sightings.length === 0) return
        const seen = sightings.find(({ kind }) => kind === 'client-hello')
        const whole = Buffer.concat(chunks)
        const how = {
          reads: chunks.map(({ length }) => length),
          records: recordsIn(whole).length,
          length: whole.length,
        }
        resolve(seen?.kind === 'client-hello' ? { hello: seen.hello, ...how } : undefined)
      }
      stream.on('data', onData)
      stream.once('close', () => resolve(undefined))
    })
    try {
      return await bounded(wait, () => new ChannelError('silent', 'no ClientHello'), found)
    } finally {
      stream.off('data', onData)
      stream.pause()
      if (!stream.destroyed) stream.unshift(Buffer.concat(chunks))
    }
  }

  /** Writes below TLS, whatever goes on above. */
  writeRaw(bytes: string | Buffer): void {
    if (bytes.length > 0) this.#link.socket.write(bytes)
  }

  /** Begins TLS as the side that connected; `kept` is read as if it had come inside TLS. Throws ChannelError (handshake, silent). */
  async startTls(options: ConnectionOptions, kept = ''): Promise<void> {
    this.#flights = []
    const { socket, certificate } = await this.#secure(kept, (done, failed) => {
      const secure = tlsConnect({
        socket: this.#link,
        // The connector decides afterwards what certificate it accepts.
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
        ...options,
      })
      secure.on('session', session => this.onSession?.(session))
      secure.on('OCSPResponse', (answer: Buffer | null) => {
        this.stapled = answer ?? undefined
      })
      secure.once('secureConnect', () => done(secure))
      secure.on('error', failed)
      secure.once('close', () => failed(new Error('the connection was closed')))
    })
    const flights = this.#flights
    this.#flights = undefined
    const key = certificate?.publicKey
    const { modulusLength, namedCurve } = key?.asymmetricKeyDetails ?? {}
    this.handshake = {
      version: socket.getProtocol() ?? 'unknown',
      curve: (socket.getEphemeralKeyInfo() as { name?: string } | null)?.name,
      key: key && [key.asymmetricKeyType, modulusLength ?? namedCurve].join(' ').trim(),
      reads: flights.map(({ length }) => length),
      records: recordsIn(Buffer.concat(flights)),
    }
  }

  /**
   * Begins TLS as the side that listened. `sessions`: those that may be resumed by their ids, in hex. `early`: it sends a
   * ticket before the client's Finished. Throws ChannelError (handshake, silent).
   */
  async acceptTls(
    options: TlsOptions,
    sessions: Map<string, Buffer>,
    { kept = '', early = false } = {},
  ): Promise<void> {
    let byId = false
    // Only a server object of Node verifies the certificates of clients.
    const server = createServer({ handshakeTimeout: WAIT, honorCipherOrder: true, ...options })
    server.on('newSession', (id, session, done) => {
      sessions.set(id.toString('hex'), session)
      done()
    })
    server.on('resumeSession', (id, done) => {
      const session = sessions.get(id.toString('hex'))
      byId = session !== undefined
      done(null, session ?? null)
    })
    const ticket = early ? new EarlyTicket() : undefined
    if (ticket) server.on('keylog', line => ticket.secret(line))
    await this.#secure(kept, (done, failed) => {
      server.once('secureConnection', done)
      server.once('tlsClientError', failed)
      this.#link.once('close', () => failed(new Error('the connection was closed')))
      const rewrites = ticket && ((bytes: Buffer) => ticket.through(bytes))
      server.emit('connection', rewrites ? new TlsCarrier(this.#link, { rewrites }) : this.#stream)
    })
    if (byId && this.session?.resumed) this.session.resumed = 'by id'
  }

  async #secure(
    kept: string,
    begin: (done: (socket: TLSSocket) => void, failed: (error: Error) => void) => void,
  ): Promise<{ socket: TLSSocket; certificate: X509Certificate | undefined }> {
    this.#buffer.push(Buffer.from(kept, 'latin1'))
    this.#stream.off('data', this.#onData)
    this.#stream.pause()
    this.#link.keepsSocket = this.survivesTls
    try {
      const socket = await bounded(
        WAIT,
        () => new ChannelError('silent', 'no answer to the handshake'),
        new Promise<TLSSocket>((resolve, reject) =>
          begin(resolve, error => reject(new ChannelError('handshake', reasonOf(error)))),
        ),
      )
      const certificate = socket.getPeerX509Certificate()
      this.shown = certificate
      this.session = {
        version: socket.getProtocol() ?? 'unknown',
        suite: socket.getCipher().standardName ?? socket.getCipher().name,
        resumed: socket.isSessionReused() && 'by ticket',
        certificate: certificate && certificateFacts(certificate, 1),
        chainError: socket.authorized ? undefined : String(socket.authorizationError),
      }
      this.#stream = socket
      this.#listen()
      // Node gives the certificate of the other side once.
      return { socket, certificate }
    } catch (error) {
      if (this.survivesTls && this.#leaveTls()) throw error
      this.#ended ??= error as ChannelError
      this.destroy()
      throw error
    }
  }

  /** Closes after everything that was written has been sent; inside TLS with close_notify. */
  end(): void {
    this.#stream.end()
    this.#linger = setTimeout(() => this.destroy(), LINGER)
  }

  /** Closes after these bytes, below TLS. */
  endRaw(bytes: Buffer): void {
    this.#link.socket.write(bytes)
    this.end()
  }

  reset(): void {
    this.#link.reset()
  }

  destroy(): void {
    this.#stream.destroy()
    this.#link.destroy()
  }
}

/** Bytes of the TLS records that these bytes are, without their headers: RFC 8446 s5.1. */
function recordsIn(bytes: Buffer): number[] {
  const lengths: number[] = []
  for (let at = 0; at + 5 <= bytes.length; at += 5 + lengths.at(-1)!) lengths.push(bytes.readUInt16BE(at + 3))
  return lengths
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
