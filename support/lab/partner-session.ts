import type { Socket } from 'node:net'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { LineBuffer, PeerLimit } from '../wire/lines.ts'
import { Link } from '../wire/link.ts'
import { printable } from '../wire/printable.ts'
import type { Recorder } from '../wire/recorder.ts'
import type { Behaviour } from './behaviour.ts'

/** A session without any traffic is ended after this long, in ms; no sender waits that long for us. */
const IDLE = 60_000
/** Largest message that a partner keeps, in bytes. */
const MAX_CONTENT = 32 * 1024 * 1024

/** A message that a partner took responsibility for: content ended with a dot and answered 250. */
export interface ReceivedMessage {
  from: string
  to: string[]
  /** As received, dots unstuffed, CRLF line ends. */
  content: string
  secured: boolean
  at: number
}

export interface SessionOptions {
  hostname: string
  behaviour: Behaviour
  recorder: Recorder
  /** Certificate, versions and suites for this behaviour. */
  tls: () => Promise<TlsOptions>
  onMessage: (message: ReceivedMessage) => void
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
  #from: string | undefined
  #to: string[] = []
  #content: string[] | undefined
  #contentSize = 0

  constructor(socket: Socket, options: SessionOptions) {
    this.#options = options
    this.#link = new Link(socket, options.recorder)
    this.#stream = this.#link
    socket.setTimeout(IDLE, () => socket.destroy())
    this.#record('open', `from ${socket.remoteAddress}`, 'sender')
    this.#listen()
    this.#greet()
  }

  #record(kind: Parameters<Recorder['event']>[1], text: string, from: 'sender' | 'receiver' = 'receiver'): void {
    this.#options.recorder.event(from, kind, text, this.#secured)
  }

  #listen(): void {
    const stream = this.#stream
    stream.on('data', this.#onData)
    stream.on('error', error => this.#record('error', printable(error.message, 200)))
    stream.on('end', () => stream.end())
    stream.on('close', () => {
      if (!this.#options.recorder.conversation.closed) this.#record('close', 'closed', 'sender')
    })
  }

  #greet(): void {
    const { greeting } = this.#options.behaviour
    if (greeting === 'goes silent') return
    if (greeting === 'closes') return this.#close('closed without a greeting')
    if (greeting === 'talks garbage') return this.#write('\x00\x16\x03 what?\r\n')
    if (greeting === 'refuses (554)') return this.#reply(`554 5.3.2 ${this.#options.hostname} takes no mail`)
    this.#reply(`220 ${this.#options.hostname} ESMTP`)
  }

  #onData = (chunk: Buffer): void => {
    try {
      this.#buffer.push(chunk)
      for (let line = this.#buffer.next(); line; line = this.#buffer.next()) {
        if (this.#content) this.#contentLine(line)
        else if (this.#command(line)) return
      }
    } catch (error) {
      if (!(error instanceof PeerLimit)) throw error
      this.#record('error', error.message)
      this.#link.destroy()
    }
  }

  #reply(...lines: string[]): void {
    for (const line of lines) this.#record('reply', line)
    this.#stream.write(lines.map(line => `${line}\r\n`).join(''))
  }

  #write(bytes: string): void {
    this.#record('bytes', printable(bytes))
    this.#stream.write(bytes)
  }

  #close(why: string): void {
    this.#record('close', why)
    this.#stream.end()
  }

  /** Returns true when the lines that follow in the buffer are no longer ours to read. */
  #command(line: Buffer): boolean {
    this.#record('command', printable(line), 'sender')
    const text = line.toString('latin1')
    const verb = text.slice(0, 4).toUpperCase()
    const { transaction } = this.#options.behaviour
    if (/^starttls\s*$/i.test(text)) return this.#starttls()
    switch (verb) {
      case 'EHLO':
        this.#greeted = true
        this.#reset()
        this.#ehlo()
        break
      case 'HELO':
        this.#greeted = true
        this.#reset()
        this.#reply(`250 ${this.#options.hostname}`)
        break
      case 'MAIL':
        if (!this.#greeted) this.#reply('503 5.5.1 Greet first')
        else if (transaction?.refuses?.at === 'MAIL') this.#reply(transaction.refuses.reply)
        else {
          this.#reset()
          this.#from = address(text)
          this.#reply('250 2.1.0 Sender noted')
        }
        break
      case 'RCPT':
        if (this.#from === undefined) this.#reply('503 5.5.1 No sender yet')
        else if (transaction?.refuses?.at === 'RCPT') this.#reply(transaction.refuses.reply)
        else {
          if (this.#to.length < 1000) this.#to.push(address(text))
          this.#reply('250 2.1.5 Recipient noted')
        }
        break
      case 'DATA':
        if (!this.#to.length) this.#reply('503 5.5.1 No recipient yet')
        else if (transaction?.refuses?.at === 'DATA') this.#reply(transaction.refuses.reply)
        else {
          this.#content = []
          this.#contentSize = 0
          this.#reply('354 Go on, end with a dot')
        }
        break
      case 'RSET':
        this.#reset()
        this.#reply('250 2.0.0 Forgotten')
        break
      case 'NOOP':
        this.#reply('250 2.0.0 Still here')
        break
      case 'QUIT':
        this.#reply(`221 2.0.0 ${this.#options.hostname} closes`)
        this.#close('closed after QUIT')
        break
      default:
        this.#reply('500 5.5.1 Unknown command')
    }
    return false
  }

  #reset(): void {
    this.#from = undefined
    this.#to = []
  }

  #ehlo(): void {
    const { hostname, behaviour } = this.#options
    const { starttls = {} } = behaviour
    const keywords = ['PIPELINING', '8BITMIME', 'ENHANCEDSTATUSCODES', 'SIZE 33554432']
    if (this.#secured) keywords.push(...(starttls.tlsExtensions ?? []))
    else {
      keywords.push(...(starttls.clearExtensions ?? []))
      if (starttls.garbles) keywords.push('XXXXXXXA')
      else if (!starttls.hides) keywords.push('STARTTLS')
    }
    const lines = [hostname, ...keywords]
    const answer = () =>
      this.#reply(...lines.map((line, i) => `250${i === lines.length - 1 ? ' ' : '-'}${line}`))
    if (this.#secured && starttls.withholdsEhloReply) setTimeout(answer, starttls.withholdsEhloReply)
    else answer()
  }

  #starttls(): boolean {
    const { starttls = {}, handshake } = this.#options.behaviour
    if (starttls.closes) {
      this.#close('closed in answer to STARTTLS')
      return true
    }
    const refusal = this.#secured
      ? '503 5.5.1 TLS is on already'
      : starttls.refuses
        ? REFUSALS[starttls.refuses]
        : starttls.hides || starttls.garbles
          ? '500 5.5.1 Unknown command'
          : undefined
    if (refusal) {
      this.#reply(refusal)
      return false
    }
    const { recorder } = this.#options
    const tooEarly = this.#buffer.drain()
    if (tooEarly.length) this.#record('bytes', `sent before the go-ahead: ${printable(tooEarly)}`, 'sender')
    this.#link.removeAllListeners('data')
    // Before the 220 leaves: whatever the sender says next has to be TLS.
    recorder.expectTls('sender')
    this.#record('reply', '220 2.0.0 Go ahead')
    if (starttls.injects) this.#record('bytes', `injected in clear: ${printable(starttls.injects)}`)
    this.#link.write(`220 2.0.0 Go ahead\r\n${starttls.injects ?? ''}`)
    recorder.expectTls('receiver')
    if (handshake) this.#spoil(handshake)
    else this.#secure()
    return true
  }

  #spoil(fault: NonNullable<Behaviour['handshake']>): void {
    if (fault === 'closes') return this.#close('closed before the handshake')
    this.#link.once('data', () => {
      switch (fault) {
        case 'resets':
          this.#record('close', 'reset by the partner')
          this.#link.reset()
          break
        case 'talks garbage':
          this.#link.write(Buffer.from('this is no TLS record at all\r\n'))
          this.#link.end()
          break
        case 'alerts':
          this.#link.write(Buffer.from([21, 3, 3, 0, 2, 2, 40]))
          this.#close('closed after a fatal alert')
          break
        case 'answers in clear':
          this.#link.write('421 4.7.0 TLS is not for today\r\n')
          this.#close('closed after an answer in clear')
          break
        case 'goes silent':
          this.#record('bytes', 'says nothing to the ClientHello')
      }
    })
    this.#link.resume()
  }

  /** A tls.Server of its own per connection: only the server object reports failures and judges client certificates. */
  async #secure(): Promise<void> {
    const { recorder } = this.#options
    const server = createServer(await this.#options.tls())
    server.once('tlsClientError', error => recorder.failed(error))
    server.once('secureConnection', socket => {
      recorder.secured(socket)
      this.#stream = socket
      this.#secured = true
      this.#greeted = false
      this.#reset()
      this.#buffer = new LineBuffer()
      this.#listen()
    })
    server.emit('connection', this.#link)
  }

  #contentLine(line: Buffer): void {
    const { transaction } = this.#options.behaviour
    if (line.length === 1 && line[0] === 0x2e) return this.#contentEnd()
    const text = line.toString('latin1')
    this.#contentSize += line.length + 2
    if (transaction?.cutsAfter && this.#contentSize >= transaction.cutsAfter) {
      this.#record('close', `cut after ${this.#contentSize} bytes of content, without close_notify`)
      this.#content = []
      this.#link.reset()
      return
    }
    if (this.#contentSize <= MAX_CONTENT) this.#content?.push(text.startsWith('.') ? text.slice(1) : text)
  }

  #contentEnd(): void {
    const { transaction } = this.#options.behaviour
    this.#record('content', `message of ${this.#contentSize} bytes`, 'sender')
    const content = `${this.#content!.join('\r\n')}\r\n`
    this.#content = undefined
    if (transaction?.refuses?.at === 'content') return this.#reply(transaction.refuses.reply)
    if (this.#contentSize > MAX_CONTENT) return this.#reply('552 5.3.4 Too large')
    this.#reply('250 2.0.0 Taken')
    this.#options.onMessage({
      from: this.#from ?? '',
      to: this.#to,
      content,
      secured: this.#secured,
      at: performance.now(),
    })
    this.#reset()
  }
}

const REFUSALS: Record<454 | 500 | 502 | 554, string> = {
  454: '454 4.7.0 TLS not available at the moment',
  500: '500 5.5.1 Unknown command',
  502: '502 5.5.1 Not implemented',
  554: '554 5.7.0 Not with you',
}

function address(command: string): string {
  return /<([^>]*)>/.exec(command)?.[1] ?? printable(command.slice(10), 100)
}
