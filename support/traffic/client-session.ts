import { setTimeout as pause } from 'node:timers/promises'
import {
  type Exchange,
  extensionsIn,
  type Session,
  SMUGGLED,
  type Smuggled,
  starttlsIn,
} from '../evidence/session.ts'
import { isForNow } from '../evidence/temporary-refusal.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import type { Pki } from '../pki/pki.ts'
import { comeAgain } from '../wire/come-again.ts'
import { type Conversation, snapshotOf } from '../wire/conversation.ts'
import {
  authPlain,
  type ClientTls,
  type Endpoint,
  type Reply,
  type SmtpClient,
  WireError,
} from '../wire/smtp/smtp.ts'
import { type ClientManner, inSession } from './client-manner.ts'
import { tlsOf } from './client-manner-tls.ts'
import { writesOf } from './client-writes.ts'
import { declinedInHandshake, declinedPart } from './declined-manner.ts'
import { call } from './deliver-message.ts'
import { addressLiteral, pathOf, spelled } from './envelope.ts'
import { compose } from './message.ts'
import { type Before, precede } from './preceding.ts'

export type Mechanism = 'PLAIN' | 'LOGIN'

export interface SessionOptions {
  domain: string
  flow: MailFlow
  /** As far as it leaves the commands to the example; `inSession` says what that is. */
  manner?: ClientManner
  /** For what the manner has before the session. */
  pki?: Pki
  /** How the client takes part in the handshake besides. */
  tls?: ClientTls
  /** Called with what was recorded where no session comes about. */
  failed?: (conversation: Conversation) => void
}

/**
 * A client that leads a session with the gateway command by command, as an example says. What the gateway does wrong ends
 * the session and is never thrown. `seen` gives what was seen of the session so far, as plain data.
 */
export class ClientSession {
  readonly mail: string
  readonly rcpt: string
  readonly ehlo: string
  #greeting: Reply | undefined
  readonly #exchanges: Exchange[] = []
  #breakdown: WireError | undefined
  #smuggled: Smuggled | undefined
  #refusedMidway: Reply | undefined
  readonly #client: SmtpClient
  readonly #flow: MailFlow
  readonly #from: string
  readonly #manner: ClientManner
  readonly #tls: ClientTls
  readonly #earlier: Conversation[]
  #declined: string | undefined
  #leftOut: string | undefined

  private constructor(client: SmtpClient, { domain, flow, manner = {} }: SessionOptions, before: Before) {
    this.#client = client
    this.#flow = flow
    this.#manner = manner
    this.#earlier = [...before.earlier]
    this.#tls = before.tls ?? {}
    this.#leftOut = before.leftOut
    this.#from = `sender@${domain}`
    const name =
      manner.greeting === 'EHLO with an address literal'
        ? addressLiteral(client.localAddress)
        : `mail.${domain}`
    this.ehlo = `EHLO ${name}`
    this.mail = `MAIL FROM:<${pathOf(this.#from, manner.sender)}>`
    this.rcpt = `RCPT TO:<${flow.recipient}>`
    client.writes = writesOf(manner)
  }

  /** Throws WireError when there is no connection: there is no session to judge then. */
  static async open(to: Endpoint, about: SessionOptions): Promise<ClientSession> {
    const { domain, flow, pki } = about
    const { hostname, sendersTrust: trust } = flow
    const manner = inSession(about.manner ?? {})
    const tls = tlsOf({ servername: hostname, trust, ...about.tls }, manner)
    const message = compose({ from: `sender@${domain}`, to: [flow.recipient] })
    const options = { endpoint: to, hostname, behaviour: { tls: 'uses' } as const, manner }
    const before = pki ? await precede(message, { ...options, pki }, tls) : { earlier: [], tls }
    const where = to.implicitTls ? { ...to, implicitTls: { ...to.implicitTls, ...before.tls } } : to
    const { last, earlier } = await comeAgain(
      to,
      () => ClientSession.#called(where, { ...about, manner }, before),
      session => session.#greeting !== undefined && isForNow(session.#greeting, 'greeting'),
    )
    for (const session of earlier) {
      session.close()
      last.#earlier.push(snapshotOf(session.#client.recorder.conversation))
    }
    return last
  }

  static async #called(to: Endpoint, about: SessionOptions, before: Before): Promise<ClientSession> {
    const names = { sender: `mail.${about.domain}`, receiver: about.flow.hostname }
    const client = await call(to, names, about.failed)
    const session = new ClientSession(client, about, before)
    try {
      const greeting = await client.reply()
      session.#greeting = greeting
      if (greeting.code !== 220) throw new WireError('unexpected answer', `the greeting is ${greeting.text}`)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      session.#breakdown = error
    }
    return session
  }

  seen(): Session {
    const { secured, chainError, unread, recorder } = this.#client
    const breakdown = this.#breakdown
    const smuggled = this.#smuggled
    const refusedMidway = this.#refusedMidway
    const certificates = recorder.certificates.map(one => one.toString())
    return {
      conversation: snapshotOf(recorder.conversation),
      ...(this.#greeting ? { greeting: this.#greeting } : {}),
      exchanges: [...this.#exchanges],
      secured,
      surplus: [...unread],
      ...(breakdown ? { breakdown: { kind: breakdown.breakdown, detail: breakdown.detail } } : {}),
      ...(chainError === undefined ? {} : { chainError }),
      ...(certificates.length > 0 ? { certificates } : {}),
      ...(smuggled ? { smuggled } : {}),
      ...(refusedMidway ? { refusedMidway } : {}),
      ...(this.#declined ? { declined: this.#declined } : {}),
      ...(this.#leftOut ? { leftOut: this.#leftOut } : {}),
      ...(this.#earlier.length > 0 ? { earlier: this.#earlier } : {}),
    }
  }

  /** The reply, or nothing where the session is over. `command`: as in the evidence, where it is not the line's verb. */
  async say(line: string, command = line.split(' ', 1)[0]!.toUpperCase()): Promise<Reply | undefined> {
    return this.#guard(command, () => {
      // After smuggling, a reply that comes unasked is what the example looks for.
      if (!this.#smuggled) this.#client.inStep()
      if (command !== 'base64') return this.#client.command(spelled(line, this.#manner))
      this.#client.write(`${line}\r\n`, '***')
      return this.#client.reply()
    })
  }

  async greet(): Promise<void> {
    await this.say(this.ehlo)
  }

  /**
   * STARTTLS and the handshake. Without the go-ahead the session is over, because what follows belongs inside TLS.
   * `givesUpMessage`: where the gateway refuses STARTTLS in the middle of a message, the client sends RSET and asks again.
   */
  async startTls({ givesUpMessage = false } = {}): Promise<void> {
    // It may have begun with the connection.
    if (this.#client.secured) return
    let reply = await this.say('STARTTLS')
    if (givesUpMessage && reply && reply.code >= 400) {
      await this.say('RSET')
      reply = await this.say('STARTTLS')
      if (reply && reply.code >= 400) this.#refusedMidway = reply
    }
    if (reply?.code === 220) await this.#handshake()
    else if (reply)
      this.#breakdown = new WireError('unexpected answer', `STARTTLS was answered with ${reply.text}`)
  }

  /** The gateway answered the last command with 250, and the session can go on. */
  get #greeted(): boolean {
    return this.#exchanges.at(-1)?.reply.code === 250 && !this.#breakdown
  }

  /** The last EHLO listed STARTTLS. */
  get offersStarttls(): boolean {
    return starttlsIn(extensionsIn(this.seen(), this.#client.secured) ?? []) !== undefined
  }

  /** EHLO, and QUIT after the reply to EHLO: shows whether each reply answers the command before it. */
  async probeOrder(): Promise<void> {
    await this.greet()
    await this.say('QUIT')
  }

  async smuggle(what: Smuggled): Promise<void> {
    // Without an accepted EHLO the gateway would not start TLS.
    if (!this.#greeted) return
    this.#smuggled = what
    // How these bytes are cut into segments is what the example is about.
    this.#client.writes = {}
    const [first, ...more] = SMUGGLED[what]
    const go = await this.#guard('STARTTLS', async () => {
      this.#client.write(first!)
      for (const segment of more) {
        // The text before leaves as a TCP segment of its own.
        await pause(1)
        this.#client.write(segment)
      }
      return this.#client.reply()
    })
    if (go?.code !== 220) return
    await this.#handshake()
    if (!this.#client.secured) return
    // A gateway that executed what was smuggled sends one reply more, or another one.
    if (what === 'EHLO and MAIL') await this.say(this.rcpt)
    else await this.greet()
    await this.say('QUIT')
  }

  /** Logs in with AUTH PLAIN, or with LOGIN, which older clients use. Resolves with the reply that ends the login. */
  async login(password: 'right' | 'wrong', mechanism: Mechanism = 'PLAIN'): Promise<Reply | undefined> {
    const [user] = this.#flow.users
    const secret = password === 'right' ? user!.password : `${user!.password}-not`
    if (mechanism === 'PLAIN') return this.say(authPlain(user!.name, secret))
    const coded = (text: string) => Buffer.from(text).toString('base64')
    let reply = await this.say('AUTH LOGIN')
    for (const answer of [user!.name, secret])
      if (reply?.code === 334) reply = await this.say(coded(answer), 'base64')
    return reply
  }

  /** A whole message, from MAIL to the dot, or up to the first refusal. */
  async transaction(): Promise<void> {
    const { content } = compose({ from: this.#from, to: [this.#flow.recipient] })
    for (const command of [this.mail, this.rcpt, 'DATA'])
      if (((await this.say(command))?.code ?? 500) >= 400) return
    await this.#guard('.', () => {
      this.#client.inStep()
      return this.#client.content(content)
    })
  }

  close(): void {
    this.#client.close()
  }

  async #handshake(): Promise<void> {
    try {
      await this.#client.startTls(this.#tls)
      if (this.#tls.session && !this.#client.resumed)
        this.#leftOut = `a session ${this.#manner.session}: the gateway began a fresh one`
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      const part = declinedInHandshake(this.#manner, error.message)
      if (part) this.#declined ??= `${part}: ${error.message}`
      this.#breakdown = error
    }
  }

  async #guard(command: string, reply: () => Promise<Reply>): Promise<Reply | undefined> {
    if (this.#breakdown) return undefined
    try {
      const got = await reply()
      this.#exchanges.push({ command, reply: got })
      const stage = command === 'EHLO' || command === 'MAIL' ? command : undefined
      const part = stage && declinedPart(this.#manner, { stage, reply: got, size: 0 })
      if (part) this.#declined ??= `${part}: ${got.text}`
      return got
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#breakdown = error
      return undefined
    }
  }
}
