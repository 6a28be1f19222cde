import { setTimeout as pause } from 'node:timers/promises'
import type { Handover, Stage } from '../evidence/handover.ts'
import type { Message } from '../evidence/mail.ts'
import { Recorder } from '../wire/recorder.ts'
import {
  type ClientTls,
  type Endpoint,
  type Reply,
  SmtpClient,
  type Utterance,
  WireError,
} from '../wire/smtp/smtp.ts'
import type { SenderBehaviour } from './client-behaviour.ts'
import { declinedPart, isAboutTls } from './declined.ts'
import { mailCommand, type Recipient, recipientsOf, spelled } from './envelope.ts'
import { type ClientManner, neededKeywords } from './manner.ts'
import { chunksOf, writesOf } from './writes.ts'

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

  /** What the gateway does wrong ends in the result and is never thrown. */
  async run(): Promise<Handover> {
    const result = this.#result
    let client: SmtpClient | undefined
    try {
      client = await SmtpClient.connect(this.#options.endpoint, this.#recorder)
      client.writes = writesOf(this.#manner)
      this.#client = client
      await this.#deliver()
      return result
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      // Nobody is there to part from.
      client?.close()
      const { reply: _, ...rest } = result
      return { ...rest, breakdown: { kind: error.breakdown, detail: error.message } }
    } finally {
      if (client) await client.quit()
    }
  }

  async #deliver(): Promise<void> {
    const { behaviour, tls } = this.#options
    this.#result.stage = 'greeting'
    const greeting = await this.#client.reply()
    this.#result.reply = greeting
    if (!is(2, greeting) || !(await this.#greet())) return
    if (tls) {
      if (!(await this.#command('STARTTLS', 'STARTTLS'))) return
      this.#result.stage = 'handshake'
      await this.#client.startTls(tls)
      if (!(await this.#greet())) return
    }
    if (!this.#hasKeywords()) return
    const { beginsAs } = behaviour
    if (beginsAs && !(await this.#command('MAIL', `MAIL FROM:<${beginsAs}>`))) return
    if (beginsAs && !(await this.#command('MAIL', 'RSET'))) return
    const { extraCommands } = this.#manner
    if (extraCommands === 'RSET before MAIL' && !(await this.#aside('RSET'))) return
    const [local] = this.#message.to[0]?.split('@') ?? []
    if (extraCommands === 'VRFY before MAIL' && !(await this.#aside(`VRFY ${local}`))) return
    await this.#transaction()
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
    this.#client.inStep()
    const reply = await this.#client.command(spelled(line, this.#manner))
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

  #hasKeywords(): boolean {
    for (const [keyword, part] of neededKeywords(this.#manner, this.#message)) {
      if (this.#keywords.has(keyword)) continue
      this.#decline(`${part}: EHLO does not list ${keyword}`)
      return false
    }
    return true
  }

  async #transaction(): Promise<void> {
    const { transfer = 'DATA' } = this.#manner
    const steps: Step[] = [
      { stage: 'MAIL', command: mailCommand(this.#message, this.#manner) },
      ...recipientsOf(this.#message, this.#manner).map(recipient => ({
        stage: 'RCPT' as const,
        command: `RCPT TO:<${recipient.address}>`,
        recipient,
      })),
    ]
    const chunks = transfer.startsWith('BDAT') ? chunksOf(this.#message.content, transfer) : undefined
    if (transfer.includes('pipelined')) await this.#pipelined(steps, chunks)
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
      const good = await this.#command(stage, command)
      if (stage === 'MAIL' && (!good || this.#options.behaviour.leavesAt)) return false
      replies.push(this.#result.reply!)
    }
    return this.#someRecipient(steps, replies)
  }

  /** The whole envelope in one group with what follows it: RFC 2920 s3.1, RFC 3030 s4.2. */
  async #pipelined(steps: readonly Step[], chunks?: readonly Buffer[]): Promise<void> {
    const commands = steps.map(({ command }) => ({ command: spelled(command, this.#manner) }))
    const last: Utterance[] = chunks
      ? chunks.map((chunk, i) => ({ chunk, last: i === chunks.length - 1 }))
      : [{ command: spelled('DATA', this.#manner) }]
    this.#result.stage = 'MAIL'
    this.#client.inStep()
    this.#client.say([...commands, ...last])
    const replies: Reply[] = []
    let goesOn = true
    for (const { stage } of steps) {
      const reply = await this.#client.reply()
      replies.push(reply)
      // What follows the refusal of MAIL is refused because of it.
      if (goesOn) this.#result.stage = stage
      if (goesOn && !this.#note(reply, 2) && stage === 'MAIL') goesOn = false
    }
    goesOn &&= this.#someRecipient(steps, replies)
    for (const _ of chunks ?? []) {
      const reply = await this.#client.reply()
      if (goesOn) this.#result.stage = 'content'
      if (goesOn) goesOn = this.#note(reply, 2)
    }
    if (chunks) {
      this.#result.accepted = goesOn
      return
    }
    const reply = await this.#client.reply()
    if (goesOn) this.#result.stage = 'DATA'
    if (goesOn && this.#note(reply, 3)) await this.#content()
    // A gateway that waits for a message all the same gets none: RFC 2920 s3.1.
    else if (is(3, reply)) await this.#client.command('.')
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
    if (this.#options.behaviour.cuts) await this.#cut('', content)
    else this.#result.accepted = await this.#ask('content', () => this.#client.content(content))
  }

  async #chunks(chunks: readonly Buffer[]): Promise<void> {
    for (const [i, chunk] of chunks.entries()) {
      const last = i === chunks.length - 1
      if (this.#options.behaviour.cuts) {
        await this.#cut(`BDAT ${chunk.length}${last ? ' LAST' : ''}\r\n`, chunk.toString('latin1'))
        return
      }
      const say = () => {
        this.#client.say([{ chunk, last }])
        return this.#client.reply()
      }
      if (!(await this.#ask('content', say))) return
    }
    this.#result.accepted = true
  }

  /** Ends the connection in the middle of the message. */
  async #cut(command: string, content: string): Promise<void> {
    const half = `${command}${content.slice(0, content.length / 2)}`
    this.#client.write(Buffer.from(half, 'latin1'), 'half of the message')
    // A reset overtakes what has not left yet: the gateway must have the half in hand.
    await pause(UNDER_WAY)
    this.#client.cut()
    this.#result.stage = 'content'
    this.#result.breakdown = { kind: 'closed', detail: 'cut by the sender' }
  }
}

const is = (kind: number, { code }: Reply): boolean => Math.floor(code / 100) === kind

/** RFC 5321 s4.1.3. */
const addressLiteral = (address: string): string =>
  address.includes(':') ? `[IPv6:${address}]` : `[${address}]`
