import type { Socket } from 'node:net'
import type { TLSSocket, TlsOptions } from 'node:tls'
import type { ReceivedMessage } from '../../evidence/mail.ts'
import { reasonOf, WireError } from '../../wire/breakdown.ts'
import { Link } from '../../wire/link.ts'
import { IDLE } from '../../wire/patience.ts'
import { printable } from '../../wire/printable.ts'
import type { Recorder } from '../../wire/recorder.ts'
import { LineBuffer, PeerLimit } from '../../wire/smtp/lines.ts'
import { acceptTls } from '../../wire/tls/handshake.ts'
import type { Behaviour, HandshakeFault } from './behaviour.ts'
import { keywords, REFUSALS, SPOILED } from './partner-faults.ts'

/** Largest message that a partner takes, in bytes; it is what SIZE says. Only TLS lets so much through. */
const MAX_CONTENT = 2 * 1024 * 1024
/** What a line or an event costs beside its bytes. */
export const OVERHEAD = 64

export interface SessionOptions {
  hostname: string
  behaviour: Behaviour
  recorder: Recorder
  /** Certificate, versions and suites for this behaviour. */
  tls: () => Promise<TlsOptions>
  onMessage: (message: ReceivedMessage) => void
  /** A recipient that is not this partner's: the connection is somebody else's and is refused there. */
  isForeign?: (recipient: string) => boolean
  /** `carried`: the connection has carried mail for this partner before. */
  onForeign?: (recipient: string, carried: boolean) => void
  /** Whether so many bytes more can be kept; without it what was kept would be without bounds over all connections. */
  keeps?: (what: 'said' | 'content', bytes: number) => boolean
  /** Nothing more can come. */
  onEnd?: () => void
}

/**
 * One connection on the receiving side: an SMTP server (RFC 5321, RFC 3207) that misbehaves exactly as told.
 * Never throws: whatever the sender does ends in the record.
 */
export class PartnerSession {
  readonly #link: Link
  readonly #options: SessionOptions
  #stream: Link | TLSSocket
  #buffer = new LineBuffer()
  #secured = false
  #greeted = false
  /** Ended by us: what the sender still says is recorded by the tap alone, and nothing is answered. */
  #over = false
  #withheld: NodeJS.Timeout | undefined
  #from: string | undefined
  #to: string[] = []
  /** This connection has carried mail for this partner. */
  #ours = false
  #content: string[] | undefined
  #contentSize = 0

  constructor(socket: Socket, options: SessionOptions) {
    this.#options = options
    this.#link = new Link(socket, options.recorder)
    this.#stream = this.#link
    socket.setTimeout(IDLE, () => this.#drop(`no traffic for ${IDLE / 1000} s`))
    options.recorder.whenFull(limit => this.#drop(limit.message))
    this.#link.on('error', error => this.#record('error', printable(error.message, 200)))
    this.#link.on('close', () => {
      clearTimeout(this.#withheld)
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

  #greet(): void {
    const { greeting } = this.#options.behaviour
    if (greeting === 'closes') this.#close('closed without a greeting')
    else if (greeting === 'talks garbage') this.#write('\x00\x16\x03 what?\r\n')
    else if (greeting === 'refuses (554)') this.#reply(`554 5.3.2 ${this.#options.hostname} takes no mail`)
    else if (greeting !== 'goes silent') this.#reply(`220 ${this.#options.hostname} ESMTP`)
  }

  #onData = (chunk: Buffer): void => {
    if (this.#over) return
    try {
      this.#buffer.push(chunk)
      let line = this.#buffer.next()
      while (line && !this.#over) {
        if (!this.#content) this.#command(line)
        else if (line.length === 1 && line[0] === 0x2e) this.#contentEnd()
        else this.#contentLine(line)
        line = this.#buffer.next()
      }
    } catch (error) {
      if (!(error instanceof PeerLimit)) throw error
      this.#record('error', error.message)
      this.#drop(error.message)
    }
  }

  #reply(...lines: string[]): void {
    // What cannot leave any more must not be in the record.
    if (this.#over || !this.#stream.writable || !this.#link.socket.writable) return
    for (const line of lines) this.#record('reply', line)
    this.#stream.write(lines.map(line => `${line}\r\n`).join(''))
  }

  #write(bytes: string): void {
    this.#record('bytes', printable(bytes))
    this.#stream.write(bytes)
  }

  #close(why: string): void {
    this.#record('close', why)
    this.#over = true
    this.#stream.end()
  }

  /** Ends the connection at once, whatever the sender still has to say. */
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
    const text = line.toString('latin1')
    const { greeting } = this.#options.behaviour
    if (greeting === 'goes silent') return
    const starttls = /^starttls\s*$/i.test(text)
    const verb = starttls ? 'STARTTLS' : text.slice(0, 4).toUpperCase()
    // RFC 5321 s3.1: after a 554 greeting everything but QUIT is answered 503.
    const refused = greeting === 'refuses (554)' && verb !== 'QUIT'
    const answer = refused ? '503 5.5.1 No mail here' : this.#answer(verb, text)
    if (answer) this.#reply(answer)
  }

  /** The reply to a command, or nothing where more than a reply is due and has been seen to. */
  #answer(verb: string, text: string): string | undefined {
    const refuses = this.#options.behaviour.transaction?.refuses
    switch (verb) {
      case 'STARTTLS':
        return this.#starttls()
      case 'EHLO':
        this.#greeted = true
        this.#reset()
        this.#ehlo()
        return undefined
      case 'HELO':
        this.#greeted = true
        this.#reset()
        return `250 ${this.#options.hostname}`
      case 'MAIL':
        if (!this.#greeted) return '503 5.5.1 Greet first'
        if (refuses?.at === 'MAIL') return refuses.reply
        this.#reset()
        this.#from = address(text)
        return '250 2.1.0 Sender noted'
      case 'RCPT':
        if (this.#from === undefined) return '503 5.5.1 No sender yet'
        if (refuses?.at === 'RCPT') return refuses.reply
        if (this.#options.isForeign?.(address(text))) return this.#foreign(address(text))
        this.#ours = true
        this.#to.push(address(text))
        return '250 2.1.5 Recipient noted'
      case 'DATA':
        if (!this.#to.length) return '503 5.5.1 No recipient yet'
        if (refuses?.at === 'DATA') return refuses.reply
        this.#content = []
        this.#contentSize = 0
        return '354 Go on, end with a dot'
      case 'RSET':
        this.#reset()
        return '250 2.0.0 Forgotten'
      case 'NOOP':
        return '250 2.0.0 Still here'
      case 'QUIT':
        this.#reply(`221 2.0.0 ${this.#options.hostname} closes`)
        this.#close('closed after QUIT')
        return undefined
      default:
        return '500 5.5.1 Unknown command'
    }
  }

  /** Somebody else's connection ends here: what is for this partner comes on one of its own and is seen whole. */
  #foreign(recipient: string): string | undefined {
    this.#options.onForeign?.(recipient, this.#ours)
    // The message has recipients that are this partner's.
    if (this.#to.length > 0) return '550 5.1.1 Not a recipient of this partner'
    this.#reply('421 4.3.2 The recipient is not here at the moment')
    this.#close('closed: a recipient of somebody else')
    return undefined
  }

  #reset(): void {
    this.#from = undefined
    this.#to = []
  }

  #ehlo(): void {
    const { hostname, behaviour } = this.#options
    const { starttls = {} } = behaviour
    const lines = [hostname, ...keywords(starttls, { secured: this.#secured, size: MAX_CONTENT })]
    const answer = () =>
      this.#reply(...lines.map((line, i) => `250${i === lines.length - 1 ? ' ' : '-'}${line}`))
    clearTimeout(this.#withheld)
    if (this.#secured && starttls.withholdsEhloReply)
      this.#withheld = setTimeout(answer, starttls.withholdsEhloReply)
    else answer()
  }

  #starttls(): string | undefined {
    const { starttls = {}, handshake } = this.#options.behaviour
    if (this.#secured) return '503 5.5.1 TLS is on already'
    if (starttls.refuses) return REFUSALS[starttls.refuses]
    if (starttls.hides || starttls.garbles) return REFUSALS[500]
    if (starttls.closes) this.#close('closed in answer to STARTTLS')
    else this.#goAhead(starttls.injects ?? '', handshake)
    return undefined
  }

  #goAhead(injected: string, handshake: HandshakeFault | undefined): void {
    const { recorder } = this.#options
    const tooEarly = this.#buffer.drain()
    if (tooEarly.length) this.#record('bytes', `sent before the go-ahead: ${printable(tooEarly)}`, 'sender')
    // Without its listener a flowing stream would lose the ClientHello while the certificate is made.
    this.#link.off('data', this.#onData)
    this.#link.pause()
    // Before the 220 leaves: whatever the sender says next has to be TLS.
    recorder.expectTls('sender')
    this.#record('reply', '220 2.0.0 Go ahead')
    if (injected) this.#record('bytes', `injected in clear: ${printable(injected)}`)
    this.#link.write(`220 2.0.0 Go ahead\r\n${injected}`, error => {
      if (error) return
      // Only now: earlier replies may still have been on their way.
      recorder.expectTls('receiver')
      if (handshake) this.#spoil(handshake)
      else this.#secure()
    })
  }

  #spoil(fault: HandshakeFault): void {
    if (fault === 'closes') this.#close('closed before the handshake')
    else
      this.#link.once('data', () => {
        const { answer, end, record } = SPOILED[fault]
        if (answer) this.#link.write(answer)
        if (end === 'closes') this.#close(record)
        else if (end === 'resets') this.#cut(record)
        else this.#record('bytes', record)
      })
    this.#link.resume()
  }

  async #secure(): Promise<void> {
    const { recorder } = this.#options
    try {
      const options = await this.#options.tls()
      if (this.#over) return
      const socket = await acceptTls(this.#link, options)
      recorder.secured(socket, String(options.cert))
      this.#stream = socket
      this.#secured = true
      this.#greeted = false
      this.#reset()
      socket.on('error', error => this.#record('error', reasonOf(error)))
      socket.on('data', this.#onData)
    } catch (error) {
      recorder.failed(error as Error)
      if (!(error instanceof WireError)) this.#drop('the lab failed')
    }
  }

  #contentLine(line: Buffer): void {
    const cutsAfter = this.#options.behaviour.transaction?.cutsAfter
    this.#contentSize += line.length + 2
    if (cutsAfter !== undefined && this.#contentSize >= cutsAfter) {
      this.#cut(`cut after ${this.#contentSize} bytes of content, without close_notify`)
      return
    }
    this.#keep('content', line.length + OVERHEAD)
    if (this.#over) return
    if (this.#contentSize > MAX_CONTENT) throw new PeerLimit(`a message of more than ${MAX_CONTENT} bytes`)
    const text = line.toString('latin1')
    this.#content!.push(text.startsWith('.') ? text.slice(1) : text)
  }

  #contentEnd(): void {
    const refuses = this.#options.behaviour.transaction?.refuses
    const message = {
      from: this.#from ?? '',
      to: this.#to,
      content: `${this.#content!.join('\r\n')}\r\n`,
      secured: this.#secured,
      at: performance.now(),
    }
    this.#record('content', `message of ${this.#contentSize} bytes`, 'sender')
    this.#content = undefined
    this.#reset()
    const taken = refuses?.at !== 'content'
    this.#reply(taken ? '250 2.0.0 Taken' : refuses.reply)
    if (taken) this.#options.onMessage(message)
  }
}

function address(command: string): string {
  return printable(/<([^>]*)>/.exec(command)?.[1] ?? command.slice(10), 320)
}
