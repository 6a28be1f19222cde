import { type Socket, connect as tcpConnect } from 'node:net'
import { createServer, type TLSSocket, type TlsOptions, connect as tlsConnect } from 'node:tls'

/** The other side has ended the connection. This error ends the script that uses the connection. */
export class ConnectionEnded extends Error {
  override name = 'ConnectionEnded'
}

/** One end of a connection, which a script controls byte by byte. It has no limits, because the suite must have them. */
export class ScriptedConnection {
  readonly socket: Socket
  #stream: Socket
  #rest: Buffer = Buffer.alloc(0)
  #waiting: (() => void) | undefined
  #ended = false
  secured = false

  constructor(socket: Socket) {
    this.socket = socket
    this.#stream = socket
    this.#follow(socket)
  }

  static call(port: number): ScriptedConnection {
    return new ScriptedConnection(tcpConnect({ port, host: '127.0.0.1', noDelay: true }))
  }

  #follow(stream: Socket): void {
    stream.on('data', this.#onData)
    stream.on('error', () => {})
    for (const event of ['end', 'close'])
      stream.on(event, () => {
        if (stream !== this.#stream) return
        this.#ended = true
        this.#waiting?.()
      })
  }

  #onData = (chunk: Buffer): void => {
    // Bytes that the script does not read are dropped after 1 MiB, because a script that floods does not read.
    if (this.#rest.length < 1 << 20) this.#rest = Buffer.concat([this.#rest, chunk])
    this.#waiting?.()
  }

  async #more(): Promise<void> {
    if (this.#ended) throw new ConnectionEnded()
    await new Promise<void>(resolve => {
      this.#waiting = resolve
    })
    this.#waiting = undefined
  }

  /** The number of received bytes that the script has not read. */
  get pending(): number {
    return this.#rest.length
  }

  /** The next line, without its line end. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(0x0a)
      if (end >= 0) {
        const line = this.#rest.subarray(0, end).toString('latin1').replace(/\r$/, '')
        this.#rest = this.#rest.subarray(end + 1)
        return line
      }
      await this.#more()
    }
  }

  /** Drops the received bytes that the script has not read. */
  forget(): void {
    this.#rest = Buffer.alloc(0)
  }

  async bytes(count: number): Promise<Buffer> {
    while (this.#rest.length < count) await this.#more()
    const bytes = this.#rest.subarray(0, count)
    this.#rest = this.#rest.subarray(count)
    return bytes
  }

  /** The type and the body of the next TLS record. */
  async record(): Promise<{ type: number; body: Buffer }> {
    const header = Buffer.from(await this.bytes(5))
    if (header[0]! < 20 || header[0]! > 24) throw new ConnectionEnded()
    return { type: header[0]!, body: Buffer.from(await this.bytes(header.readUInt16BE(3))) }
  }

  /** Reads a whole reply and returns its code. */
  async reply(): Promise<number> {
    for (;;) {
      const line = await this.line()
      if (line[3] !== '-') return Number(line.slice(0, 3))
    }
  }

  write(bytes: string | Buffer): void {
    if (this.#stream.writable) this.#stream.write(bytes)
  }

  say(...lines: string[]): void {
    this.write(lines.map(line => `${line}\r\n`).join(''))
  }

  async command(line: string): Promise<number> {
    this.say(line)
    return this.reply()
  }

  /** Sends the same bytes `times` times, as fast as the other side reads, or until the other side ends the connection. */
  async flood(
    bytes: string | Buffer | (() => string | Buffer),
    times = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    for (let n = 0; n < times; n++) {
      if (this.#ended || !this.#stream.writable) throw new ConnectionEnded()
      if (this.#stream.write(typeof bytes === 'function' ? bytes() : bytes)) {
        if (n % 16 === 15) await new Promise(resolve => setImmediate(resolve))
      } else
        await new Promise<void>(resolve => {
          const done = () => {
            this.#stream.off('drain', done).off('close', done)
            resolve()
          }
          this.#stream.once('drain', done).once('close', done)
        })
    }
  }

  async wait(ms: number): Promise<void> {
    await new Promise(resolve => setTimeout(resolve, ms))
    if (this.#ended) throw new ConnectionEnded()
  }

  /** Waits for the other side to end the connection. */
  async forever(): Promise<never> {
    for (;;) {
      this.forget()
      await this.#more()
    }
  }

  async serveTls(options: TlsOptions): Promise<TLSSocket> {
    this.socket.off('data', this.#onData)
    const server = createServer(options)
    const secured = new Promise<TLSSocket>((resolve, reject) => {
      server.once('secureConnection', resolve)
      server.once('tlsClientError', () => reject(new ConnectionEnded()))
    })
    this.forget()
    server.emit('connection', this.socket)
    return this.#secure(await secured)
  }

  async callTls(): Promise<TLSSocket> {
    this.socket.off('data', this.#onData)
    this.forget()
    const socket = tlsConnect({ socket: this.socket, rejectUnauthorized: false })
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', () => resolve())
      socket.once('error', () => reject(new ConnectionEnded()))
      socket.once('close', () => reject(new ConnectionEnded()))
    })
    return this.#secure(socket)
  }

  #secure(socket: TLSSocket): TLSSocket {
    this.#stream = socket
    this.secured = true
    this.#follow(socket)
    return socket
  }

  end(): void {
    this.#stream.end()
  }

  /** Ends the connection with a TCP reset. */
  reset(): void {
    this.socket.resetAndDestroy()
  }
}
