import { connect, type Socket } from 'node:net'
import { createServer, type TLSSocket, type TlsOptions, connect as tlsConnect } from 'node:tls'
import type { Conversation, Party } from '../wire/conversation.ts'
import { LineBuffer, PeerLimit } from '../wire/lines.ts'
import { Link } from '../wire/link.ts'
import { MAX_WAIT } from '../wire/patience.ts'
import { printable } from '../wire/printable.ts'
import { Recorder } from '../wire/recorder.ts'
import type { Relay } from './behaviour.ts'

/** Without any traffic for so long, in ms, both legs are ended. */
const IDLE = 6 * MAX_WAIT
/** Longest wait for the server behind, and for each of two handshakes, in ms. */
const ANSWER = MAX_WAIT
/** How long one leg may take to close after the other has, in ms. */
const LINGER = 1_000

export interface TapOptions {
  relay: Relay
  /** Of the server behind: the tap stands in its place. */
  hostname: string
  /** For a tap at which TLS ends: towards the gateway under test, and towards the other server. */
  tls: { gateway: TlsOptions; other: TlsOptions }
  onEvent: () => void
}

/** One connection between two servers, which goes through here. */
export class TapSession {
  /** From the server that sends to here, and from here to the one that receives. */
  readonly legs: readonly [Conversation, Conversation]
  readonly #options: TapOptions
  readonly #near: Leg
  readonly #far: Leg
  /** Commands that have no answer yet, oldest first; the greeting answers none. */
  readonly #awaited: string[] = ['a connection']
  #content = false
  #contentSize = 0
  #chunk: { left: number; last: boolean } | undefined
  /** Bytes go on as they are: TLS is on from end to end. */
  #opaque = false
  #secured = false

  constructor(socket: Socket, options: TapOptions) {
    this.#options = options
    const { relay, hostname, onEvent } = options
    const { gatewayIs } = relay
    const leg = (party: Party, names: { sender: string; receiver: string }) =>
      new Recorder({
        gatewayIs: gatewayIs === party ? party : 'neither',
        ours: party === 'sender' ? 'receiver' : 'sender',
        ...names,
        ...(relay.swapsTls ? {} : { overheard: true }),
        onEvent,
      })
    const sender = gatewayIs === 'sender' ? 'gateway' : 'second server'
    // A server may close its side behind QUIT and listen on for the answers.
    socket.allowHalfOpen = true
    const onward = connect({ ...relay.to, allowHalfOpen: true })
    this.#near = new Leg(socket, leg('sender', { sender, receiver: hostname }), 'sender')
    this.#far = new Leg(onward, leg('receiver', { sender: 'tap', receiver: hostname }), 'receiver')
    this.legs = [this.#near.recorder.conversation, this.#far.recorder.conversation]
    this.#near.record('open', `from ${socket.remoteAddress}`, 'sender')
    this.#begin(onward)
  }

  #begin(onward: Socket): void {
    const { relay } = this.#options
    const late = setTimeout(() => onward.destroy(new Error('no connection in time')), ANSWER)
    let connected = false
    onward.once('connect', () => {
      connected = true
      clearTimeout(late)
      this.#far.record('open', `to ${relay.to.host} port ${relay.to.port}`, 'sender')
    })
    onward.once('error', error => {
      // Nobody is there to whom the gateway could talk.
      if (!connected)
        this.#near.recorder.labFailed(new Error(`the second server cannot be reached: ${error.message}`))
    })
    onward.once('close', () => clearTimeout(late))
    const legs = [this.#near, this.#far] as const
    for (const [i, leg] of legs.entries()) {
      const other = legs[1 - i]!
      leg.recorder.whenFull(limit => this.#drop(limit.message))
      leg.link.socket.setTimeout(IDLE, () => this.#drop(`no traffic for ${IDLE / 1000} s`))
      leg.onEnd = () => other.end()
      leg.onReset = () => other.link.reset()
      leg.onClose = () => {
        leg.record('close', 'closed', leg.party)
        other.part()
        this.#options.onEvent()
      }
    }
    this.#near.onData = chunk => this.#guarded(() => this.#fromSender(chunk))
    this.#far.onData = chunk => this.#guarded(() => this.#fromReceiver(chunk))
  }

  #guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof PeerLimit)) throw error
      this.#drop(error.message)
    }
  }

  #drop(why: string): void {
    for (const leg of [this.#near, this.#far]) {
      leg.record('close', `ended on the path: ${why}`, leg.party)
      leg.link.destroy()
    }
  }

  #cut(): void {
    for (const leg of [this.#near, this.#far]) {
      leg.record('close', 'reset on the path', leg.party)
      leg.link.reset()
    }
  }

  #fromSender(chunk: Buffer): void {
    if (this.#opaque) {
      if (this.#options.relay.cutsAfter === 'ClientHello') this.#cut()
      else this.#far.write(chunk)
      return
    }
    const { lines } = this.#near
    lines.push(chunk)
    for (;;) {
      if (this.#chunk && !this.#chunkEnds()) break
      const line = lines.next()
      if (!line) break
      if (this.#content) this.#contentLine(line)
      else this.#command(line)
    }
    this.#far.write(chunk)
  }

  /** Takes what has come of the bytes behind BDAT (RFC 3030 s2); false while more of them are to come. */
  #chunkEnds(): boolean {
    const chunk = this.#chunk!
    const rest = this.#near.lines.drain()
    const taken = Math.min(rest.length, chunk.left)
    this.#near.lines.push(rest.subarray(taken))
    chunk.left -= taken
    if (chunk.left > 0) return false
    if (chunk.last) this.#both('content', `message of ${this.#contentSize} bytes`)
    if (chunk.last) this.#contentSize = 0
    this.#chunk = undefined
    return true
  }

  #both(kind: 'command' | 'content', text: string): void {
    for (const leg of [this.#near, this.#far]) leg.record(kind, text, 'sender', this.#secured)
  }

  #command(line: Buffer): void {
    const text = printable(line)
    this.#both('command', text)
    this.#awaited.push(text.split(' ', 1)[0]!.toUpperCase())
    const [, size, last] = /^BDAT (\d{1,9})( LAST)?\s*$/i.exec(text) ?? []
    if (size === undefined) return
    this.#chunk = { left: Number(size), last: last !== undefined }
    this.#contentSize += Number(size)
  }

  #contentLine(line: Buffer): void {
    this.#contentSize += line.length + 2
    if (line.length !== 1 || line[0] !== 0x2e) return
    this.#both('content', `message of ${this.#contentSize} bytes`)
    this.#content = false
    this.#awaited.push('.')
  }

  #fromReceiver(chunk: Buffer): void {
    if (this.#opaque) {
      if (this.#options.relay.cutsAfter === 'ServerHello') this.#cut()
      else this.#near.write(chunk)
      return
    }
    this.#far.lines.push(chunk)
    for (let line = this.#far.lines.next(); line && !this.#opaque; line = this.#far.lines.next()) {
      this.#far.reply.push(line)
      // `250-` goes on; all else ends a reply, also what is none.
      if (line[3] !== 0x2d) this.#answer(this.#far.reply.splice(0))
    }
  }

  #answer(lines: Buffer[]): void {
    for (const line of lines) this.#far.record('reply', printable(line), 'receiver', this.#secured)
    const asked = this.#awaited.shift()
    const code = lines.at(-1)!.subarray(0, 3).toString('latin1')
    const { stripsStarttls, corruptsGoAhead } = this.#options.relay
    const clear = !this.#secured
    if (asked === 'DATA' && code === '354') {
      this.#content = true
      this.#contentSize = 0
    }
    const go = asked === 'STARTTLS' && code === '220' && clear
    if (go && corruptsGoAhead) this.#reply([Buffer.from('502 5.5.1 Command not implemented')])
    else if (go) this.#goAhead(lines)
    else this.#reply(stripsStarttls && asked === 'EHLO' && clear ? withoutStarttls(lines) : lines)
  }

  #reply(lines: readonly Buffer[]): void {
    for (const line of lines) this.#near.record('reply', printable(line), 'receiver', this.#secured)
    this.#near.write(wire(lines))
  }

  #goAhead(lines: readonly Buffer[]): void {
    const [near, far] = [this.#near, this.#far]
    for (const line of lines) near.record('reply', printable(line), 'receiver')
    this.#opaque = true
    near.recorder.expectTls('sender')
    for (const party of ['sender', 'receiver'] as const) far.recorder.expectTls(party)
    // What came in clear behind the go-ahead goes on in clear.
    const rest = far.lines.drain()
    near.link.pause()
    far.link.pause()
    near.link.write(Buffer.concat([wire(lines), rest]), error => {
      if (error) return
      near.recorder.expectTls('receiver')
      if (this.#options.relay.swapsTls) void this.#swap()
      else for (const leg of [near, far]) leg.link.resume()
    })
  }

  /** TLS ends here. The gateway's side goes first: where it refuses, the other one has no part in it. */
  async #swap(): Promise<void> {
    const { relay, tls } = this.#options
    const gatewaySends = relay.gatewayIs === 'sender'
    const near = () => this.#near.accept(gatewaySends ? tls.gateway : tls.other)
    const far = () => this.#far.begin(gatewaySends ? tls.other : tls.gateway, this.#options.hostname)
    // The one that sends waits for our side, whichever end it is.
    const order = gatewaySends ? [near, far] : [far, near]
    try {
      for (const handshake of order) await handshake()
      this.#secured = true
      this.#opaque = false
      this.#awaited.splice(0)
      for (const leg of [this.#near, this.#far]) leg.listen()
    } catch {
      this.#drop('a handshake failed')
    }
  }
}

/** One side of a tap: the connection, its record and what has been read of it. */
class Leg {
  readonly link: Link
  readonly recorder: Recorder
  /** At the other end. */
  readonly party: Party
  lines = new LineBuffer()
  reply: Buffer[] = []
  onData: (chunk: Buffer) => void = () => {}
  onEnd = () => {}
  onReset = () => {}
  onClose = () => {}
  #stream: Link | TLSSocket

  constructor(socket: Socket, recorder: Recorder, party: Party) {
    this.recorder = recorder
    this.party = party
    this.link = new Link(socket, recorder)
    this.#stream = this.link
    this.link.on('data', this.#data)
    this.link.on('end', () => this.onEnd())
    this.link.on('error', error => {
      this.record('error', printable(error.message, 200), party)
      if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') this.onReset()
    })
    this.link.on('close', () => this.onClose())
  }

  readonly #data = (chunk: Buffer): void => this.onData(chunk)

  record(kind: Parameters<Recorder['event']>[1], text: string, from: Party, secured = false): void {
    this.recorder.event(from, kind, text, secured)
  }

  /** Begins to listen to what comes inside TLS. */
  listen(): void {
    this.#stream.on('data', this.#data)
  }

  write(bytes: Buffer): void {
    if (this.#stream.writable) this.#stream.write(bytes)
  }

  /** Says nothing more; what the other end still has to say comes through. */
  end(): void {
    if (this.#stream.writable) this.#stream.end()
  }

  /** As `end`, with nobody left to hear it: whoever does not close then is not waited for. */
  part(): void {
    this.end()
    setTimeout(() => this.link.destroy(), LINGER).unref()
  }

  /** As the side that listens. */
  accept(options: TlsOptions): Promise<void> {
    const server = createServer(options)
    return this.#secure((done, failed) => {
      server.once('secureConnection', done)
      server.once('tlsClientError', failed)
      server.emit('connection', this.link)
    }, String(options.cert))
  }

  /** As the side that connects. */
  begin({ key, cert, ca: _, ...options }: TlsOptions, servername: string): Promise<void> {
    return this.#secure((done, failed) => {
      const own = { ...(key ? { key } : {}), ...(cert ? { cert } : {}) }
      const socket = tlsConnect({
        ...(options as object),
        ...own,
        socket: this.link,
        servername,
        rejectUnauthorized: false,
      })
      socket.on('keylog', line => this.recorder.secret(line))
      socket.once('secureConnect', () => done(socket))
      socket.on('error', failed)
    }, String(cert))
  }

  async #secure(
    begin: (done: (socket: TLSSocket) => void, failed: (error: Error) => void) => void,
    chain: string,
  ): Promise<void> {
    this.link.off('data', this.#data)
    try {
      const socket = await new Promise<TLSSocket>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error('no answer to the handshake')), ANSWER)
        const failed = (error: Error) => {
          clearTimeout(late)
          reject(error)
        }
        this.link.once('close', () => failed(new Error('the connection was closed')))
        begin(socket => {
          clearTimeout(late)
          resolve(socket)
        }, failed)
      })
      this.recorder.secured(socket, chain)
      this.#stream = socket
      this.lines = new LineBuffer()
      socket.on('error', error => this.record('error', printable(error.message, 200), this.party))
      socket.on('end', () => this.onEnd())
    } catch (error) {
      this.recorder.failed(error as Error)
      throw error
    }
  }
}

const wire = (lines: readonly Buffer[]): Buffer =>
  Buffer.concat(lines.flatMap(line => [line, Buffer.from('\r\n')]))

/** An answer to EHLO without its line; the last line of what is left ends it. */
function withoutStarttls(lines: readonly Buffer[]): Buffer[] {
  const left = lines.filter(line => !/^250[ -]STARTTLS\s*$/i.test(line.toString('latin1')))
  return left.map((line, i) => {
    const text = line.toString('latin1')
    return Buffer.from(i < left.length - 1 ? text : text.replace(/^(\d{3})-/, '$1 '), 'latin1')
  })
}

/** Bytes go both ways and are not looked at. */
export function passUnseen(socket: Socket, to: { host: string; port: number }): void {
  socket.allowHalfOpen = true
  const onward = connect({ ...to, allowHalfOpen: true })
  socket.pipe(onward)
  onward.pipe(socket)
  for (const [one, other] of [
    [socket, onward],
    [onward, socket],
  ] as const) {
    one.on('error', () => other.destroy())
    one.on('close', () => other.destroy())
  }
}
