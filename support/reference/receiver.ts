import { randomBytes } from 'node:crypto'
import type { MailFlow } from '../gateway/mail-flow.ts'
import { PeerLimit } from '../wire/lines.ts'
import { printable } from '../wire/printable.ts'
import { type Channel, ChannelError } from './channel.ts'
import type { ReceiverDefects, WordsDefects } from './defects.ts'
import { serverTls } from './identity.ts'
import type { Log } from './log.ts'
import { authenticates, inboundConnector, requiresTlsOfAll } from './policy.ts'
import type { Mail } from './queue.ts'
import { receivedLines } from './received.ts'

/** Without a command for so long, in ms, a session is ended. */
const IDLE = 60_000
/** Largest message, in bytes; SIZE says so. */
const MAX_CONTENT = 32 * 1024 * 1024

export interface ReceiverContext {
  /** As it is now: a change of the mail flow reaches sessions that go on. */
  flow: () => MailFlow
  /** `submission` relays for everybody and knows AUTH; `inbound` takes mail for the own domain. */
  role: 'inbound' | 'submission'
  log: Log
  accept: (mail: Mail, recipients: string[]) => void
  /** For `crashesInsteadOfRefusing`. */
  crash: () => void
  defects: ReceiverDefects
  words: WordsDefects
}

/** Serves one connection to its end. Never throws for what the other side does. */
export async function serve(channel: Channel, context: ReceiverContext): Promise<void> {
  try {
    await new Session(channel, context).run()
    channel.end()
  } catch (error) {
    channel.destroy()
    if (!(error instanceof ChannelError || error instanceof PeerLimit))
      context.log.say(`a session ended in an error of the gateway itself: ${(error as Error).stack}`)
  }
}

/** The reply that refuses what is open to nobody before TLS; RFC 3207 s4. */
const TLS_FIRST = '530 5.7.0 Start TLS first'
const OPEN_BEFORE_TLS = /^(EHLO|NOOP|STARTTLS|QUIT)$/

class Session {
  readonly #channel: Channel
  readonly #context: ReceiverContext
  readonly #defects: ReceiverDefects
  #helo = ''
  #extended = false
  #authenticated = false
  #from: string | undefined
  #to: string[] = []
  #clearMail = false

  constructor(channel: Channel, context: ReceiverContext) {
    this.#channel = channel
    this.#context = context
    this.#defects = context.defects
  }

  get #flow(): MailFlow {
    return this.#context.flow()
  }

  get #secured(): boolean {
    return this.#channel.session !== undefined
  }

  async run(): Promise<void> {
    const { hostname } = this.#flow
    if (this.#defects.refusesEverything) return this.#reply(`554 5.3.2 ${hostname} takes no mail`)
    this.#reply(`220 ${hostname} ESMTP`)
    for (;;) {
      const line = (await this.#channel.line(IDLE)).toString('latin1')
      const [, word, argument] = /^([^ ]*) ?(.*)$/s.exec(line) ?? []
      const verb = word!.toUpperCase()
      const yes = this.#defects.answersAlways250 && this.#context.role === 'inbound'
      const reply = yes ? '250 2.0.0 Yes' : await this.#answer(verb, argument!)
      if (reply) this.#reply(reply)
      if (verb === 'QUIT') return
    }
  }

  #reply(text: string): void {
    this.#channel.write(`${text}\r\n`)
  }

  /** The reply to a command, or nothing where it has been seen to. */
  async #answer(verb: string, argument: string): Promise<string | undefined> {
    if (this.#insists && !OPEN_BEFORE_TLS.test(verb)) {
      const lets = this.#defects.refusesAtData && /^(MAIL|RCPT)$/.test(verb)
      if (!lets) return TLS_FIRST
    }
    switch (verb) {
      case 'EHLO':
      case 'HELO':
        return this.#greeted(verb, argument)
      case 'STARTTLS':
        return this.#startTls(argument)
      case 'AUTH':
        return this.#login(argument)
      case 'MAIL':
        return this.#mail(argument)
      case 'RCPT':
        return this.#rcpt(argument)
      case 'DATA':
        return this.#data()
      case 'RSET':
        this.#reset()
        return '250 2.0.0 Forgotten'
      case 'NOOP':
        return '250 2.0.0 Nothing done'
      case 'VRFY':
        return '252 2.1.5 Send mail and see'
      case 'QUIT':
        return `221 2.0.0 ${this.#flow.hostname} closes`
      default:
        return '500 5.5.1 Unknown command'
    }
  }

  /** In clear, where TLS is required of every sender. */
  get #insists(): boolean {
    return this.#context.role === 'inbound' && !this.#secured && requiresTlsOfAll(this.#flow)
  }

  #reset(): void {
    this.#from = undefined
    this.#to = []
    this.#clearMail = false
  }

  #greeted(verb: 'EHLO' | 'HELO', name: string): string {
    const { hostname, identity } = this.#flow
    this.#helo = printable(name || 'nobody', 255)
    this.#extended = verb === 'EHLO'
    if (!(this.#defects.remembersEnvelope && this.#secured)) this.#reset()
    if (verb === 'HELO') return `250 ${hostname}`
    const keywords = [hostname, '8BITMIME', 'ENHANCEDSTATUSCODES', `SIZE ${MAX_CONTENT}`]
    const able = identity.certificate !== '' || this.#defects.offersWithoutCertificate
    if (able && (!this.#secured || this.#defects.offersAgain))
      keywords.push(this.#defects.decoratesKeyword ? 'STARTTLS required' : 'STARTTLS')
    if (this.#context.role === 'submission' && this.#secured) keywords.push('AUTH PLAIN')
    return keywords.map((word, i) => `250${i < keywords.length - 1 ? '-' : ' '}${word}`).join('\r\n')
  }

  async #startTls(argument: string): Promise<string | undefined> {
    const defects = this.#defects
    if (this.#secured && !defects.nestsHandshake) return '503 5.5.1 TLS is on already'
    if (argument.trim() && !defects.takesParameter) return '501 5.5.4 STARTTLS takes no parameter'
    const lost = this.#flow.identity.certificate === ''
    if (lost && !defects.offersWithoutCertificate) return '454 4.7.0 TLS is not available for now'
    this.#reply('220 2.0.0 Go ahead')
    if (lost) {
      this.#channel.reset()
      return undefined
    }
    if (defects.executesSilently) await this.#executeSilently()
    await this.#channel.acceptTls(serverTls(this.#flow, defects), defects.executesEarlyBytes)
    if (defects.executesSilently) return undefined
    // TLS begins the conversation anew: RFC 3207 s4.2.
    this.#helo = ''
    this.#extended = false
    if (!defects.remembersEnvelope) this.#reset()
    return undefined
  }

  async #executeSilently(): Promise<void> {
    for (const early of this.#channel.waiting()) {
      const [, word, argument] = /^([^ ]*) ?(.*)$/s.exec(early.toString('latin1')) ?? []
      if (word?.toUpperCase() !== 'STARTTLS') await this.#answer(word!.toUpperCase(), argument!)
    }
  }

  async #login(argument: string): Promise<string> {
    const { takesPasswordsInClear, tellsPasswordsApart } = this.#defects
    if (this.#context.role !== 'submission') return '502 5.5.1 Nobody logs in here'
    const inClear = !this.#secured
    if (inClear && !takesPasswordsInClear && !tellsPasswordsApart) return '538 5.7.11 Not without TLS'
    const [mechanism, initial] = argument.split(' ')
    if (mechanism?.toUpperCase() !== 'PLAIN') return '504 5.5.4 PLAIN or nothing'
    if (!initial) this.#reply('334 ')
    const answer = initial || (await this.#channel.line()).toString('latin1')
    const [, name, password] = Buffer.from(answer, 'base64').toString('utf8').split('\0')
    const right = this.#flow.users.some(user => user.name === name && user.password === password)
    if (!right) return '535 5.7.8 Name or password is wrong'
    if (inClear && tellsPasswordsApart) return '538 5.7.11 Not without TLS'
    this.#authenticated = true
    return '235 2.7.0 Welcome'
  }

  #mail(argument: string): string | undefined {
    const address = /^FROM:\s*<([^>]*)>/i.exec(argument)?.[1]
    if (!this.#helo) return '503 5.5.1 Greet first'
    if (address === undefined) return '501 5.5.4 MAIL FROM:<address>'
    if (this.#from !== undefined) return '503 5.5.1 There is a sender already'
    const sender = printable(address, 320)
    const domain = sender.split('@')[1]?.toLowerCase() ?? ''
    const refusal = this.#context.role === 'inbound' ? this.#refusal(domain) : undefined
    if (refusal && this.#defects.crashesInsteadOfRefusing) {
      this.#context.crash()
      return undefined
    }
    if (refusal) return refusal
    this.#from = sender
    this.#log(domain)
    return '250 2.1.0 Sender noted'
  }

  #refusal(domain: string): string | undefined {
    const { session } = this.#channel
    const defects = this.#defects
    const connector = inboundConnector(this.#flow, domain, defects)
    const nameOfAll = defects.demandsCertificateOfAll
      ? this.#flow.inbound.find(c => c.clientCertificate)?.clientCertificate
      : undefined
    const name = connector?.clientCertificate ?? nameOfAll
    const required = connector?.tls === 'required' || nameOfAll !== undefined
    if (!session && defects.demandsTlsOfAll) return TLS_FIRST
    if (!required) return undefined
    if (!session) {
      this.#clearMail = defects.takesClearMail === true || this.#insists
      return this.#clearMail ? undefined : TLS_FIRST
    }
    if (!name || authenticates(session, name, defects)) return undefined
    return '550 5.7.1 The certificate of the sending server does not authenticate it'
  }

  #log(domain: string): void {
    const { session } = this.#channel
    const proven =
      session?.certificate !== undefined &&
      (session.chainError === undefined || this.#context.words.verifiesAnyCertificate === true)
    this.#context.log.session(`${this.#context.role} from=<@${domain}>`, session, proven)
  }

  #rcpt(argument: string): string {
    const address = /^TO:\s*<([^>]+)>/i.exec(argument)?.[1]
    if (this.#from === undefined) return '503 5.5.1 No sender yet'
    if (address === undefined) return '501 5.5.4 RCPT TO:<address>'
    const recipient = printable(address, 320)
    const local = recipient.toLowerCase().endsWith(`@${this.#flow.domain}`)
    if (!local && this.#context.role === 'inbound') return '550 5.7.1 No relay'
    this.#to.push(recipient)
    return '250 2.1.5 Recipient noted'
  }

  async #data(): Promise<string> {
    if (this.#to.length === 0) return '503 5.5.1 No recipient yet'
    if (this.#insists) return TLS_FIRST
    this.#reply('354 Go on, end with a dot')
    const lines: string[] = []
    let size = 0
    try {
      for (;;) {
        const line = (await this.#channel.line(IDLE)).toString('latin1')
        if (line === '.') break
        size += line.length + 2
        if (size <= MAX_CONTENT) lines.push(line.startsWith('.') ? line.slice(1) : line)
      }
    } catch (error) {
      // Cut short: nobody was told that it was taken, so its sender keeps it.
      if (this.#defects.storesFragments) this.#store(lines)
      throw error
    }
    if (size > MAX_CONTENT) return '552 5.3.4 Too large'
    const id = this.#store(lines)
    this.#reset()
    return `250 2.0.0 Taken as ${id}`
  }

  #store(lines: string[]): string {
    const { session, remoteAddress } = this.#channel
    const secured = session !== undefined
    const id = randomBytes(6).toString('hex')
    if (this.#clearMail) lines.unshift('X-Transport: in clear')
    if (secured && this.#defects.rewritesSecured) lines.push('This message was protected by TLS.')
    const content = Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1')
    const trace = receivedLines(
      {
        hostname: this.#flow.hostname,
        helo: this.#helo,
        address: remoteAddress,
        extended: this.#extended,
        authenticated: this.#authenticated,
        session,
        id,
        content,
      },
      this.#context.words,
    )
    const mail = {
      id,
      from: this.#from!,
      content: Buffer.concat([Buffer.from(trace, 'latin1'), content]),
      secured,
    }
    this.#context.accept(mail, this.#to)
    return id
  }
}
