import { createHash, randomBytes } from 'node:crypto'
import { decisive, type InboundConnector, type MailFlow } from '../mailflow/mail-flow.ts'
import { printable } from '../wire/printable.ts'
import { PeerLimit } from '../wire/smtp/lines.ts'
import {
  type Command,
  GO_AHEAD,
  MAX_SIZE,
  type ReceiverDecisions,
  type ReceiverSituation,
} from './decisions/receiver.ts'
import type { WordsDecisions } from './decisions/words.ts'
import type { Log } from './log.ts'
import type { Mail } from './queue.ts'
import { headersInFront } from './received.ts'
import { ClientSeen, type PastSession } from './seen/client.ts'
import { CLIENT_CIRCUMSTANCES } from './seen/client-circumstances.ts'
import { isDeep } from './seen/seen.ts'
import { type Channel, ChannelError } from './smtp-connection.ts'
import { tlsOptions } from './tls-options.ts'

/** How long the gateway waits for the next command, in ms. */
const IDLE = 60_000

/** What the gateway remembers of sessions at one of its addresses. */
export class AddressHistory {
  /** Remote addresses from which a client has shown the certificate that its connector expects. */
  readonly authenticated = new Set<string>()
  /** With which tickets are sealed; random for each gateway. */
  readonly ticketSecret = randomBytes(32)
  /** TLS sessions that may be resumed by their ids, by the certificate that they showed. */
  readonly sessions = new Map<string, Map<string, Buffer>>()
  /** What became of the sessions of a client, oldest first, by its domain. */
  readonly past = new Map<string, PastSession[]>()
  /** MAIL commands, by sender domain. */
  readonly attempts = new Map<string, number>()
  messages = 0
}

export interface ReceiverContext
  extends Pick<ReceiverSituation, 'role' | 'implicit' | 'server' | 'connection' | 'identities'> {
  /** As it is now: a change of the mail flow counts in sessions that have begun before. */
  flow: () => MailFlow
  history: AddressHistory
  log: Log
  accept: (mail: Mail, recipients: string[]) => void
  /** Ends the gateway: its own code has failed. */
  failed: (error: unknown) => void
  decisions: ReceiverDecisions
  words: WordsDecisions
}

/** Serves one connection to its end. Never throws for what the client does. */
export async function serve(channel: Channel, context: ReceiverContext): Promise<void> {
  const session = new Session(channel, context)
  try {
    await session.run()
    session.remember()
    channel.end()
  } catch (error) {
    session.remember(error)
    channel.destroy()
    if (!(error instanceof ChannelError || error instanceof PeerLimit)) context.failed(error)
  }
}

class Session {
  readonly #channel: Channel
  readonly #context: ReceiverContext
  readonly #decisions: ReceiverDecisions
  #helo = ''
  #greeting: ReceiverSituation['greeting']
  #pipelined = false
  readonly #seen = new ClientSeen()
  /** Domains under which the gateway remembers the client. */
  readonly #domains = new Set<string>()
  #outcome: PastSession | undefined
  #authenticated = false
  #from: string | undefined
  #to: string[] = []
  /** The chunk behind the last BDAT, and those before it. */
  #chunk: Buffer = Buffer.alloc(0)
  #chunks: Buffer[] = []
  #connector: InboundConnector | undefined
  #senders = 0
  /** The gateway has not decided on the sender yet. */
  #late = false

  constructor(channel: Channel, context: ReceiverContext) {
    this.#channel = channel
    this.#context = context
    this.#decisions = context.decisions
    this.#seen.hostname = context.flow().hostname
    this.#seen.deep = () => {
      const { inbound } = context.flow()
      return isDeep(this.#client, decisive(inbound, this.#client)?.from)
    }
    this.#seen.past = () => context.history.past.get(this.#client) ?? []
  }

  readonly #holds = (circumstance: string): boolean =>
    CLIENT_CIRCUMSTANCES[circumstance]?.(this.#seen) ?? false

  /** The domain of the client: of its sender, or of the name with which it greeted. */
  get #client(): string {
    const { mail } = this.#seen
    const sender = /<(.*)>/.exec(mail?.argument ?? '')?.[1] ?? ''
    return domainOf(sender) || this.#helo.toLowerCase().replace(/^[^.]*\./, '')
  }

  /** Keeps for later sessions what became of this one. `error`: it ended with this. */
  remember(error?: unknown): void {
    const { past } = this.#context.history
    const outcome =
      error instanceof ChannelError && error.kind === 'handshake' ? 'no handshake' : this.#outcome
    if (outcome) for (const domain of this.#domains) past.set(domain, [...(past.get(domain) ?? []), outcome])
  }

  #situation(sender = this.#from): ReceiverSituation {
    const { role, implicit, server, connection, identities, flow, history } = this.#context
    const { session, localAddress, remoteAddress } = this.#channel
    return {
      ...{
        flow: flow(),
        role,
        implicit,
        server,
        connection,
        identities,
        localAddress,
        remoteAddress,
        tls: session,
      },
      ...{ sender: sender ?? '', nullSender: sender === '', recipients: this.#to, size: 0 },
      ...{ greeting: this.#greeting, helo: this.#helo, pipelined: this.#pipelined },
      ...{ hello: this.#seen.hello?.hello, holds: this.#holds },
      ...{
        chunked: this.#chunks.length > 0,
        connector: this.#connector,
        senders: this.#senders,
        messages: history.messages,
      },
      attempt: history.attempts.get(domainOf(sender ?? '')) ?? 1,
      addressAuthenticated: history.authenticated.has(remoteAddress),
    }
  }

  async run(): Promise<void> {
    if (this.#decisions.beginsWithTls(this.#situation())) await this.#beginTls('')
    const greeting = this.#decisions.greeting(this.#situation())
    this.#reply(greeting)
    if (!greeting.startsWith('220')) return
    for (;;) {
      this.#channel.takeReads()
      const line = (await this.#channel.line(IDLE)).toString('latin1')
      const command = commandOf(line)
      // The bytes behind BDAT are read, whatever becomes of the command: RFC 3030 s2.
      if (command.verb === 'BDAT') await this.#readChunk(command.argument)
      this.#pipelined ||= this.#channel.pending
      const { waiting: behind } = this.#channel
      const seen = { ...command, behind, reads: this.#channel.takeReads(), code: 0 }
      this.#seen.commands.push(seen)
      const at = { ...this.#situation(), ...command }
      this.#domains.add(this.#client)
      const reply = this.#decisions.replyInstead(at) ?? (await this.#answer(at))
      seen.code = Number.parseInt(reply ?? '', 10)
      if (seen.verb === 'RCPT' && seen.code >= 400) this.#outcome ??= 'refused'
      if (reply) this.#reply(reply)
      if (this.#decisions.endsSession({ ...at, reply })) return
    }
  }

  #reply(text: string): void {
    this.#channel.write(`${text}\r\n`)
  }

  /** Carries a command out. Its reply, or nothing where that was sent before. */
  async #answer(at: ReceiverSituation & Command): Promise<string | undefined> {
    switch (at.verb) {
      case 'EHLO':
      case 'HELO':
        return this.#greeted(at.verb, at.argument)
      case 'STARTTLS':
        return this.#startTls(at)
      case 'AUTH':
        return this.#login(at)
      case 'MAIL':
        return this.#mail(at.argument)
      case 'RCPT':
        return this.#rcpt(at.argument)
      case 'DATA':
        return this.#data()
      case 'BDAT':
        return this.#bdat(at.argument)
      case 'RSET':
        this.#forgetEnvelope()
        return '250 2.0.0 Forgotten'
      case 'NOOP':
        return '250 2.0.0 Nothing done'
      case 'VRFY':
        return '252 2.1.5 Send mail and see'
      case 'QUIT':
        return `221 2.0.0 ${at.flow.hostname} closes`
      default:
        return '500 5.5.1 Unknown command'
    }
  }

  #forgetEnvelope(): void {
    this.#seen.content = undefined
    this.#chunks = []
    this.#from = undefined
    this.#to = []
  }

  #greeted(verb: 'EHLO' | 'HELO', name: string): string {
    this.#helo = printable(name || 'nobody', 255)
    this.#greeting = verb
    const at = this.#situation()
    if (this.#decisions.forgets({ ...at, event: 'EHLO' })) this.#forgetEnvelope()
    const { hostname } = at.flow
    if (verb === 'HELO') return `250 ${hostname}`
    const lines = [hostname, ...this.#decisions.keywords(at)]
    return lines.map((line, i) => `250${i < lines.length - 1 ? '-' : ' '}${line}`).join('\r\n')
  }

  async #startTls(at: ReceiverSituation & Command): Promise<string | undefined> {
    const reply = this.#decisions.replyToStarttls(at)
    if (reply !== GO_AHEAD) return reply
    this.#reply(reply)
    const early = { ...at, bytes: this.#channel.drain() }
    for (const line of this.#decisions.earlyCommands(early))
      await this.#answer({ ...this.#situation(), ...commandOf(line) })
    await this.#beginTls(this.#decisions.earlyBytes(early))
    return undefined
  }

  /** `kept`: bytes that are read as if they came inside TLS. */
  async #beginTls(kept: string): Promise<void> {
    this.#seen.hello = await this.#channel.hello(IDLE)
    const answer = this.#decisions.answersHello(this.#situation())
    if (answer === 'with a reset') this.#channel.reset()
    if (answer === 'not at all') await this.#channel.line(IDLE)
    if (Buffer.isBuffer(answer)) this.#channel.endRaw(answer)
    if (answer !== 'with TLS') return
    const { asksForCertificate, ...terms } = this.#decisions.tls(this.#situation())
    // The connector decides at MAIL whom to let in.
    const asks = asksForCertificate ? { requestCert: true, rejectUnauthorized: false } : {}
    const { certificate } = terms.identity
    const { sessions, ticketSecret } = this.#context.history
    if (!sessions.has(certificate)) sessions.set(certificate, new Map())
    // No session outlives the certificate that it was begun with.
    const ticketKeys = createHash('sha384').update(ticketSecret).update(certificate).digest()
    const options = { ...tlsOptions(terms), ...asks, ticketKeys }
    this.#channel.survivesTls = this.#decisions.goesOnInClear(this.#situation())
    try {
      const early = this.#decisions.sendsTicketEarly(this.#situation())
      await this.#channel.acceptTls(options, sessions.get(certificate)!, { kept, early })
    } catch (error) {
      if (!this.#channel.survivesTls || this.#channel.over) throw error
    }
    this.#seen.beforeTls = this.#seen.commands
    this.#seen.commands = []
    this.#seen.tls = this.#channel.session
    if (!this.#decisions.forgets({ ...this.#situation(), event: 'handshake' })) return
    this.#helo = ''
    this.#greeting = undefined
    this.#forgetEnvelope()
  }

  /** PLAIN of RFC 4616, and LOGIN, which older clients use. */
  async #login(at: ReceiverSituation & Command): Promise<string> {
    if (at.role !== 'submission') return '502 5.5.1 Nobody logs in here'
    const [mechanism = '', initial] = at.argument.split(' ')
    if (!this.#decisions.mechanisms(at).includes(mechanism.toUpperCase()))
      return at.tls ? '504 5.5.4 PLAIN or LOGIN' : '538 5.7.11 Not without TLS'
    const plain = mechanism.toUpperCase() === 'PLAIN'
    const [name, password] = plain
      ? (initial ? decoded(initial) : await this.#ask('')).split('\0').slice(1)
      : [await this.#ask('Username:'), await this.#ask('Password:')]
    const right = at.flow.users.some(user => user.name === name && user.password === password)
    const reply = this.#decisions.replyToLogin({ ...at, right })
    this.#authenticated = reply.startsWith('235')
    return reply
  }

  async #ask(what: string): Promise<string> {
    this.#reply(`334 ${Buffer.from(what).toString('base64')}`)
    return decoded((await this.#channel.line()).toString('latin1'))
  }

  #mail(argument: string): string {
    const address = mailboxIn(/^FROM:\s*<([^>]*)>/i.exec(argument)?.[1])
    if (!this.#helo) return '503 5.5.1 Greet first'
    if (address === undefined) return '501 5.5.4 MAIL FROM:<address>'
    if (this.#from !== undefined) return '503 5.5.1 There is a sender already'
    const sender = printable(Buffer.from(address, 'latin1'), 320)
    const late = this.#decisions.decidesLate(this.#situation(sender))
    const refusal = late ? undefined : this.#refusalOf(sender)
    if (refusal) return refusal
    this.#from = sender
    this.#late = late
    return '250 2.1.0 Sender noted'
  }

  /** The reply that refuses a sender; where there is none, the session is in the log. */
  #refusalOf(sender: string): string | undefined {
    const refusal = this.#refusal(sender)
    const { role, log } = this.#context
    if (!refusal) log.session(`${role} from=<@${domainOf(sender)}>`, this.#situation(sender))
    return refusal
  }

  #refusal(sender: string): string | undefined {
    const { history } = this.#context
    const domain = domainOf(sender)
    history.attempts.set(domain, (history.attempts.get(domain) ?? 0) + 1)
    const named = { ...this.#situation(sender), domain: writtenDomainOf(sender) }
    this.#connector = named.role === 'inbound' ? this.#decisions.connector(named) : undefined
    const at = { ...named, connector: this.#connector }
    const authenticated = this.#authenticates(at)
    if (authenticated) history.authenticated.add(at.remoteAddress)
    this.#senders++
    return this.#decisions.refusalOfSender({ ...at, authenticated })
  }

  /** Whether the client has shown a certificate that is accepted and carries the expected name. */
  #authenticates(at: ReceiverSituation, expected = at.connector?.clientCertificate): boolean {
    if (expected === undefined || !at.tls?.certificate) return false
    const { certificate, chainError } = at.tls
    const about = { ...at, certificate, chainError, expected }
    return this.#decisions.trustsChain(about) && this.#decisions.acceptsName(about)
  }

  #rcpt(argument: string): string {
    const address = mailboxIn(/^TO:\s*<([^>]+)>/i.exec(argument)?.[1])
    if (this.#from === undefined) return '503 5.5.1 No sender yet'
    if (address === undefined) return '501 5.5.4 RCPT TO:<address>'
    const recipient = printable(Buffer.from(address, 'latin1'), 320)
    const { role, flow } = this.#context
    const local = recipient.toLowerCase().endsWith(`@${flow().domain}`)
    const at = this.#situation()
    const isRelay = flow().relay !== undefined && this.#authenticates(at, flow().relay)
    if (!local && role === 'inbound' && !this.#decisions.relays({ ...at, isRelay }))
      return '550 5.7.64 Relay access denied'
    this.#to.push(recipient)
    return '250 2.1.5 Recipient noted'
  }

  async #data(): Promise<string> {
    if (this.#chunks.length > 0) return '503 5.5.1 The message comes by BDAT'
    if (this.#to.length === 0) return '503 5.5.1 No recipient yet'
    this.#reply('354 Go on, end with a dot')
    const lines: string[] = []
    let size = 0
    const id = randomBytes(6).toString('hex')
    try {
      for (;;) {
        const line = (await this.#channel.line(IDLE)).toString('latin1')
        if (line === '.') break
        size += line.length + 2
        if (size <= MAX_SIZE) lines.push(line.startsWith('.') ? line.slice(1) : line)
      }
    } catch (error) {
      this.#outcome = 'cut off'
      this.#store(id, lines, false)
      throw error
    }
    return size > MAX_SIZE ? '552 5.3.4 Too large' : this.#taken(id, lines)
  }

  async #readChunk(argument: string): Promise<void> {
    const count = Number(/^\d{1,9}/.exec(argument)?.[0] ?? 0)
    try {
      this.#chunk = await this.#channel.bytes(count, IDLE)
    } catch (error) {
      this.#outcome = 'cut off'
      if (this.#chunks.length > 0) this.#store(randomBytes(6).toString('hex'), linesOf(this.#chunks), false)
      throw error
    }
  }

  /** RFC 3030 s2. */
  #bdat(argument: string): string {
    const [, last] = /^\d{1,9}( LAST)?\s*$/i.exec(argument) ?? [undefined, 'none']
    if (last === 'none') return '501 5.5.4 BDAT wants a number of bytes'
    if (this.#to.length === 0) return '503 5.5.1 No recipient yet'
    this.#chunks.push(this.#chunk)
    const size = this.#chunks.reduce((sum, { length }) => sum + length, 0)
    if (size > MAX_SIZE) {
      this.#forgetEnvelope()
      return '552 5.3.4 Too large'
    }
    if (!last) return `250 2.0.0 ${this.#chunk.length} bytes noted`
    return this.#taken(randomBytes(6).toString('hex'), linesOf(this.#chunks))
  }

  /** The reply to a message that has come whole. */
  #taken(id: string, lines: readonly string[]): string {
    this.#seen.content = lines.map(line => `${line}\r\n`).join('')
    const chunks = this.#seen.transaction.filter(({ verb }) => verb === 'BDAT')
    // Of several chunks, each comes by itself in any case.
    const { reads } = chunks.find(({ reads }) => reads.length > 1) ?? { reads: [] }
    this.#seen.contentReads = [...reads, ...this.#channel.takeReads()]
    const refusal = this.#late ? this.#refusalOf(this.#from!) : undefined
    if (refusal) {
      this.#forgetEnvelope()
      return refusal
    }
    this.#outcome = 'delivered'
    this.#store(id, lines, true)
    this.#context.history.messages++
    const reply = this.#decisions.replyToMessage({ ...this.#situation(), id })
    this.#forgetEnvelope()
    return reply
  }

  #store(id: string, lines: readonly string[], complete: boolean): void {
    const whole = lines.map(line => `${line}\r\n`).join('')
    const at = { ...this.#situation(), size: whole.length }
    const content = this.#decisions.stored({ ...at, content: whole, complete })
    if (content === undefined) return
    const about = { ...at, id, content, authenticated: this.#authenticated }
    const headers = headersInFront(about, this.#context.words)
    const mail = {
      ...{ id, from: at.sender, secured: at.tls !== undefined },
      content: Buffer.from(headers + content, 'latin1'),
    }
    this.#context.accept(mail, this.#to)
  }
}

/** Without their line ends. */
const linesOf = (chunks: readonly Buffer[]): string[] =>
  Buffer.concat(chunks).toString('latin1').replace(/\r\n$/, '').split('\r\n')

const decoded = (text: string): string => Buffer.from(text, 'base64').toString('utf8')

/** Behind the last at sign: a quoted local part may have one too, RFC 5321 s4.1.2. */
const writtenDomainOf = (address: string): string => /@([^@]*)$/.exec(address)?.[1] ?? ''

const domainOf = (address: string): string => writtenDomainOf(address).toLowerCase()

/** The mailbox of a path, without the source route before it: RFC 5321 s3.6.1 and appendix C. */
const mailboxIn = (path: string | undefined): string | undefined => path?.replace(/^@[^:]*:/, '')

function commandOf(line: string): Command {
  const [, word = '', argument = ''] = /^([^ ]*) ?(.*)$/s.exec(line) ?? []
  return { verb: word.toUpperCase(), argument, line }
}
