import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ReceivedMessage } from '../../evidence/mail.ts'
import { Link } from '../../wire/link.ts'
import { IDLE, SILENCE } from '../../wire/patience.ts'
import { printable } from '../../wire/printable.ts'
import type { Recorder } from '../../wire/recorder.ts'
import { withALabels } from '../../wire/smtp/a-labels.ts'
import { LineBuffer, PeerLimit } from '../../wire/smtp/lines.ts'
import { reasonOf } from '../../wire/wire-error.ts'
import type { Behaviour } from './behaviour.ts'
import { ehloReply } from './ehlo-reply.ts'
import type { HostTls } from './host-tls.ts'
import { CONTENT, Pace, SLOW } from './pace.ts'
import { REFUSALS, TLS_FIRST } from './partner-faults.ts'
import { PartnerHandshake } from './partner-handshake.ts'
import type { PartnerManner } from './partner-manner.ts'
import { type Chunk, Transaction } from './partner-transaction.ts'
import { greetingReply, wordedReply } from './replies.ts'

/** Largest message that a partner takes, in bytes; it is what SIZE says. Only TLS lets so much through. */
const MAX_CONTENT = 2 * 1024 * 1024
/** What may wait while a reply is on its way, in bytes: a pipelined message (RFC 3030 s4.2) and some commands. */
const MAX_WAITING = MAX_CONTENT + 64 * 1024
/** How long a partner that leaves the close to the gateway waits for it, in ms. */
const FAREWELL = 2_000
/** How long a partner that will close the connection waits for the next command, in ms. */
const LAST_WORD = 300
const AFTER_421 = 'closed after 421'
/** What a kept line or event costs beside its own bytes, in bytes. */
export const OVERHEAD = 64

export interface SessionOptions {
  hostname: string
  behaviour: Behaviour
  recorder: Recorder
  /** Certificate, versions and suites for this behaviour. */
  tls: () => Promise<HostTls>
  onMessage: (message: ReceivedMessage) => void
  /** Whether a recipient is another partner's: the session refuses it. */
  isForeign?: (recipient: string) => boolean
  /** Several partners use the address, one after another. */
  shared?: boolean
  /** Called for such a recipient. `carried`: the connection has carried mail for this partner before. */
  onForeign?: (recipient: string, carried: boolean) => void
  /** Whether so many more bytes may be kept; it bounds what is kept of all connections together. */
  keeps?: (what: 'said' | 'content', bytes: number) => boolean
  /** Called when the connection is closed. */
  onEnd?: () => void
}

/**
 * One connection that a gateway makes to a partner: an SMTP server (RFC 5321, RFC 3207) that misbehaves exactly as
 * its behaviour says. Never throws: whatever the gateway does is in the record.
 */
export class PartnerSession {
  readonly #link: Link
  readonly #options: SessionOptions
  #stream: Link | TLSSocket
  #buffer = new LineBuffer()
  #secured = false
  /** TLS has failed or ended on this connection, and the partner goes on unencrypted. */
  #tlsOver = false
  readonly #handshake: PartnerHandshake
  #greeted = false
  /** Nothing is answered any more. */
  #silent = false
  /** It has said 421. */
  #leaves = false
  /**
   * The partner has ended the session: it answers nothing more, and the link alone records what the gateway still
   * says.
   */
  #over = false
  #withheld: NodeJS.Timeout | undefined
  #silence: NodeJS.Timeout | undefined
  readonly #pace: Pace
  #transaction = new Transaction()
  /** The chunk that BDAT announced, as far as it has not come. */
  #chunk: Chunk | undefined
  /** The connection has carried mail for this partner. */
  #carried = false

  constructor(socket: Socket, options: SessionOptions) {
    this.#options = options
    this.#link = new Link(socket, options.recorder)
    this.#stream = this.#link
    this.#handshake = new PartnerHandshake(this.#link, options, {
      isOver: () => this.#over,
      record: text => this.#record('bytes', text),
      close: why => this.#close(why),
      cut: why => this.#cut(why),
      drop: why => this.#drop(why),
      fallSilent: () => this.#fallSilent(),
      endSoon: () => this.#endSoon(),
      secure: socket => this.#secure(socket),
      goOnUnencrypted: () => this.#goOnUnencrypted(),
      hear: bytes => this.#onData(bytes),
    })
    this.#pace = new Pace(this.#manner.speed, () => this.#work())
    socket.setTimeout(IDLE, () => this.#drop(`no traffic for ${IDLE / 1000} s`))
    options.recorder.whenFull(limit => this.#drop(limit.message))
    this.#link.on('error', error => this.#record('error', printable(error.message, 200)))
    this.#link.on('close', () => {
      clearTimeout(this.#withheld)
      clearTimeout(this.#silence)
      this.#pace.stop()
      this.#over = true
      this.#record('close', 'closed', 'sender')
      options.onEnd?.()
    })
    this.#record('open', `from ${socket.remoteAddress}`, 'sender')
    this.#link.on('data', this.#onData)
    this.#greet()
  }

  #record(
    kind: Parameters<Recorder['event']>[1],
    text: string,
    from: 'sender' | 'receiver' = 'receiver',
  ): void {
    this.#options.recorder.event(from, kind, text, this.#secured)
    if (kind !== 'close') this.#keep('said', text.length + OVERHEAD)
  }

  #keep(what: 'said' | 'content', bytes: number): void {
    if (this.#over || (this.#options.keeps?.(what, bytes) ?? true)) return
    this.#options.recorder.conversation.truncated = true
    this.#drop('more than is kept of one partner')
  }

  get #manner(): PartnerManner {
    return this.#options.behaviour.manner ?? {}
  }

  #greet(): void {
    const { hostname, behaviour } = this.#options
    const { greeting } = behaviour
    if (greeting === 'closes') this.#close('closed without a greeting')
    else if (greeting === 'talks garbage') this.#write('\x00\x16\x03 what?\r\n')
    else if (greeting === 'refuses (554)') this.#reply(`554 5.3.2 ${hostname} takes no mail`)
    else if (greeting === 'turns away (421)') this.#reply(`421 4.3.2 ${hostname} takes no mail now`)
    else if (greeting === 'goes silent') this.#fallSilent()
    else {
      const lines = greetingReply(hostname, this.#manner)
      if (this.#manner.greeting === 'after 150 ms') this.#pace.later(SLOW, () => this.#say(lines))
      else this.#say(lines)
    }
  }

  #fallSilent(): void {
    this.#silent = true
    this.#endSoon()
  }

  /** Ends the connection after a long silence, unless a command ends the silence. */
  #endSoon(): void {
    this.#silence ??= setTimeout(() => this.#close('closed after a long silence'), SILENCE)
  }

  #endSilence(): void {
    clearTimeout(this.#silence)
    this.#silence = undefined
  }

  #onData = (chunk: Buffer): void => {
    if (this.#over) return
    this.#buffer.push(chunk)
    this.#work()
  }

  /** Takes what has come, unless a reply is on its way. */
  #work(): void {
    try {
      while (!this.#over && !this.#pace.busy) if (!this.#take()) return
      if (this.#buffer.size > MAX_WAITING)
        throw new PeerLimit(`more than ${MAX_WAITING} bytes before a reply`)
    } catch (error) {
      if (!(error instanceof PeerLimit)) throw error
      this.#record('error', error.message)
      this.#drop(error.message)
    }
  }

  /** False when more has to come first. */
  #take(): boolean {
    if (this.#chunk) return this.#chunkPart(this.#chunk)
    const line = this.#buffer.next()
    if (!line) return false
    if (!this.#transaction.takesLines) this.#command(line)
    else if (line.length === 1 && line[0] === 0x2e) this.#messageEnd()
    else this.#contentLine(line)
    return true
  }

  /** One reply, worded in the partner's manner; then `then`, once it has left. */
  #reply(reply: string, then?: (() => void) | undefined): void {
    // RFC 5321 s3.8: who says 421 closes the connection.
    const closes = reply.startsWith('421') && !this.#options.behaviour.stays
    this.#say(wordedReply(reply, this.#manner), then ?? (closes ? () => this.#leave() : undefined))
  }

  /** Closes after 421, but not before the sender had time for one more command, which is in the record then. */
  #leave(): void {
    // At an address that several partners use, nobody would know whose mail the command is about.
    this.#leaves = this.#greeted && !this.#options.shared
    if (this.#leaves) this.#closeUnlessMore(AFTER_421)
    else this.#close(AFTER_421)
  }

  #closeUnlessMore(why: string): void {
    this.#silence ??= setTimeout(() => this.#close(why), LAST_WORD)
  }

  /** The lines of one reply as they are. */
  #say(lines: readonly string[], then = () => {}): void {
    this.#pace.due(() => {
      // The record must not have what cannot be sent any more.
      if (this.#over) return
      if (!this.#stream.writable || !this.#link.socket.writable) return then()
      for (const line of lines) this.#record('reply', line)
      this.#pace.write(this.#stream, wire(lines), () => {
        if (!this.#over) then()
      })
    })
  }

  #write(bytes: string): void {
    this.#record('bytes', printable(bytes))
    this.#stream.write(bytes)
  }

  #close(why: string): void {
    this.#record('close', why)
    this.#over = true
    this.#handshake.endConnectionWithTls()
    this.#stream.end()
  }

  /** Ends the connection at once, and reads nothing more. */
  #drop(why: string): void {
    this.#record('close', `ended by the partner: ${why}`)
    this.#over = true
    this.#link.destroy()
  }

  /** Ends the connection with a TCP reset. */
  #cut(why: string): void {
    this.#record('close', why)
    this.#over = true
    this.#link.reset()
  }

  #command(line: Buffer): void {
    this.#record('command', printable(line), 'sender')
    if (this.#leaves) {
      this.#close(AFTER_421)
      return
    }
    const text = line.toString('latin1')
    const { greeting, silentAt } = this.#options.behaviour
    const starttls = /^starttls\s*$/i.test(text)
    const verb = starttls ? 'STARTTLS' : text.slice(0, 4).toUpperCase()
    if (silentAt === (verb === 'EHLO' && this.#secured ? 'EHLO inside TLS' : verb)) this.#fallSilent()
    if (this.#silent) return
    this.#endSilence()
    this.#pace.answers = verb
    // RFC 5321 s3.1: after a 554 greeting everything but QUIT is answered 503.
    const refused = greeting === 'refuses (554)' && verb !== 'QUIT'
    const answer = refused ? '503 5.5.1 No mail here' : this.#answer(verb, text)
    if (answer) this.#reply(answer)
  }

  /** The reply to a command. Nothing where this function has already done all that the command asks for. */
  #answer(verb: string, text: string): string | undefined {
    const { transaction, starttls, knowsNoEhlo } = this.#options.behaviour
    const refuses = transaction?.refuses
    if (starttls?.demands && !this.#secured && /^(MAIL|RCPT|DATA)$/.test(verb)) return TLS_FIRST
    switch (verb) {
      case 'STARTTLS':
        return this.#starttls()
      case 'EHLO':
        if (knowsNoEhlo) return REFUSALS[502]
        this.#greeted = true
        this.#reset()
        this.#ehlo()
        return undefined
      case 'HELO':
        this.#greeted = true
        this.#reset()
        this.#say([`250 ${this.#options.hostname}`])
        return undefined
      case 'MAIL':
        if (!this.#greeted) return '503 5.5.1 Greet first'
        if (refuses?.at === 'MAIL') return refuses.reply
        this.#reset()
        this.#transaction.from = address(text)
        return '250 2.1.0 Sender noted'
      case 'RCPT':
        if (this.#transaction.from === undefined) return '503 5.5.1 No sender yet'
        if (refuses?.at === 'RCPT') return refuses.reply
        if (this.#options.isForeign?.(address(text))) return this.#foreign(address(text))
        this.#carried = true
        this.#transaction.to.push(address(text))
        return this.#manner.recipientReply === 251
          ? `251 2.1.5 User not local; will forward to <${address(text)}>`
          : '250 2.1.5 Recipient noted'
      case 'BDAT':
        return this.#bdat(text)
      case 'DATA':
        if (this.#transaction.to.length === 0) return '503 5.5.1 No recipient yet'
        if (this.#transaction.hasChunks) return '503 5.5.1 The message comes by BDAT'
        if (refuses?.at === 'DATA') return refuses.reply
        this.#transaction.beginLines()
        return '354 Go on, end with a dot'
      case 'RSET':
        this.#reset()
        return '250 2.0.0 Forgotten'
      case 'NOOP':
        return '250 2.0.0 Still here'
      case 'QUIT':
        this.#quit()
        return undefined
      default:
        return '500 5.5.1 Unknown command'
    }
  }

  /**
   * Ends a connection for another partner. Mail for this partner comes on another connection, which is then seen
   * whole.
   */
  #foreign(recipient: string): string | undefined {
    this.#options.onForeign?.(recipient, this.#carried)
    // The message has recipients of this partner too.
    if (this.#transaction.to.length > 0) return '550 5.1.1 Not a recipient of this partner'
    this.#reply('421 4.3.2 The recipient is not here at the moment', () =>
      this.#close('closed: a recipient of another partner'),
    )
    return undefined
  }

  #quit(): void {
    const { hostname, behaviour } = this.#options
    this.#reply(`221 2.0.0 ${hostname} closes`, () => {
      if (behaviour.manner?.close === undefined) return this.#close('closed after QUIT')
      // Until then nothing more is answered.
      this.#pace.later(FAREWELL, () => this.#close('closed after QUIT'))
    })
  }

  #reset(): void {
    this.#transaction = new Transaction()
  }

  #ehlo(): void {
    const { hostname, behaviour } = this.#options
    const { starttls = {} } = behaviour
    const host = { hostname, secured: this.#secured, size: MAX_CONTENT }
    const offer = this.#tlsOver ? { ...starttls, hides: true } : starttls
    const answer = () => this.#say(ehloReply(host, offer, this.#manner))
    clearTimeout(this.#withheld)
    if (this.#secured && starttls.withholdsEhloReply)
      this.#withheld = setTimeout(answer, starttls.withholdsEhloReply)
    else answer()
  }

  #starttls(): string | undefined {
    const { starttls = {}, knowsNoEhlo } = this.#options.behaviour
    if (this.#secured) return '503 5.5.1 TLS is on already'
    if (this.#tlsOver) return REFUSALS[454]
    if (knowsNoEhlo) return REFUSALS[502]
    if (starttls.refuses) return REFUSALS[starttls.refuses]
    if (starttls.hides || starttls.garbles) return REFUSALS[500]
    if (starttls.closes) this.#close('closed in answer to STARTTLS')
    else this.#goAhead(starttls.injects ?? '')
    return undefined
  }

  #goAhead(injected: string): void {
    const { recorder } = this.#options
    const lines = wordedReply('220 2.0.0 Go ahead', this.#manner)
    this.#pace.due(() => {
      const tooEarly = this.#buffer.drain()
      if (tooEarly.length) this.#record('bytes', `sent before the go-ahead: ${printable(tooEarly)}`, 'sender')
      // A stream that flows without a listener would lose the ClientHello while the certificate is made.
      this.#link.off('data', this.#onData)
      this.#link.pause()
      // Before the 220 is sent: whatever the gateway says next has to be TLS.
      recorder.expectTls('sender')
      for (const line of lines) this.#record('reply', line)
      if (injected) this.#record('bytes', `injected in clear: ${printable(injected)}`)
      this.#pace.flush(this.#link, wire(lines, injected), error => {
        if (error || this.#over) return
        // Not earlier, because earlier replies may not have been sent yet.
        recorder.expectTls('receiver')
        this.#handshake.begin()
      })
    })
  }

  /** TLS has failed or ended, or the gateway has not waited for that. */
  #goOnUnencrypted(): void {
    if (this.#over || this.#tlsOver) return
    this.#tlsOver = true
    this.#silent = false
    this.#endSilence()
    // Of TLS nothing is heard any more.
    this.#stream.off('data', this.#onData)
    this.#stream = this.#link
    this.#secured = false
    this.#greeted = true
    this.#chunk = undefined
    this.#buffer = new LineBuffer()
    this.#reset()
  }

  #secure(socket: TLSSocket): void {
    if (this.#tlsOver) return
    this.#stream = socket
    this.#secured = true
    this.#greeted = false
    this.#reset()
    socket.on('error', error => this.#record('error', reasonOf(error)))
    socket.on('data', this.#onData)
  }

  #contentLine(line: Buffer): void {
    if (this.#counts(line.length + 2, OVERHEAD - 2)) this.#transaction.addLine(line)
  }

  /** Counts bytes of the message, and what it costs to keep them; false when that has ended the connection. */
  #counts(bytes: number, overhead = OVERHEAD): boolean {
    const cutsAfter = this.#options.behaviour.transaction?.cutsAfter
    this.#transaction.size += bytes
    const { size } = this.#transaction
    if (cutsAfter !== undefined && size >= cutsAfter) {
      this.#cut(`cut after ${size} bytes of content, without close_notify`)
      return false
    }
    this.#keep('content', bytes + overhead)
    if (this.#over) return false
    if (size > MAX_CONTENT) throw new PeerLimit(`a message of more than ${MAX_CONTENT} bytes`)
    return true
  }

  #messageEnd(): void {
    const { transaction, silentAt, keepsNoConnection } = this.#options.behaviour
    const { from = '', to, content, size } = this.#transaction
    this.#record('content', `message of ${size} bytes`, 'sender')
    this.#reset()
    if (silentAt === 'message') this.#fallSilent()
    if (this.#silent) return
    this.#pace.answers = CONTENT
    const refusal = transaction?.refuses?.at === 'content' ? transaction.refuses.reply : undefined
    this.#reply(
      refusal ?? '250 2.0.0 Taken',
      keepsNoConnection && (() => this.#closeUnlessMore('closed after the message')),
    )
    if (refusal) return
    this.#options.onMessage({ from, to, content, secured: this.#secured, at: performance.now() })
  }

  #bdat(text: string): string | undefined {
    if (!this.#manner.offers?.includes('CHUNKING')) return '500 5.5.1 Unknown command'
    const refuses = this.#options.behaviour.transaction?.refuses
    const [, size, last] = /^BDAT +(\d{1,9})( +LAST)?\s*$/i.exec(text) ?? []
    if (size === undefined) return '501 5.5.4 BDAT wants a number of bytes'
    const none = this.#transaction.to.length === 0 ? '503 5.5.1 No recipient yet' : undefined
    const refusal = none ?? (refuses?.at === 'DATA' ? refuses.reply : undefined)
    this.#chunk = { left: Number(size), last: last !== undefined, ...(refusal ? { refusal } : {}) }
    return undefined
  }

  /** False when more of the chunk has to come first. */
  #chunkPart(chunk: Chunk): boolean {
    const rest = this.#buffer.drain()
    const part = rest.subarray(0, chunk.left)
    this.#buffer.push(rest.subarray(part.length))
    chunk.left -= part.length
    if (!this.#counts(part.length)) return false
    this.#transaction.addChunk(part)
    if (chunk.left > 0) return false
    this.#chunk = undefined
    if (chunk.refusal) {
      this.#reset()
      this.#reply(chunk.refusal)
    } else if (chunk.last) this.#messageEnd()
    else this.#reply(`250 2.0.0 ${this.#transaction.size} bytes so far`)
    return true
  }
}

const wire = (lines: readonly string[], behind = ''): Buffer =>
  Buffer.from(`${lines.map(line => `${line}\r\n`).join('')}${behind}`)

/** `command` has one character for each byte. */
function address(command: string): string {
  const written = /<([^>]*)>/.exec(command)?.[1] ?? command.slice(10)
  return withALabels(printable(Buffer.from(written, 'latin1'), 320))
}
