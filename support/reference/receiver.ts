import { randomBytes } from 'node:crypto'
import { type MailFlow, requiresTlsOfAll } from '../mailflow/mail-flow.ts'
import type { ClientHello } from '../wire/conversation.ts'
import { printable } from '../wire/printable.ts'
import { PeerLimit } from '../wire/smtp/lines.ts'
import { type Channel, ChannelError } from './channel.ts'
import type { ReceiverDefects, WordsDefects } from './defects.ts'
import { serverTls } from './identity.ts'
import type { Log } from './log.ts'
import { authenticates, inboundConnector } from './policy.ts'
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
  /** What sessions tell later ones; for `remembersAddresses`, `greylists` and `tires`. */
  memory: { authenticated: Set<string>; greylisted: Set<string>; taken: number; asked: number }
  /** For `crashesInsteadOfRefusing`. */
  crash: () => void
  defects: ReceiverDefects
  words: WordsDefects
  /** Those for mail from and to these addresses. */
  wordsAbout: (addresses: readonly string[]) => WordsDefects
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

/** Whether the gateway would agree to what a ClientHello offers; for `ignoresBadHellos`. */
function isServed(hello: ClientHello | undefined, { forwardSecrecy }: MailFlow): boolean {
  const suites = hello?.suites.filter(suite => !forwardSecrecy || !suite.startsWith('TLS_RSA_')) ?? []
  return suites.length > 0 && hello!.versions.some(version => version >= 'TLSv1.2')
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
  /** For `checksFirstMailOnly`. */
  #checked = false
  /** For `storesRefused`. */
  #refused = false

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
      const reply = yes ? '250 2.0.0 Yes' : await this.#answer(verb, argument!, word!)
      const silent = this.#defects.silentInTls && this.#secured && this.#context.role === 'inbound'
      if (reply && !silent) this.#reply(reply)
      if (verb === 'QUIT' || (this.#defects.closesAtParameter && reply?.startsWith('501'))) return
    }
  }

  #reply(text: string): void {
    this.#channel.write(`${text}\r\n`)
  }

  /** The reply to a command, or nothing where it has been seen to. */
  async #answer(verb: string, argument: string, word = verb): Promise<string | undefined> {
    if (this.#insists && !OPEN_BEFORE_TLS.test(verb)) {
      const lets = this.#defects.refusesAtData && /^(MAIL|RCPT)$/.test(verb)
      if (!lets) return this.#defects.omitsStatus ? '530 Start TLS first' : TLS_FIRST
    }
    switch (verb) {
      case 'EHLO':
      case 'HELO':
        return this.#greeted(verb, argument)
      case 'STARTTLS':
        return this.#startTls(argument, word)
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
        return this.#insists && this.#defects.refusesNoop ? TLS_FIRST : '250 2.0.0 Nothing done'
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
    if (this.#defects.listsTooMuch && this.#context.role === 'inbound')
      keywords.push(...Array.from({ length: 250 }, (_, i) => `X-${i}`))
    return keywords.map((word, i) => `250${i < keywords.length - 1 ? '-' : ' '}${word}`).join('\r\n')
  }

  async #startTls(argument: string, word: string): Promise<string | undefined> {
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
    if (defects.ignoresBadHellos && !isServed(await this.#channel.hello(), this.#flow)) {
      await this.#channel.line(IDLE)
      return undefined
    }
    const mixed = defects.executesBehindMixedCase && word !== 'STARTTLS' ? 'all' : undefined
    await this.#channel.acceptTls(serverTls(this.#flow, defects), defects.executesEarlyBytes ?? mixed)
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
    const { takesPasswordsInClear, tellsPasswordsApart, takesLoginInClear } = this.#defects
    if (this.#context.role !== 'submission') return '502 5.5.1 Nobody logs in here'
    const inClear = !this.#secured
    if (inClear && takesLoginInClear && /^LOGIN$/i.test(argument)) return this.#loginByParts()
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

  /** For `takesLoginInClear`. */
  async #loginByParts(): Promise<string> {
    const parts: string[] = []
    for (const asked of ['Username:', 'Password:']) {
      this.#reply(`334 ${Buffer.from(asked).toString('base64')}`)
      parts.push(Buffer.from((await this.#channel.line()).toString('latin1'), 'base64').toString())
    }
    const right = this.#flow.users.some(({ name, password }) => name === parts[0] && password === parts[1])
    return right ? '235 2.7.0 Welcome' : '535 5.7.8 Name or password is wrong'
  }

  #mail(argument: string): string | undefined {
    const address = /^FROM:\s*<([^>]*)>/i.exec(argument)?.[1]
    if (!this.#helo) return '503 5.5.1 Greet first'
    if (address === undefined) return '501 5.5.4 MAIL FROM:<address>'
    if (this.#from !== undefined) return '503 5.5.1 There is a sender already'
    const sender = printable(address, 320)
    const named = sender.split('@')[1] ?? ''
    const domain = this.#defects.heedsCapitals ? named : named.toLowerCase()
    const { memory, role } = this.#context
    if (role === 'inbound' && this.#defects.tires && memory.taken > 0) return '452 4.3.1 Enough for today'
    if (role === 'inbound' && this.#defects.refusesNullSenders && sender === '') return '550 5.7.1 No bounces'
    const skips = role !== 'inbound' || (this.#checked && this.#defects.checksFirstMailOnly)
    this.#checked = true
    const refusal = skips ? undefined : this.#refusal(this.#defects.decidesByHelo ? this.#helo : domain)
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
      const { greylisted } = this.#context.memory
      if (defects.greylists && !greylisted.has(domain)) {
        greylisted.add(domain)
        return '450 4.2.0 Never heard of you, come back later'
      }
      this.#refused = defects.storesRefused === true
      this.#clearMail =
        this.#insists ||
        this.#refused ||
        Boolean(defects.takesClearMail || defects.greylists || (name && defects.takesClearWhereCertificate))
      return this.#clearMail ? undefined : TLS_FIRST
    }
    const { authenticated } = this.#context.memory
    const { remoteAddress } = this.#channel
    if (defects.remembersAddresses && authenticated.has(remoteAddress)) return undefined
    const others = this.#flow.inbound.flatMap(({ clientCertificate }) => clientCertificate ?? [])
    if (!name || authenticates(session, name, defects, others)) {
      if (name) authenticated.add(remoteAddress)
      return undefined
    }
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
    if (this.#defects.hasBadMoment && this.#context.role === 'inbound' && this.#context.memory.asked++ === 0)
      return '451 4.3.2 Not now'
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
    this.#context.memory.taken++
    this.#reset()
    if (this.#refused) return '550 5.7.10 Not without TLS'
    return `250 2.0.0 Taken as ${id}`
  }

  #store(lines: string[]): string {
    const { session, remoteAddress } = this.#channel
    const secured = session !== undefined
    const id = randomBytes(6).toString('hex')
    if (this.#clearMail) lines.unshift('X-Transport: in clear')
    if (secured && this.#defects.marksSecured) {
      const at = lines.findIndex(line => line.startsWith('Subject: '))
      if (at >= 0) lines[at] = lines[at]!.replace(' ', ' [secure] ')
    }
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
      this.#context.wordsAbout([this.#from!, ...this.#to]),
    )
    const mail = {
      id,
      from: this.#from!,
      content: Buffer.concat([Buffer.from(trace, 'latin1'), content]),
      secured,
    }
    if (secured || this.#context.role === 'submission' || !this.#defects.discardsClearMail)
      this.#context.accept(mail, this.#to)
    return id
  }
}
