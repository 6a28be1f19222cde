import { setTimeout as pause } from 'node:timers/promises'
import { decisive, type MailFlow } from '../mailflow/mail-flow.ts'
import { withALabels } from '../wire/smtp/a-labels.ts'
import { PeerLimit } from '../wire/smtp/lines.ts'
import type { DeliveryResult, TlsFailure } from './decisions/queue.ts'
import type {
  ConnectionSituation,
  Host,
  SenderDecisions,
  SenderSituation,
  StatusSaid,
} from './decisions/sender.ts'
import type { Log } from './log.ts'
import { type Delivery, heldIn } from './queue.ts'
import { exchangers, NoSuchDomain } from './resolver.ts'
import { PartnerSeen, type PastMail } from './seen/partner.ts'
import { PARTNER_CIRCUMSTANCES } from './seen/partner-circumstances.ts'
import { isDeep } from './seen/seen.ts'
import { Refusal, Smtp } from './smtp.ts'
import { Channel, ChannelError } from './smtp-connection.ts'
import { hasStatus, lacksIssuer, leadsToRoot, promisesStapling, statusOf } from './status.ts'
import { tlsOptions } from './tls-options.ts'

export interface SenderContext {
  /** As it is now: a change of the mail flow counts from the next attempt on. */
  flow: () => MailFlow
  log: Log
  decisions: SenderDecisions
}

/** This host cannot have the mail now. */
class HostFailure extends Error {
  override name = 'HostFailure'
  /** Set where TLS was wanted and not had. */
  readonly tlsFailure: TlsFailure | undefined
  constructor(message: string, tlsFailure?: TlsFailure) {
    super(message)
    this.tlsFailure = tlsFailure
  }
}

/** What earlier sessions with a host showed. */
type Memory = Pick<Host, 'hadTls' | 'lackedTls' | 'brokeTls'>
const UNKNOWN: Memory = { hadTls: false, lackedTls: false, brokeTls: false }

/** How a connection is used. */
interface Use {
  /** Absent: as the gateway decides. */
  tls?: boolean
  /** The message was sent before. */
  copy?: true
}

/** Until a message is sent again that was sent before, in ms. */
const AGAIN_AFTER = 100
/** How long a gateway that goes on unencrypted on the same connection waits to see whether it is closed, in ms. */
const CLOSES = 50
/** Record type of a handshake message: RFC 8446 s5.1. */
const HANDSHAKE = 22

/** Delivers mail to the mail exchangers of its recipients' domain. */
export class Sender {
  readonly #context: SenderContext
  readonly #decisions: SenderDecisions
  /** What earlier sessions with a host showed, by host name. */
  readonly #hosts = new Map<string, Memory>()
  /** Issuers of certificates that led to a trusted root. */
  readonly #issuers = new Set<string>()
  /** Messages whose transfer was cut. */
  readonly #cut = new Set<string>()
  #messages = 0
  /** How many connections are open, by host name. */
  readonly #open = new Map<string, number>()
  /** What the last session with a host can be resumed with, by host name. */
  readonly #sessions = new Map<string, Buffer>()
  /** Messages that host names have got, or have not got. */
  readonly #past = new Map<string, PastMail[]>()

  constructor(context: SenderContext) {
    this.#context = context
    this.#decisions = context.decisions
  }

  /** One attempt at all hosts in their order. What partners do wrong ends in the results. */
  async deliver(delivery: Delivery): Promise<DeliveryResult[]> {
    const at = this.#situation(delivery)
    const all = (kind: DeliveryResult['kind'], reason: string, tlsFailure?: TlsFailure): DeliveryResult[] =>
      at.recipients.map(recipient => ({
        ...{ kind, recipient, reason, level: at.level },
        ...(tlsFailure ? { tlsFailure } : {}),
      }))
    const found = await this.#exchangers(delivery.domain).catch((error: Error) => error)
    if (found instanceof Error)
      return all(found instanceof NoSuchDomain ? 'bounced' : 'deferred', found.message)
    at.probed = await this.#probe(this.#decisions.domainsToProbe({ ...at, hosts: found }))
    const hosts = this.#decisions.hosts({ ...at, hosts: found })
    let why = 'no mail exchanger is left'
    let tlsFailure: TlsFailure | undefined
    for (const [position, host] of hosts.entries()) {
      try {
        return await this.#tryHost(connection(at, host, position, position === hosts.length - 1))
      } catch (error) {
        if (!isExpected(error)) throw error
        if (error instanceof Refusal && error.permanent && at.level === 'opportunistic')
          return all('bounced', error.message)
        why = `${host.hostname} (${host.address}): ${error.message}`
        tlsFailure = error instanceof HostFailure ? error.tlsFailure : undefined
        this.#context.log.say(`to=<@${delivery.domain}> relay=${host.hostname} ${error.message}`)
      }
    }
    this.#sendAgain({ ...at, delivered: false }, found[0]!)
    return all('deferred', why, tlsFailure)
  }

  #situation(delivery: Delivery): SenderSituation {
    const { mail, recipients, attempts, domains, allRecipients } = delivery
    const ofMessage = heldIn(mail, recipients, allRecipients)
    const flow = this.#context.flow()
    const domain = recipients[0]!.split('@').at(-1)!
    const situation = {
      ...{ flow, recipients, domain, attempt: attempts, tls: undefined },
      ...{ sender: mail.from, nullSender: mail.from === '', size: mail.content.length },
      holds: ofMessage,
    }
    const connectors = domains.map(name => this.#decisions.connector({ ...situation, domain: name }))
    const connector = this.#decisions.connector(situation)
    const levels = connectors.map(one => one?.tls ?? 'opportunistic')
    const level = this.#decisions.level({ ...situation, ...(connector ? { connector } : {}), levels })
    return {
      ...situation,
      id: mail.id,
      content: mail.content.toString('latin1'),
      receivedOverTls: mail.secured,
      allRecipients,
      domains,
      level,
      expected: connector?.tlsDomain ?? withALabels(domain).toLowerCase(),
      pin: connector?.pin,
      requiresStatus: flow.requiresStatus === true || connector?.status === 'required',
      validates: level === 'certificate-validation' || level === 'domain-validation',
      cutBefore: this.#cut.has(mail.id),
      messages: this.#messages,
      probed: [],
      ofMessage,
      noted: holds => {
        delivery.holds = holds
      },
    }
  }

  /** In order of preference. */
  async #exchangers(domain: string): Promise<Host[]> {
    const found = await exchangers(withALabels(domain), this.#context.flow().network.resolver)
    return found.map(host => ({
      ...UNKNOWN,
      ...this.#hosts.get(host.hostname),
      ...host,
    }))
  }

  #remember({ hostname }: Host, seen: Partial<Memory>): void {
    this.#hosts.set(hostname, { ...UNKNOWN, ...this.#hosts.get(hostname), ...seen })
  }

  /** All hosts of some domains, with whether they offer STARTTLS. */
  async #probe(domains: readonly string[]): Promise<SenderSituation['probed']> {
    const hosts = await Promise.all(domains.map(domain => this.#exchangers(domain)))
    const offers = (host: Host) => this.#offersTls(host).catch(() => false)
    return Promise.all(hosts.flat().map(async host => ({ ...host, offersTls: await offers(host) })))
  }

  async #offersTls(host: Host): Promise<boolean> {
    const smtp = await this.#connect(host)
    try {
      await smtp.answer()
      await smtp.greet(this.#context.flow().hostname)
      return smtp.offers('STARTTLS')
    } finally {
      await smtp.leave()
    }
  }

  async #connect({ address }: Host, seen?: PartnerSeen): Promise<Smtp> {
    const channel = await Channel.connect(address, this.#context.flow().network.partnerPort)
    return new Smtp(channel, seen?.replies)
  }

  /** Of a message on several connections, the first outcome counts. */
  #keep({ host, id, domain }: ConnectionSituation, outcome: PastMail['outcome']): void {
    const known = this.#past.get(host.hostname) ?? []
    if (known.at(-1)?.id === id) return
    this.#past.set(host.hostname, [...known, { id, domain: domain.toLowerCase(), outcome }])
  }

  /** From now on, what is seen on the connection tells which circumstances hold, beside those of the message. */
  #look(at: ConnectionSituation): PartnerSeen {
    const { position, host, flow, domain } = at
    const deep = isDeep(domain, decisive(flow.outbound, domain)?.to)
    const past = this.#past.get(host.hostname)?.findLast(({ id }) => id !== at.id)
    const about = { domain: domain.toLowerCase(), past, position, address: host.address, deep }
    const seen = new PartnerSeen(about)
    const { ofMessage } = at
    at.holds = circumstance =>
      ofMessage(circumstance) || (PARTNER_CIRCUMSTANCES[circumstance]?.(seen) ?? false)
    at.noted(at.holds)
    return seen
  }

  /** TLS that cannot be had may lead to a second connection: in the clear where the connector permits that. */
  async #tryHost(at: ConnectionSituation): Promise<DeliveryResult[]> {
    const first = { ...at }
    try {
      return await this.#session(first, {})
    } catch (error) {
      const why = error instanceof HostFailure ? error.tlsFailure : undefined
      if (!why) throw error
      // What the first connection showed is known.
      const again = { ...at, why, reconnects: true, holds: first.holds }
      if (this.#decisions.retriesHandshake(again)) return this.#session(again, { tls: true })
      if (this.#decisions.mayGoInClear(again)) return this.#session(again, { tls: false })
      throw error
    }
  }

  async #session(at: ConnectionSituation, { tls: wanted, copy }: Use): Promise<DeliveryResult[]> {
    const decisions = this.#decisions
    const seen = this.#look(at)
    const smtp = await this.#connect(at.host, seen)
    const { channel } = smtp
    let why: TlsFailure | undefined
    at.besides = this.#open.get(at.host.hostname) ?? 0
    this.#open.set(at.host.hostname, at.besides + 1)
    try {
      const greeting = await smtp.answer()
      if (greeting.code !== 220) throw new HostFailure(`it greets with ${greeting.text}`)
      const extended = await this.#greet(smtp, at, wanted ?? true)
      const tls = wanted ?? decisions.usesTls(at)
      if (!smtp.offers('STARTTLS')) this.#remember(at.host, { lackedTls: true })
      if (tls && extended) await this.#startTls(smtp, at, seen)
      const late = decisions.checksAfterMessage(at)
      if (!late) await this.#checkOrGoOn(channel, at)
      if (at.tls) this.#remember(at.host, { hadTls: true })
      this.#context.log.session(`to=<@${at.domain.toLowerCase()}> relay=${at.host.hostname}`, {
        ...at,
        host: at.host.hostname,
      })
      await this.#sayBeside(at)
      const results = await this.#transaction(smtp, at)
      if (late) this.#check(at)
      this.#messages++
      this.#keep(
        at,
        results.some(({ kind }) => kind === 'delivered') ? (at.tls ? 'over TLS' : 'unencrypted') : 'refused',
      )
      if (!copy) this.#sendAgain({ ...at, delivered: true }, at.host)
      return results
    } catch (error) {
      why = error instanceof HostFailure ? error.tlsFailure : undefined
      if (why === 'handshake failed') this.#keep(at, 'no handshake')
      if (why === 'no STARTTLS') this.#keep(at, why)
      if (error instanceof HostFailure && !channel.over)
        for (const command of decisions.commandsBeforeGivingUp(at)) await smtp.say(command)
      throw error
    } finally {
      if (at.tls) channel.writeRaw(decisions.bytesOutsideTls({ ...at, moment: 'end of session' }))
      if (decisions.saysQuit({ ...at, why })) await smtp.leave()
      else channel.end()
      this.#open.set(at.host.hostname, this.#open.get(at.host.hostname)! - 1)
    }
  }

  /**
   * Whether the partner knows EHLO. One that does not has no TLS either: RFC 5321 s3.2. Throws HostFailure where TLS is
   * forced then.
   */
  async #greet(smtp: Smtp, at: ConnectionSituation, wantsTls: boolean): Promise<boolean> {
    const { hostname } = at.flow
    try {
      await smtp.greet(hostname)
      at.keywords = smtp.extensions
      return true
    } catch (error) {
      if (!isExpected(error)) throw error
      if (at.tls) throw new HostFailure(`EHLO inside TLS was not answered: ${error.message}`, 'session ended')
      if (!(error instanceof Refusal && error.permanent)) throw error
      if (wantsTls) this.#goOnInClear(at, 'no EHLO', error.message)
      await smtp.must(`HELO ${hostname}`)
      return false
    }
  }

  async #startTls(smtp: Smtp, at: ConnectionSituation, seen: PartnerSeen): Promise<void> {
    const decisions = this.#decisions
    const { channel } = smtp
    if (!smtp.offers('STARTTLS')) return this.#goOnInClear(at, 'no STARTTLS', 'STARTTLS is not offered')
    for (const command of decisions.commandsBeforeStarttls(at)) await smtp.say(command)
    const commands = ['STARTTLS', ...decisions.commandsBehindStarttls(at)]
    const answer = await smtp.say(commands.join('\r\n')).catch(error => {
      throw lost('STARTTLS was not answered', error, 'connection closed')
    })
    if (answer.code !== 220) {
      this.#remember(at.host, { lackedTls: true })
      at.refusedWith = answer.code
      return this.#goOnInClear(at, 'STARTTLS refused', `STARTTLS was answered with ${answer.text}`)
    }
    channel.onRaw = chunk => {
      channel.onRaw = undefined
      blot(chunk, decisions.overlooks(at))
      if (chunk[0] !== HANDSHAKE)
        channel.writeRaw(decisions.bytesOutsideTls({ ...at, moment: 'no handshake' }))
    }
    const kept = decisions.earlyBytes({ ...at, bytes: channel.drain() })
    const session = decisions.resumes(at) ? this.#sessions.get(at.host.hostname) : undefined
    const requestOCSP = decisions.asksForStatus(at)
    const options = {
      ...{ servername: decisions.serverName(at), requestOCSP, ...tlsOptions(decisions.tls(at)) },
      ...(session ? { session } : {}),
    }
    channel.onSession = given => this.#sessions.set(at.host.hostname, given)
    channel.survivesTls = decisions.goesOnInClear({ ...at, why: 'handshake failed' })
    const hello = decisions.helloInstead(at)
    if (hello) channel.writeRaw(hello)
    const failed = hello
      ? await channel.bytes(1).then(
          () => new Error('it answered'),
          (error: ChannelError) => error,
        )
      : await channel.startTls(options, kept).catch((error: ChannelError) => error)
    if (failed) {
      this.#remember(at.host, { brokeTls: true })
      if (channel.survivesTls && (await staysOpen(channel))) return
      throw lost('the handshake failed', failed, 'handshake failed')
    }
    at.tls = channel.session
    seen.handshake = channel.handshake
    if (decisions.leavesAfterHandshake({ ...at, records: channel.handshake?.records ?? [] }))
      throw new HostFailure('the handshake was not as expected', 'handshake failed')
    const listedInClear = at.keywords
    if (decisions.greetsAgain(at)) await this.#greet(smtp, at, true)
    for (const command of decisions.commandsInsideTls({ ...at, listedInClear, reply: smtp.heard }))
      await smtp.say(command)
  }

  /** Throws HostFailure where TLS is forced. */
  #goOnInClear(at: ConnectionSituation, why: TlsFailure, sentence: string): void {
    if (!this.#decisions.mayGoInClear({ ...at, why })) throw new HostFailure(sentence, why)
  }

  async #checkOrGoOn(channel: Channel, at: ConnectionSituation): Promise<void> {
    try {
      const { shown } = channel
      if (shown && lacksIssuer(at.tls?.chainError) && this.#decisions.fetchesIssuers(at))
        if (await leadsToRoot(shown, at.flow)) at.tls!.chainError = undefined
      this.#check(at)
      if (this.#decisions.asksForStatus(at)) await this.#checkStatus(channel, at)
    } catch (error) {
      if (!this.#decisions.goesOnInClear({ ...at, why: 'certificate not accepted' })) throw error
      await channel.endTls()
      if (!(await staysOpen(channel))) throw error
      at.tls = undefined
    }
  }

  /** Throws HostFailure for a certificate that the connector does not accept. */
  #check(at: ConnectionSituation): void {
    if (!at.tls) return
    const { certificate, chainError } = at.tls
    const checks = this.#decisions.checks(at)
    const fail = (sentence: string) => {
      throw new HostFailure(sentence, 'certificate not accepted')
    }
    if (checks.length > 0 && !certificate) fail('it shows no certificate')
    if (!certificate) return
    const about = { ...at, certificate, chainError, issuers: [...this.#issuers] }
    if (!chainError) this.#issuers.add(certificate.issuer)
    if (checks.includes('chain') && !this.#decisions.trustsChain(about))
      fail(`its certificate is not accepted: ${chainError}`)
    if (checks.includes('name') && !this.#decisions.acceptsName(about))
      fail(`its certificate names ${certificate.names.join(', ') || 'nobody'}, not ${at.expected}`)
    const { pin } = at
    if (pin && !this.#decisions.acceptsPin({ ...about, pin }))
      fail(`its certificate has another ${pin.attribute} than ${pin.value}`)
  }

  /** Throws HostFailure for a certificate that its authority has revoked, or of which too little is known. */
  async #checkStatus({ shown, stapled }: Channel, at: ConnectionSituation): Promise<void> {
    if (!shown) return
    const fail = (sentence: string) => {
      throw new HostFailure(`its certificate is not accepted: ${sentence}`, 'certificate not accepted')
    }
    if (promisesStapling(shown) && !stapled && !this.#decisions.acceptsBrokenPromise(at))
      fail('it promises an answer about its status, and none came')
    if (!hasStatus(shown) && !stapled && !at.requiresStatus) return
    const use = this.#decisions.usesStapled(at)
    const along = stapled && use !== 'not at all' ? { stapled, suffices: use === 'in place of asking' } : {}
    const statuses = await statusOf(shown, along, at.flow)
    const said =
      statuses.find(({ status }) => status === 'revoked') ?? statuses.find(({ status }) => status !== 'good')
    const unknown = said ? `its status is not known: ${outcomesOf(said)}` : 'its status was not known'
    const why = said?.status === 'revoked' ? 'it is revoked' : unknown
    if (!this.#decisions.acceptsStatus({ ...at, statuses })) fail(why)
    if (said && this.#decisions.warnsOfStatus(at))
      this.#context.log.say(`to=<@${at.domain.toLowerCase()}> relay=${at.host.hostname} warning: ${why}`)
  }

  async #sayBeside(at: ConnectionSituation): Promise<void> {
    const commands = this.#decisions.commandsBeside(at)
    if (commands.length === 0) return
    const smtp = await this.#connect(at.host)
    await smtp.answer()
    for (const command of commands) await smtp.say(command)
    await smtp.leave()
  }

  async #transaction(smtp: Smtp, at: ConnectionSituation): Promise<DeliveryResult[]> {
    const decisions = this.#decisions
    const results: DeliveryResult[] = []
    const result = (kind: DeliveryResult['kind'], recipient: string, reason: string): DeliveryResult => ({
      ...{ kind, recipient, reason, level: at.level },
      ...(at.tls ? { tls: at.tls } : {}),
    })
    const delay = decisions.delayBeforeMail(at)
    if (delay > 0) await pause(delay)
    await smtp.must(`MAIL FROM:<${at.sender}>`)
    const taken: string[] = []
    for (const recipient of decisions.recipientsToName(at)) {
      const { code, text } = await smtp.say(`RCPT TO:<${withALabels(recipient)}>`)
      if (!at.recipients.includes(recipient)) continue
      if (code < 300) taken.push(recipient)
      else results.push(result(code >= 500 ? 'bounced' : 'deferred', recipient, text))
    }
    if (taken.length === 0) return results
    await smtp.must('DATA', 3)
    const content = Buffer.from(decisions.contentToSend(at), 'latin1')
    const reply = await smtp.content(content).catch((error: Error) => error)
    const cut = reply instanceof Error
    if (cut) this.#cut.add(at.id)
    if (!decisions.isDelivered({ ...at, code: cut ? undefined : reply.code }))
      throw cut ? reply : new Refusal('the message', reply)
    const text = cut ? 'sent' : reply.text
    return [...results, ...taken.map(recipient => result('delivered', recipient, text))]
  }

  #sendAgain(at: SenderSituation & { delivered: boolean }, host: Host): void {
    const again = (tls: boolean) =>
      setTimeout(() => this.#session(connection(at, host), { tls, copy: true }).catch(() => {}), AGAIN_AFTER)
    if (this.#decisions.sendsAgainInClear(at)) again(false)
    if (this.#decisions.sendsAgainOverTls(at)) again(true)
  }
}

/** `list: expired, responder: unknown`. */
const outcomesOf = ({ sources }: StatusSaid): string =>
  sources
    .filter(({ kind }) => kind !== 'issuer')
    .map(({ kind, outcome }) => `${kind}: ${outcome}`)
    .join(', ') || 'nobody tells it'

/** A connection that is still to come. */
const connection = (at: SenderSituation, host: Host, position = 0, isLast = true): ConnectionSituation => ({
  ...at,
  ...{ host, position, isLast, tls: undefined, keywords: [], reconnects: false, besides: 0 },
})

/** `what` failed, because the partner ended the connection (`closed`) or said nothing. */
function lost(what: string, error: Error, closed: TlsFailure): HostFailure {
  const silent = error instanceof ChannelError && error.kind === 'silent'
  return new HostFailure(`${what}: ${error.message}`, silent ? 'no answer' : closed)
}

/** Writes something else over a word, where it stands in these bytes. */
function blot(bytes: Buffer, word: string): void {
  const at = word ? bytes.indexOf(word) : -1
  if (at >= 0) bytes.fill(0, at, at + word.length)
}

async function staysOpen(channel: Channel): Promise<boolean> {
  await pause(CLOSES)
  return !channel.over
}

const isExpected = (error: unknown): error is Error =>
  error instanceof HostFailure ||
  error instanceof Refusal ||
  error instanceof ChannelError ||
  error instanceof PeerLimit
