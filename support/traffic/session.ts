import { setTimeout as pause } from 'node:timers/promises'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import type { Conversation } from '../wire/conversation.ts'
import { authPlain, type Endpoint, type Reply, type SmtpClient, WireError } from '../wire/smtp/smtp.ts'
import { call } from './delivering.ts'
import { compose } from './message.ts'

/** What crosses in clear behind STARTTLS, before the go-ahead; `segments` are separate writes. */
export const SMUGGLED = {
  'a NOOP behind STARTTLS in mixed case': ['StArTtLs\r\nNoOp\r\n'],
  'a NOOP behind STARTTLS with blanks at its end': ['STARTTLS  \r\nNOOP\r\n'],
  'a NOOP behind STARTTLS in a segment of its own': ['STARTTLS\r\n', 'NOOP\r\n'],
  'a NOOP behind STARTTLS': ['STARTTLS\r\nNOOP\r\n'],
  'half a command behind STARTTLS': ['STARTTLS\r\nNO'],
  'a greeting and a sender behind STARTTLS': ['STARTTLS\r\nEHLO x.test\r\nMAIL FROM:<x@x.test>\r\n'],
} as const satisfies Record<string, readonly string[]>
export type Smuggled = keyof typeof SMUGGLED

export type Mechanism = 'PLAIN' | 'LOGIN'

/** A session that a scenario leads command by command. The gateway's faults end in it and are never thrown. */
export class Dialogue {
  readonly mail: string
  readonly rcpt: string
  readonly ehlo: string
  /** To commands, oldest first; the greeting is not among them. */
  readonly replies: Reply[] = []
  /** What the last EHLO listed, upper case. */
  extensions: string[] = []
  /** Why the session could not go on. */
  breakdown: WireError | undefined
  /** What was smuggled into it. */
  smuggled: Smuggled | undefined
  /** What refused STARTTLS once a message had begun, and after RSET still: nothing of that message gets into TLS. */
  refusedMidway: Reply | undefined
  readonly #client: SmtpClient
  readonly #flow: MailFlow
  readonly #from: string

  private constructor(client: SmtpClient, { domain, flow }: { domain: string; flow: MailFlow }) {
    this.#client = client
    this.#flow = flow
    this.#from = `sender@${domain}`
    this.ehlo = `EHLO mail.${domain}`
    this.mail = `MAIL FROM:<${this.#from}>`
    this.rcpt = `RCPT TO:<${flow.recipient}>`
  }

  /** Throws WireError when there is no connection: there is no session to judge then. */
  static async open(to: Endpoint, about: { domain: string; flow: MailFlow }): Promise<Dialogue> {
    const client = await call(to, { sender: `mail.${about.domain}`, receiver: about.flow.hostname })
    const talk = new Dialogue(client, about)
    try {
      const { code, text } = await client.reply()
      if (code !== 220) throw new WireError('malformed', `the greeting is ${text}`)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      talk.breakdown = error
    }
    return talk
  }

  get conversation(): Conversation {
    return this.#client.recorder.conversation
  }

  get secured(): boolean {
    return this.#client.secured
  }

  /** Why the gateway's certificate does not lead to a root that senders trust, in OpenSSL's word. */
  get chainError(): string | undefined {
    return this.#client.chainError
  }

  get last(): Reply | undefined {
    return this.replies.at(-1)
  }

  async say(line: string): Promise<Reply | undefined> {
    return this.#guard(() => {
      // What answers a smuggled command is what is looked for.
      if (!this.smuggled) this.#client.inStep()
      return this.#client.command(line)
    })
  }

  async greet(): Promise<void> {
    const reply = await this.say(this.ehlo)
    this.extensions = reply?.code === 250 ? reply.lines.slice(1).map(line => line.toUpperCase()) : []
  }

  /**
   * STARTTLS and the handshake. Without the go-ahead the session is over: what is to follow belongs inside TLS.
   * `givesUpMessage`: where it is refused in the middle of a message, it is asked for again after RSET.
   */
  async startTls({ givesUpMessage = false } = {}): Promise<void> {
    let reply = await this.say('STARTTLS')
    if (givesUpMessage && reply && reply.code >= 400) {
      await this.say('RSET')
      reply = await this.say('STARTTLS')
      if (reply && reply.code >= 400) this.refusedMidway = reply
    }
    if (reply?.code === 220) await this.#handshake()
    else if (reply) this.breakdown = new WireError('malformed', `STARTTLS was answered with ${reply.text}`)
  }

  async smuggle(what: Smuggled): Promise<void> {
    // Without an answer to EHLO the session is not where something could be smuggled in.
    if (this.last?.code !== 250 || this.breakdown) return
    this.smuggled = what
    const [first, ...more] = SMUGGLED[what]
    const go = await this.#guard(async () => {
      this.#client.write(first!)
      for (const segment of more) {
        // Out on the wire before the next: a segment of its own.
        await pause(1)
        this.#client.write(segment)
      }
      return this.#client.reply()
    })
    if (go?.code !== 220) return
    await this.#handshake()
    if (!this.secured) return
    // A reply too many, or one that answers what was smuggled, gives it away.
    if (what === 'a greeting and a sender behind STARTTLS') await this.say(this.rcpt)
    else await this.greet()
    await this.say('QUIT')
  }

  /** AUTH PLAIN, or LOGIN, which older clients use. The reply that ends it. */
  async login(password: 'right' | 'wrong', mechanism: Mechanism = 'PLAIN'): Promise<Reply | undefined> {
    const [user] = this.#flow.users
    const secret = password === 'right' ? user!.password : `${user!.password}-not`
    if (mechanism === 'PLAIN') return this.say(authPlain(user!.name, secret))
    const coded = (text: string) => Buffer.from(text).toString('base64')
    let reply = await this.say('AUTH LOGIN')
    for (const answer of [user!.name, secret]) if (reply?.code === 334) reply = await this.say(coded(answer))
    return reply
  }

  /** A whole transaction, from MAIL to the dot. */
  async transaction(): Promise<void> {
    const { content } = compose({ from: this.#from, to: [this.#flow.recipient] })
    for (const command of [this.mail, this.rcpt, 'DATA'])
      if (((await this.say(command))?.code ?? 500) >= 400) return
    await this.#guard(() => {
      this.#client.inStep()
      return this.#client.content(content)
    })
  }

  /** Replies beyond those that were awaited. */
  get surplus(): readonly Reply[] {
    return this.#client.unread
  }

  close(): void {
    this.#client.close()
  }

  async #handshake(): Promise<void> {
    try {
      const { hostname: servername, sendersTrust: trust } = this.#flow
      await this.#client.startTls({ servername, trust })
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.breakdown = error
    }
  }

  async #guard(reply: () => Promise<Reply>): Promise<Reply | undefined> {
    if (this.breakdown) return undefined
    try {
      const got = await reply()
      this.replies.push(got)
      return got
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.breakdown = error
      return undefined
    }
  }
}
