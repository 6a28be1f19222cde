import { setTimeout as pause } from 'node:timers/promises'
import type { Handover, Stage } from '../evidence/handover.ts'
import type { Message } from '../evidence/mail.ts'
import type { Conversation } from '../wire/conversation.ts'
import { Recorder } from '../wire/recorder.ts'
import {
  type ClientTls,
  dotStuffed,
  type Endpoint,
  type Reply,
  SmtpClient,
  WireError,
} from '../wire/smtp/smtp.ts'
import type { SenderBehaviour } from './client-behaviour.ts'
import { type ClientManner, neededKeywords } from './client-manner.ts'
import { chunksOf, writesOf } from './client-writes.ts'
import { declinedInHandshake, declinedPart, isAboutTls } from './declined-manner.ts'
import { addressLiteral, mailCommand, type Recipient, recipientsOf, spelled } from './envelope.ts'
import { ELSEWHERE } from './history.ts'
import { compose } from './message.ts'

/** Long enough for half a message to be read by the gateway, in ms. */
const UNDER_WAY = 50

export interface DeliveryOptions {
  endpoint: Endpoint
  /** The gateway's name, for the record. */
  hostname: string
  behaviour: SenderBehaviour
  manner: ClientManner
  /** Absent: the client does not start TLS. */
  tls?: ClientTls
}

/** A command of the envelope. */
interface Step {
  stage: 'MAIL' | 'RCPT'
  command: string
  recipient?: Recipient
}

/** One message on one connection, from the greeting to the reply to its content. */
export class Delivery {
  readonly #message: Message
  readonly #options: DeliveryOptions
  readonly #result: Handover
  readonly #recorder: Recorder
  #client!: SmtpClient
  #keywords: ReadonlySet<string> = new Set()

  constructor(message: Message, options: DeliveryOptions) {
    this.#message = message
    this.#options = options
    const sender = options.behaviour.greetsAs ?? `mail.${message.from.split('@')[1] ?? 'nobody.test'}`
    this.#recorder = new Recorder({ gatewayIs: 'receiver', sender, receiver: options.hostname })
    const { conversation } = this.#recorder
    this.#result = { message, conversations: [conversation], stage: 'connection', accepted: false }
  }

  get #manner(): ClientManner {
    return this.#options.manner
  }

  /** Delivers the message. What the gateway does wrong ends in the result and is never thrown. */
  async run(): Promise<Handover> {
    return this.#connected(async () => {
      if ((await this.#open()) && (await this.#before())) await this.#transaction()
    })
  }

  /** Says NOOP in place of delivering the message. `session`: with it a later connection may resume the TLS session. */
  async visit(): Promise<{ conversations: Conversation[]; session?: Buffer }> {
    let session: Buffer | undefined
    const { conversations } = await this.#connected(async () => {
      if (await this.#open()) await this.#aside('NOOP')
      session = this.#client.session
    })
    return { conversations, ...(session ? { session } : {}) }
  }

  async #connected(act: () => Promise<void>): Promise<Handover> {
    const result = this.#result
    let client: SmtpClient | undefined
    try {
      client = await SmtpClient.connect(this.#options.endpoint, this.#recorder)
      client.writes = writesOf(this.#manner)
      this.#client = client
      await act()
      return result
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      // Nobody is there to part from.
      client?.close()
      const part = result.stage === 'handshake' && declinedInHandshake(this.#manner, error.message)
      if (part) this.#decline(`${part}: ${error.message}`)
      const { reply: _, ...rest } = result
      return { ...rest, breakdown: { kind: error.breakdown, detail: error.message } }
    } finally {
      if (client) await client.quit()
    }
  }

  /** From the gateway's greeting to the client's last one, inside TLS where the client uses TLS. */
  async #open(): Promise<boolean> {
    const { tls } = this.#options
    this.#result.stage = 'greeting'
    const greeting = await this.#client.reply()
    this.#result.reply = greeting
    if (!is(2, greeting) || !(await this.#greet())) return false
    if (!tls) return true
    if (!(await this.#beforeStarttls())) return false
    if (!(await this.#command('STARTTLS', 'STARTTLS'))) return false
    this.#result.stage = 'handshake'
    const failure = await this.#startTls(tls)
    if (failure) return this.#goOn(failure)
    if (this.#manner.session && tls.session && !this.#client.resumed)
      this.#result.leftOut = `a session ${this.#manner.session}: the gateway began a fresh one`
    return this.#greet()
  }

  /** Whatever the gateway answers, it counts no more inside TLS: RFC 3207 s4.2. It may end the session, like any other. */
  async #beforeStarttls(): Promise<boolean> {
    const { extraCommands } = this.#manner
    if (extraCommands !== 'MAIL and RSET before STARTTLS') return true
    return this.#goesOnAfter(extraCommands, async () => {
      const reply = await this.#say(`MAIL FROM:<${this.#message.from}>`)
      return reply.code === 421 ? reply : this.#say('RSET')
    })
  }

  /** Whether the gateway goes on after what it need not take. A gateway that ends the session has declined it. */
  async #goesOnAfter(part: string, last: () => Promise<Reply>): Promise<boolean> {
    try {
      const reply = await last()
      if (reply.code !== 421) return true
      this.#decline(part, reply)
      return false
    } catch (error) {
      if (error instanceof WireError) this.#decline(`${part}: ${error.message}`)
      throw error
    }
  }

  async #startTls(tls: ClientTls): Promise<WireError | undefined> {
    if (this.#options.behaviour.staysAfterFailedHandshake) return this.#client.tryTls(tls)
    await this.#client.startTls(tls)
    return undefined
  }

  /** The client goes on unencrypted. Where the gateway does not answer that, the failure of the handshake counts. */
  async #goOn(failure: WireError): Promise<boolean> {
    this.#result.failedHandshake = failure.detail
    try {
      return await this.#greet()
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#result.stage = 'handshake'
      throw failure
    }
  }

  /** What the client says between its greeting and its message. */
  async #before(): Promise<boolean> {
    if (!this.#hasKeywords()) return false
    const { beginsAs } = this.#options.behaviour
    if (beginsAs && !(await this.#command('MAIL', `MAIL FROM:<${beginsAs}>`))) return false
    if (beginsAs && !(await this.#command('MAIL', 'RSET'))) return false
    const { earlierOnConnection, extraCommands } = this.#manner
    if (earlierOnConnection && !(await this.#earlier(earlierOnConnection))) return false
    const [local] = this.#message.to[0]?.split('@') ?? []
    if (extraCommands === 'RSET before MAIL') return this.#aside('RSET')
    return extraCommands !== 'VRFY before MAIL' || this.#aside(`VRFY ${local}`)
  }

  /** A transaction before the one of the message. Whether the connection goes on, as far as the replies tell. */
  async #earlier(what: NonNullable<ClientManner['earlierOnConnection']>): Promise<boolean> {
    const { to } = this.#message
    const from = what === 'an accepted message of another sender' ? `sender@${ELSEWHERE}` : this.#message.from
    const other = compose({ from, to })
    const begun = [`MAIL FROM:<${from}>`, `RCPT TO:<${to[0]}>`]
    const commands = {
      'an accepted message': [...begun, 'DATA'],
      'an accepted message of another sender': [...begun, 'DATA'],
      'a message that it took back': [...begun, 'RSET'],
      'a refused recipient': [begun[0]!, `RCPT TO:<nobody@${ELSEWHERE}>`, 'RSET'],
    }[what]
    return this.#goesOnAfter(`${what} before it`, async () => {
      let reply: Reply | undefined
      for (const command of commands) {
        reply = await this.#say(command)
        if (!is(2, reply)) break
      }
      this.#client.inStep()
      if (reply?.code === 354) return this.#client.content(other.content)
      return reply?.code !== 421 && !is(2, reply!) ? this.#say('RSET') : reply!
    })
  }

  async #say(line: string): Promise<Reply> {
    this.#client.inStep()
    return this.#client.command(spelled(line, this.#manner))
  }

  /** Says a command and notes the reply; whether it is one of the good kind. */
  async #command(stage: Stage, line: string, good = 2): Promise<boolean> {
    return this.#ask(stage, () => this.#client.command(spelled(line, this.#manner)), good)
  }

  async #ask(stage: Stage, ask: () => Promise<Reply>, good = 2): Promise<boolean> {
    this.#result.stage = stage
    this.#client.inStep()
    return this.#note(await ask(), good)
  }

  #note(reply: Reply, good: number): boolean {
    this.#result.reply = reply
    if (is(good, reply)) return true
    const { stage } = this.#result
    const part = declinedPart(this.#manner, { stage, reply, size: this.#message.content.length })
    if (part) this.#decline(part, reply)
    return false
  }

  /** The gateway need not be able to talk in this manner. */
  #decline(part: string, reply?: Reply): void {
    this.#result.declined ??= reply ? `${part}: ${reply.text}` : part
  }

  /** A command that the delivery does not need. Only where the gateway closes over it, its reply is the last one. */
  async #aside(line: string): Promise<boolean> {
    const reply = await this.#say(line)
    if (reply.code !== 421) return true
    this.#result.reply = reply
    return false
  }

  /** EHLO, as the manner has it. */
  async #greet(): Promise<boolean> {
    const { greeting } = this.#manner
    const name = this.#recorder.conversation.sender
    const literal = addressLiteral(this.#client.localAddress)
    const lines =
      greeting === 'HELO in place of EHLO'
        ? [`HELO ${name}`]
        : greeting === 'EHLO with an address literal'
          ? [`EHLO ${literal}`]
          : greeting === 'HELO before EHLO'
            ? [`HELO ${name}`, `EHLO ${name}`]
            : greeting === 'EHLO twice'
              ? [`EHLO ${name}`, `EHLO ${name}`]
              : [`EHLO ${name}`]
    for (const line of lines) if (!(await this.#command('EHLO', line))) return false
    const words = this.#result.reply!.lines.slice(1).map(line => line.split(' ', 1)[0]!.toUpperCase())
    this.#keywords = new Set(words)
    return true
  }

  get #transfer(): NonNullable<ClientManner['transfer']> | 'DATA' {
    const chunk = this.#options.behaviour.endsTlsIn === 'a chunk'
    return this.#manner.transfer ?? (chunk ? 'BDAT in one chunk' : 'DATA')
  }

  #hasKeywords(): boolean {
    const manner = this.#transfer === 'DATA' ? this.#manner : { ...this.#manner, transfer: this.#transfer }
    for (const [keyword, part] of neededKeywords(manner, this.#message)) {
      if (this.#keywords.has(keyword)) continue
      this.#decline(`${part}: EHLO does not list ${keyword}`)
      return false
    }
    return true
  }

  async #transaction(): Promise<void> {
    const transfer = this.#transfer
    const steps: Step[] = [
      { stage: 'MAIL', command: mailCommand(this.#message, this.#manner) },
      ...recipientsOf(this.#message, this.#manner).map(recipient => ({
        stage: 'RCPT' as const,
        command: `RCPT TO:<${recipient.address}>`,
        recipient,
      })),
    ]
    const chunks = transfer.startsWith('BDAT') ? chunksOf(this.#message.content, transfer) : undefined
    if (transfer.includes('pipelined')) await this.#pipelined(steps, chunks?.[0])
    else if ((await this.#envelope(steps)) && (await this.#between()))
      await (chunks ? this.#chunks(chunks) : this.#data())
  }

  /** What the manner says between two commands of the envelope. */
  async #between(): Promise<boolean> {
    return this.#manner.extraCommands !== 'NOOP between commands' || this.#aside('NOOP')
  }

  /** Whether a recipient was accepted. */
  async #envelope(steps: readonly Step[]): Promise<boolean> {
    const replies: Reply[] = []
    for (const { stage, command } of steps) {
      if (!(await this.#between())) return false
      const good =
        stage === 'MAIL' && this.#options.behaviour.endsTlsIn === 'MAIL'
          ? await this.#ask(stage, () => this.#acrossEndOfTls(Buffer.from(`${command}\r\n`), 'half of MAIL'))
          : await this.#command(stage, command)
      if (stage === 'MAIL' && (!good || this.#options.behaviour.leavesAt)) return false
      replies.push(this.#result.reply!)
    }
    return this.#someRecipient(steps, replies)
  }

  /** The whole envelope in one group with what follows it: RFC 2920 s3.1, RFC 3030 s4.2. */
  async #pipelined(steps: readonly Step[], chunk?: Buffer): Promise<void> {
    const commands = [...steps.map(({ command }) => command), ...(chunk ? [] : ['DATA'])]
    const utterances = commands.map(command => ({ command: spelled(command, this.#manner) }))
    this.#client.inStep()
    this.#client.say([...utterances, ...(chunk ? [{ chunk, last: true }] : [])])
    const replies: Reply[] = []
    for (const { stage } of steps) {
      this.#result.stage = stage
      const reply = await this.#client.reply()
      replies.push(reply)
      // What follows the refusal of MAIL is refused because of it.
      if (!this.#note(reply, 2) && stage === 'MAIL') return this.#leave(steps.length)
    }
    if (!this.#someRecipient(steps, replies)) return this.#leave(1)
    this.#result.stage = chunk ? 'content' : 'DATA'
    const good = this.#note(await this.#client.reply(), chunk ? 2 : 3)
    if (chunk) this.#result.accepted = good
    else if (good) await this.#content()
  }

  /** Reads the replies that are due to the rest of a refused group. The reply that counts was there before. */
  async #leave(due: number): Promise<void> {
    try {
      let reply: Reply | undefined
      for (let n = 0; n < due; n++) reply = await this.#client.reply()
      // A gateway that waits for a message all the same gets none: RFC 2920 s3.1.
      if (reply?.code === 354) await this.#client.command('.')
    } catch (error) {
      if (!(error instanceof WireError)) throw error
    }
  }

  /** Notes which recipients were accepted. The reply that counts is the one to the message's own recipient. */
  #someRecipient(steps: readonly Step[], replies: readonly Reply[]): boolean {
    const answered = steps.flatMap(({ recipient }, i) => (recipient ? { recipient, reply: replies[i]! } : []))
    const accepted = answered.filter(({ reply }) => is(2, reply))
    const refused = answered.filter(({ reply }) => !is(2, reply))
    const { recipients } = this.#manner
    const expected = recipients === 'one that does not exist, then the mailbox'
    if (answered.length === 0) return true
    if (accepted.length > 1) this.#result.copies = accepted.length
    if (accepted.length === 0) {
      this.#result.reply = answered.find(({ recipient }) => recipient.own)!.reply
      return false
    }
    const other = refused.find(({ recipient, reply }) => !(expected && !recipient.own) && !isAboutTls(reply))
    if (other && recipients) this.#decline(`the recipients: ${recipients}`, other.reply)
    return true
  }

  async #data(): Promise<void> {
    if (await this.#command('DATA', 'DATA', 3)) await this.#content()
  }

  async #content(): Promise<void> {
    const { content } = this.#message
    const { cuts, endsTlsIn } = this.#options.behaviour
    const whole = Buffer.from(`${dotStuffed(content)}.\r\n`, 'latin1')
    if (cuts) await this.#cut(whole)
    else if (endsTlsIn === 'the message')
      this.#result.accepted = await this.#ask('content', () =>
        this.#acrossEndOfTls(whole, 'half of the message'),
      )
    else this.#result.accepted = await this.#ask('content', () => this.#client.content(content))
  }

  async #chunks(chunks: readonly Buffer[]): Promise<void> {
    for (const [i, chunk] of chunks.entries()) {
      const last = i === chunks.length - 1
      const { cuts, endsTlsIn } = this.#options.behaviour
      const whole = Buffer.concat([Buffer.from(`BDAT ${chunk.length}${last ? ' LAST' : ''}\r\n`), chunk])
      if (cuts) return this.#cut(whole)
      const say = () => {
        if (endsTlsIn === 'a chunk') return this.#acrossEndOfTls(whole, 'half of a chunk')
        this.#client.say([{ chunk, last }])
        return this.#client.reply()
      }
      if (!(await this.#ask('content', say))) return
    }
    this.#result.accepted = true
  }

  /** Writes the first half inside TLS, ends TLS, and writes the rest unencrypted. */
  async #acrossEndOfTls(bytes: Buffer, shown: string): Promise<Reply> {
    this.#client.writes = {}
    const half = Math.floor(bytes.length / 2)
    this.#client.write(bytes.subarray(0, half), shown)
    await this.#client.endTls()
    this.#client.write(bytes.subarray(half), `the other ${shown}`)
    return this.#client.reply()
  }

  /** Ends the connection in the middle of the message. */
  async #cut(bytes: Buffer): Promise<void> {
    this.#client.writes = {}
    this.#client.write(bytes.subarray(0, bytes.length / 2), 'half of the message')
    // A reset overtakes what has not left yet: the gateway must have the half in hand.
    await pause(UNDER_WAY)
    this.#client.cut()
    this.#result.stage = 'content'
    this.#result.breakdown = { kind: 'connection closed', detail: 'cut by the sender' }
  }
}

const is = (kind: number, { code }: Reply): boolean => Math.floor(code / 100) === kind
