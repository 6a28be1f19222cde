import { connect, type Socket } from 'node:net'
import type { ConnectionOptions, TlsOptions } from 'node:tls'
import type { Conversation, Party } from '../../wire/conversation.ts'
import { IDLE, MAX_PASSAGE, MAX_WAIT } from '../../wire/patience.ts'
import { printable } from '../../wire/printable.ts'
import { Recorder } from '../../wire/recorder.ts'
import { PeerLimit, withoutEnd } from '../../wire/smtp/lines.ts'
import { connectionOptions } from '../../wire/tls/client-tls.ts'
import type { Relay } from '../partner/behaviour.ts'
import { OVERHEAD } from '../partner/partner-session.ts'
import { changedCommand, changedReply } from './tap-changes.ts'
import { Leg } from './tap-leg.ts'

export interface TapOptions {
  relay: Relay
  /** Host name of the server that the tap stands in for. */
  hostname: string
  /** For a tap at which TLS ends: its TLS with the gateway under test, and with the other server. */
  tls: { gateway: TlsOptions; other: TlsOptions }
  /** Whether so many more bytes may be kept, or may pass. */
  keeps: (what: 'said' | 'content', bytes: number) => boolean
  onEvent: () => void
  /**
   * In ms: `answer`, until the server behind the tap has accepted the connection, and for each of two handshakes;
   * `idle`, for a leg without any traffic; `all`, for the whole session.
   */
  limits?: { answer: number; idle: number; all: number }
}

/** One connection between two servers that goes through the tap. */
export class TapSession {
  /** From the server that sends to the tap, and from the tap to the server that receives. */
  readonly legs: readonly [Conversation, Conversation]
  readonly #options: TapOptions
  readonly #limits: { answer: number; idle: number; all: number }
  readonly #near: Leg
  readonly #far: Leg
  /**
   * Commands without a reply so far, oldest first. The first entry stands for the greeting, which no command asks
   * for.
   */
  readonly #awaited: string[] = ['a connection']
  #content = false
  #contentSize = 0
  #chunk: { left: number; last: boolean } | undefined
  /** The tap passes bytes on without reading them: TLS goes from end to end. */
  #opaque = false
  #secured = false
  #over = false

  constructor(socket: Socket, options: TapOptions) {
    this.#options = options
    this.#limits = options.limits ?? { answer: MAX_WAIT, idle: IDLE, all: MAX_PASSAGE }
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
    // A server may close its sending side after QUIT and still wait for replies.
    socket.allowHalfOpen = true
    const onward = connect({ ...relay.to, allowHalfOpen: true })
    this.#near = new Leg(socket, leg('sender', { sender, receiver: hostname }), 'sender')
    this.#far = new Leg(onward, leg('receiver', { sender: 'tap', receiver: hostname }), 'receiver')
    this.legs = [this.#near.recorder.conversation, this.#far.recorder.conversation]
    this.#begin(socket, onward)
  }

  #begin(socket: Socket, onward: Socket): void {
    const { relay } = this.#options
    const [near, far] = [this.#near, this.#far]
    const { answer, idle, all } = this.#limits
    const late = setTimeout(() => onward.destroy(new Error('no connection in time')), answer)
    let connected = false
    onward.once('connect', () => {
      connected = true
      clearTimeout(late)
      far.opened(`to ${relay.to.host} port ${relay.to.port}`)
    })
    onward.once('error', error => {
      // Without a second server the gateway under test can deliver nothing. Where the gateway itself should listen
      // there, it is its own fault.
      if (!connected && relay.gatewayIs === 'sender')
        near.recorder.labFailed(new Error(`the second server cannot be reached: ${error.message}`))
    })
    onward.once('close', () => clearTimeout(late))
    const end = setTimeout(() => this.#drop(`open for ${all / 1000} s`), all)
    for (const [leg, other] of [
      [near, far],
      [far, near],
    ] as const) {
      leg.recorder.whenFull(limit => this.#drop(limit.message))
      leg.link.socket.setTimeout(idle, () => this.#drop(`no traffic for ${idle / 1000} s`))
      leg.onRecord = text => this.#keep('said', text.length + OVERHEAD)
      leg.onReset = () => other.reset()
      leg.onClose = () => {
        other.giveUpHandshake()
        other.endSoon()
        if (this.legs.every(({ closed }) => closed)) clearTimeout(end)
        this.#options.onEvent()
      }
    }
    near.onData = chunk => this.#guarded(chunk, () => this.#fromSender(chunk))
    far.onData = chunk => this.#guarded(chunk, () => this.#fromReceiver(chunk))
    near.onEnd = () => {
      // An incomplete last line.
      far.write(near.lines.drain(), near)
      far.end()
    }
    // The socket itself tells it also while the leg is held during the handshake of the other leg.
    socket.once('end', () => far.giveUpHandshake())
    far.onEnd = () => near.end()
    near.opened(`from ${socket.remoteAddress}`)
  }

  #guarded(chunk: Buffer, work: () => void): void {
    this.#keep('content', chunk.length)
    if (this.#over) return
    try {
      work()
    } catch (error) {
      if (!(error instanceof PeerLimit)) throw error
      this.#drop(error.message)
    }
  }

  #keep(what: 'said' | 'content', bytes: number): void {
    if (this.#over || this.#options.keeps(what, bytes)) return
    for (const leg of this.legs) leg.truncated = true
    this.#drop('more than is kept of one partner')
  }

  #drop(why: string): void {
    this.#over = true
    for (const leg of [this.#near, this.#far]) leg.drop(`ended on the path: ${why}`)
  }

  #cut(): void {
    this.#over = true
    for (const leg of [this.#near, this.#far]) leg.reset('reset on the path')
  }

  #fromSender(chunk: Buffer): void {
    if (this.#opaque) {
      if (this.#options.relay.cutsAfter === 'ClientHello') this.#cut()
      else this.#far.write(chunk, this.#near)
      return
    }
    this.#near.lines.push(chunk)
    const passed: Buffer[] = []
    for (let piece = this.#piece(); piece; piece = this.#piece()) passed.push(piece)
    this.#far.write(Buffer.concat(passed), this.#near)
  }

  /** The next bytes of the sender that are passed on: a whole line, or what has come of a chunk. */
  #piece(): Buffer | undefined {
    if (this.#chunk) return this.#chunkPart(this.#chunk)
    const whole = this.#near.lines.whole()
    if (!whole) return undefined
    if (!this.#content) return this.#command(whole)
    this.#contentLine(withoutEnd(whole))
    return whole
  }

  /** What has come of a chunk, the bytes that BDAT announces: RFC 3030 s2. */
  #chunkPart(chunk: { left: number; last: boolean }): Buffer | undefined {
    const rest = this.#near.lines.drain()
    if (rest.length === 0) return undefined
    const part = rest.subarray(0, chunk.left)
    this.#near.lines.push(rest.subarray(part.length))
    chunk.left -= part.length
    if (chunk.left === 0) this.#chunkEnd(chunk.last)
    return part
  }

  #chunkEnd(last: boolean): void {
    this.#chunk = undefined
    if (!last) return
    this.#both('content', `message of ${this.#contentSize} bytes`)
    this.#contentSize = 0
  }

  #both(kind: 'command' | 'content', text: string): void {
    for (const leg of [this.#near, this.#far]) leg.record(kind, text, 'sender', this.#secured)
  }

  /** Records a command. Returns what is passed on in its place. */
  #command(whole: Buffer): Buffer {
    const text = printable(withoutEnd(whole))
    const changed = this.#secured ? undefined : changedCommand(text, this.#options.relay)
    if (changed !== undefined) {
      this.#near.record('command', text, 'sender')
      this.#far.record('command', changed, 'sender')
      this.#awaited.push(changed)
      return Buffer.from(`${changed}\r\n`)
    }
    this.#both('command', text)
    this.#awaited.push(text.split(' ', 1)[0]!.toUpperCase())
    const [, size, last] = /^BDAT (\d{1,9})( LAST)?\s*$/i.exec(text) ?? []
    if (size !== undefined) {
      this.#chunk = { left: Number(size), last: last !== undefined }
      this.#contentSize += Number(size)
      if (this.#chunk.left === 0) this.#chunkEnd(this.#chunk.last)
    }
    return whole
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
      else this.#near.write(chunk, this.#far)
      return
    }
    this.#far.lines.push(chunk)
    for (let line = this.#far.lines.next(); line && !this.#opaque; line = this.#far.lines.next()) {
      this.#far.reply.push(line)
      // A line with `250-` has more lines after it. Every other line ends a reply, even if it is none.
      if (line[3] !== 0x2d) this.#answer(this.#far.reply.splice(0))
    }
  }

  #answer(lines: Buffer[]): void {
    for (const line of lines) this.#far.record('reply', printable(line), 'receiver', this.#secured)
    const asked = this.#awaited.shift()
    const code = lines.at(-1)!.subarray(0, 3).toString('latin1')
    if (asked === 'DATA' && code === '354') {
      this.#content = true
      this.#contentSize = 0
    }
    const changed = this.#secured ? undefined : changedReply(lines, asked, this.#options.relay)
    if (changed) this.#reply(changed)
    else if (asked === 'STARTTLS' && code === '220' && !this.#secured) this.#goAhead(lines)
    else this.#reply(lines)
  }

  #reply(lines: readonly Buffer[]): void {
    for (const line of lines) this.#near.record('reply', printable(line), 'receiver', this.#secured)
    this.#near.write(wire(lines), this.#far)
  }

  #goAhead(lines: readonly Buffer[]): void {
    const [near, far] = [this.#near, this.#far]
    for (const line of lines) near.record('reply', printable(line), 'receiver')
    this.#opaque = true
    // What came in the clear after STARTTLS, or after the go-ahead, is passed on in the clear.
    far.write(near.lines.drain(), near)
    const rest = far.lines.drain()
    near.recorder.expectTls('sender')
    for (const party of ['sender', 'receiver'] as const) far.recorder.expectTls(party)
    for (const leg of [near, far]) leg.hold()
    near.link.write(Buffer.concat([wire(lines), rest]), error => {
      if (error) return
      near.recorder.expectTls('receiver')
      if (this.#options.relay.swapsTls) void this.#swap()
      else for (const leg of [near, far]) leg.release()
    })
  }

  /**
   * TLS ends at the tap. The handshake with the gateway comes first: where the gateway refuses, the other server is
   * not asked.
   */
  async #swap(): Promise<void> {
    const { relay, tls } = this.#options
    const gatewaySends = relay.gatewayIs === 'sender'
    const { answer } = this.#limits
    const [ours, theirs] = gatewaySends ? [tls.gateway, tls.other] : [tls.other, tls.gateway]
    const near = () => this.#near.accept(ours, answer)
    const far = () => this.#far.begin(asClient(theirs, this.#options.hostname), answer)
    // The server that sends waits for the tap's handshake, whichever of the two it is.
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

const wire = (lines: readonly Buffer[]): Buffer =>
  Buffer.concat(lines.flatMap(line => [line, Buffer.from('\r\n')]))

/**
 * TLS options for the tap as a client. Without the certificate, which is a server's: the server that sends shows
 * none.
 */
const asClient = ({ minVersion, maxVersion, ciphers }: TlsOptions, servername: string): ConnectionOptions =>
  connectionOptions({
    servername,
    ...(minVersion ? { minVersion } : {}),
    ...(maxVersion ? { maxVersion } : {}),
    ...(ciphers ? { ciphers } : {}),
  })
