import type { MailFlow } from '../mailflow/mail-flow.ts'
import { certificateFacts } from '../wire/tls/certificate-facts.ts'
import { Channel, ChannelError } from './channel.ts'
import type { SenderDefects, WordsDefects } from './defects.ts'
import { clientTls } from './identity.ts'
import type { Log } from './log.ts'
import { bears, type Demand, demandFor, shortcoming, stricter } from './policy.ts'
import type { Delivery, Fate } from './queue.ts'
import { exchangers, type Host, NoSuchDomain } from './resolver.ts'
import { withoutSmime } from './smime.ts'
import { Refusal, Smtp } from './smtp.ts'

export interface SenderContext {
  flow: () => MailFlow
  log: Log
  /** For `crashesInsteadOfHolding`. */
  crash: () => void
  defects: SenderDefects
  words: WordsDefects
}

/** This host cannot have the mail now. */
class Trouble extends Error {
  override name = 'Trouble'
  /** STARTTLS was offered and no session came of it. */
  readonly handshake: boolean
  /** The connection was closed in answer to STARTTLS. */
  readonly closed: boolean
  constructor(message: string, handshake = false, closed = false) {
    super(message)
    this.handshake = handshake
    this.closed = closed
  }
}

/** How one connection is to be used. */
interface Use {
  /** `never`: in clear from the beginning. */
  tls: 'when offered' | 'never'
  demand: Demand
  last: boolean
  first: boolean
  /** The connection before this one broke at its handshake. */
  again: boolean
}

/** Brings mail to the mail exchangers of its domain. */
export class Sender {
  readonly #context: SenderContext
  readonly #defects: SenderDefects
  /** For `remembersNoTls`. */
  readonly #withoutTls = new Set<string>()
  /** For `remembersTls` and `trustsKnownHosts`. */
  readonly #good = new Set<string>()
  /** Issuers whose certificate came with a good chain. */
  readonly #issuers = new Set<string>()
  /** Messages that were cut in the middle; for `clearAfterCut` and `resumesWhereCut`. */
  readonly #cut = new Set<string>()
  /** For `tires`. */
  #sent = 0

  constructor(context: SenderContext) {
    this.#context = context
    this.#defects = context.defects
  }

  get #flow(): MailFlow {
    return this.#context.flow()
  }

  /** One attempt at all hosts in order of preference. What partners do wrong ends in the fates. */
  async deliver(delivery: Delivery): Promise<Fate[]> {
    const { domain } = delivery
    const demand = await this.#demand(delivery)
    let handshake = false
    let why = ''
    try {
      const hosts = await this.#hosts(domain)
      for (const [i, host] of hosts.entries()) {
        try {
          return await this.#tryHost(delivery, host, {
            demand,
            last: hosts.length > 1 && i === hosts.length - 1,
            first: i === 0,
          })
        } catch (error) {
          if (error instanceof Refusal && error.permanent && demand.level === 'opportunistic') throw error
          if (!expected(error)) throw error
          handshake ||= error instanceof Trouble && error.handshake
          why = `${host.hostname} (${host.address}): ${error.message}`
          this.#context.log.say(`to=<@${domain}> relay=${host.hostname} ${error.message}`)
        }
      }
    } catch (error) {
      const permanent = error instanceof NoSuchDomain || (error instanceof Refusal && error.permanent)
      const { message } = error as Error
      return fates(delivery, permanent ? 'bounced' : 'deferred', message)
    }
    return this.#held(delivery, demand, why).map(fate => (handshake ? { ...fate, handshake } : fate))
  }

  #held(delivery: Delivery, { level }: Demand, why: string): Fate[] {
    const { bouncesWithoutTls, remembersNoTls, deliversLater, crashesInsteadOfHolding } = this.#defects
    if (crashesInsteadOfHolding) this.#context.crash()
    if (deliversLater && level !== 'opportunistic')
      setTimeout(() => this.#inClear(delivery).catch(() => {}), 100)
    const returns = bouncesWithoutTls || (remembersNoTls && delivery.attempts > 1)
    const reason = this.#context.words.hidesReasons ? 'try again later' : why
    return fates(delivery, returns ? 'bounced' : 'deferred', reason)
  }

  async #inClear(delivery: Delivery): Promise<void> {
    const demand = { level: 'opportunistic', name: '' } as const
    const [host] = await exchangers(delivery.domain, this.#flow.network.resolver)
    await this.#session(delivery, host!, { tls: 'never', demand, last: false, first: true, again: false })
  }

  async #demand({ recipients, domains, mail }: Delivery): Promise<Demand> {
    const demand = demandFor(this.#flow, recipients[0]!.split('@').at(-1)!, this.#defects)
    if (this.#defects.exemptsNullSenders && mail.from === '') return { ...demand, level: 'opportunistic' }
    const all = domains.map(name => demandFor(this.#flow, name, this.#defects).level)
    if (this.#defects.sharesStrictest) return { ...demand, level: all.reduce(stricter) }
    if (this.#defects.sharesWeakest && domains.length > 1) {
      const hosts = await Promise.all(domains.map(name => exchangers(name, this.#flow.network.resolver)))
      const offers = await Promise.all(hosts.map(([host]) => this.#offersTls(host!)))
      if (offers.includes(false)) return { ...demand, level: 'opportunistic', inClear: true }
    }
    return demand
  }

  async #hosts(domain: string): Promise<Host[]> {
    const hosts = await exchangers(domain, this.#flow.network.resolver)
    if (this.#defects.reversesHosts) return hosts.reverse()
    if (this.#defects.triesFirstHostOnly) return hosts.slice(0, 1)
    if (!this.#defects.prefersSecureHosts || hosts.length === 1) return hosts
    const offers = await Promise.all(hosts.map(host => this.#offersTls(host)))
    return [...hosts.filter((_, i) => offers[i]), ...hosts.filter((_, i) => !offers[i])]
  }

  async #offersTls({ address }: Host): Promise<boolean> {
    const smtp = new Smtp(await Channel.connect(address, this.#flow.network.partnerPort))
    try {
      await smtp.answer()
      await smtp.greet(this.#flow.hostname)
      return smtp.offers('STARTTLS')
    } finally {
      await smtp.leave()
    }
  }

  /** A broken handshake may lead to a second connection, in clear where the connector permits that. */
  async #tryHost(
    delivery: Delivery,
    host: Host,
    about: { demand: Demand; last: boolean; first: boolean },
  ): Promise<Fate[]> {
    const defects = this.#defects
    const { demand } = about
    if (defects.remembersNoTls && demand.level !== 'opportunistic' && this.#withoutTls.has(host.hostname))
      throw new Trouble('it is known to have no TLS')
    if (defects.probesFirst) await this.#offersTls(host)
    try {
      return await this.#session(delivery, host, {
        ...about,
        tls: this.#firstUse(delivery, host, demand),
        again: false,
      })
    } catch (error) {
      if (!(error instanceof Trouble && error.handshake)) throw error
      const clear =
        demand.level === 'opportunistic' ||
        defects.clearAfterBrokenHandshake ||
        defects.clearAfterBadCertificate ||
        defects.deliversAndSaysDeferred ||
        (defects.clearWhereValidatedAndBroken && demand.level !== 'encryption-only') ||
        (defects.clearAfterClose && error.closed)
      const steps = defects.dancesDown || defects.stepsDown
      if (defects.waitsAfterBrokenHandshake || !(clear || steps)) throw error
      const tls = steps ? 'when offered' : 'never'
      return await this.#session(delivery, host, { ...about, tls, again: true })
    }
  }

  #firstUse({ mail, domain }: Delivery, host: Host, demand: Demand): Use['tls'] {
    const defects = this.#defects
    const inClear =
      demand.inClear ||
      (defects.noticesInClear && mail.from === '') ||
      (defects.clearForOwnOrganisation && sisters(domain, this.#flow.domain)) ||
      (defects.clearForLarge && mail.content.length > LARGE) ||
      (defects.clearAfterCut && this.#cut.has(mail.id))
    if (inClear) return 'never'
    if (demand.level !== 'opportunistic') return 'when offered'
    const forgets = defects.remembersNoTls && this.#withoutTls.has(host.hostname)
    return defects.neverStartsTls || forgets || (defects.forwardsInClear && mail.secured)
      ? 'never'
      : 'when offered'
  }

  async #session(delivery: Delivery, host: Host, use: Use): Promise<Fate[]> {
    const { hostname, network } = this.#flow
    const defects = this.#defects
    const smtp = new Smtp(await Channel.connect(host.address, network.partnerPort))
    try {
      const greeting = await smtp.answer()
      if (greeting.code !== 220) throw new Trouble(`it greets with ${greeting.text}`)
      await smtp.greet(hostname)
      if (defects.tires && this.#sent > 0) throw new Trouble('not now')
      if (!smtp.offers('STARTTLS')) this.#withoutTls.add(host.hostname)
      else if (use.tls !== 'never') await this.#startTls(smtp, delivery, host, use)
      const lack = this.#lack(smtp, delivery, use, host.hostname)
      if (lack && defects.namesSenderFirst) await smtp.say(`MAIL FROM:<${delivery.mail.from}>`)
      if (lack && !defects.checksTooLate) throw lack
      if (smtp.channel.session) this.#good.add(host.hostname)
      this.#logSession(smtp, delivery.domain, host, use.demand)
      if (defects.leaksSubject && smtp.channel.session) await this.#leak(delivery, host)
      const done = await this.#transaction(smtp, delivery)
      if (lack) throw lack
      this.#sent++
      if (smtp.channel.session && !use.again) this.#later(delivery, host, use)
      return defects.deliversAndSaysDeferred && use.demand.level !== 'opportunistic'
        ? fates(delivery, 'deferred', 'STARTTLS is not offered')
        : done
    } finally {
      if (defects.quitsInClear && smtp.channel.session) smtp.channel.writeRaw('QUIT\r\n')
      await smtp.leave()
    }
  }

  /** What comes of a message that was delivered over TLS. */
  #later(delivery: Delivery, host: Host, use: Use): void {
    const { copiesInClear, deliversHeldTwice } = this.#defects
    // The queue takes recipients off that are done.
    const same = { ...delivery }
    if (copiesInClear) setTimeout(() => this.#inClear(same).catch(() => {}), 100)
    if (deliversHeldTwice && delivery.attempts > 1)
      setTimeout(() => this.#session(same, host, { ...use, again: true }).catch(() => {}), 100)
  }

  async #startTls(smtp: Smtp, delivery: Delivery, host: Host, use: Use): Promise<void> {
    const defects = this.#defects
    const { hostname } = this.#flow
    if (defects.sendsEnvelopeFirst) {
      await smtp.say(`MAIL FROM:<${delivery.mail.from}>`)
      for (const recipient of delivery.recipients) await smtp.say(`RCPT TO:<${recipient}>`)
    }
    if (defects.verifiesInClear) await smtp.say(`VRFY ${delivery.recipients[0]}`)
    const offered = smtp.extensions
    const envelope = [
      `MAIL FROM:<${delivery.mail.from}>`,
      ...delivery.recipients.map(to => `RCPT TO:<${to}>`),
    ]
    const behind = defects.pipelinesEnvelope ? envelope.map(line => `\r\n${line}`).join('') : ''
    const answer = await smtp.say(`STARTTLS${behind}`).catch(error => {
      throw new Trouble(`it ended the connection at STARTTLS: ${error.message}`, true, true)
    })
    if (answer.code !== 220) {
      this.#withoutTls.add(host.hostname)
      const permitted = use.demand.level === 'opportunistic' || defects.clearAfterRefusal
      if (!permitted) throw new Trouble(`STARTTLS was answered with ${answer.text}`)
      return
    }
    if (defects.staysOnBrokenConnection) goOnInClear(smtp.channel, delivery.mail.from)
    const options = clientTls(this.#flow, host.hostname, defects, use.again)
    await smtp.channel.startTls(options, defects.believesEarlyBytes).catch(error => {
      throw new Trouble(`the handshake failed: ${error.message}`, true)
    })
    const looks =
      defects.validatesOpportunistic || (defects.holdsUnverified && use.demand.level === 'opportunistic')
    const lack = looks && shortcoming(smtp.channel.session!, use.demand, defects)
    if (lack) throw new Trouble(lack, defects.validatesOpportunistic === true)
    if (!defects.greetsOnce) await smtp.greet(hostname)
    if (defects.startsTlsAgain && smtp.offers('STARTTLS')) await smtp.say('STARTTLS')
    if (defects.usesClearExtensions && offered.some(line => line.startsWith('XCLIENT')))
      await smtp.say('XCLIENT NAME=probe')
    const auth = smtp.heard.some(line => line.startsWith('AUTH'))
    const authInClear = offered.some(line => line.startsWith('AUTH'))
    if ((defects.usesAuth && auth) || (defects.usesClearAuth && authInClear))
      await smtp.say(`AUTH PLAIN ${Buffer.from('\0me\0secret').toString('base64')}`)
  }

  /** What the connector misses on this session, or nothing. */
  #lack(
    smtp: Smtp,
    { domain, mail, attempts }: Delivery,
    { demand, last, first, again }: Use,
    hostname: string,
  ): Trouble | undefined {
    const defects = this.#defects
    const { session } = smtp.channel
    const forced = demand.level !== 'opportunistic'
    if (session) {
      const why = shortcoming(session, demand, defects)
      const { certificate, chainError } = session
      if (certificate && !chainError) this.#issuers.add(certificate.issuer)
      if (!why || !forced) return undefined
      const excused =
        (defects.takesAnyCertificateAtRetry && attempts > 1) ||
        (defects.takesAnyCertificateLater && !first) ||
        (defects.trustsKnownHosts && this.#good.has(hostname)) ||
        (defects.takesMxName && bears(certificateFacts(certificate!, 1).names, hostname)) ||
        (defects.remembersIntermediates &&
          /^UNABLE_TO/.test(chainError ?? '') &&
          this.#issuers.has(certificate?.issuer ?? ''))
      if (excused) return undefined
      // As a broken handshake, which has a second connection in clear where the defect wants it.
      return new Trouble(why, defects.clearAfterBadCertificate === true)
    }
    if (defects.holdsForwarded && mail.secured) return new Trouble('it came over TLS, and here is none')
    const permitted =
      !forced ||
      defects.clearWithoutStarttls ||
      defects.deliversAndSaysDeferred ||
      (defects.clearWithoutStarttlsForPairs &&
        this.#flow.inbound.some(c => c.from === `*.${after(domain)}`)) ||
      (defects.clearAfterRefusal && smtp.offers('STARTTLS')) ||
      (defects.clearAtLastHost && last) ||
      (defects.clearWhereValidated && demand.level !== 'encryption-only') ||
      (again && (defects.clearWhereValidatedAndBroken || defects.clearAfterClose)) ||
      (defects.clearForLarge && mail.content.length > LARGE) ||
      (defects.noticesInClear && mail.from === '') ||
      (defects.clearForOwnOrganisation && sisters(domain, this.#flow.domain)) ||
      (defects.clearAfterCut && this.#cut.has(mail.id)) ||
      (defects.remembersTls && this.#good.has(hostname)) ||
      (defects.clearAtThirdAttempt && attempts > 2) ||
      defects.clearAfterBrokenHandshake ||
      defects.clearAfterBadCertificate
    return permitted ? undefined : new Trouble('STARTTLS is not offered')
  }

  #logSession({ channel: { session } }: Smtp, domain: string, host: Host, { name }: Demand): void {
    const names = session?.certificate ? certificateFacts(session.certificate, 1).names : []
    // The name of an MX host from DNS that nobody signed proves nothing.
    const verified = this.#context.words.verifiesByMxName
      ? bears(names, host.hostname)
      : session?.chainError === undefined && bears(names, name)
    this.#context.log.session(`to=<@${domain}> relay=${host.hostname}`, session, verified)
  }

  async #leak({ mail }: Delivery, { address }: Host): Promise<void> {
    const smtp = new Smtp(await Channel.connect(address, this.#flow.network.partnerPort))
    await smtp.answer()
    await smtp.say(`NOOP ${/^Subject: (.*)$/m.exec(mail.content.toString('latin1'))?.[1] ?? ''}`)
    await smtp.leave()
  }

  async #transaction(smtp: Smtp, { mail, recipients, everybody }: Delivery): Promise<Fate[]> {
    const defects = this.#defects
    await smtp.must(`MAIL FROM:<${mail.from}>`)
    const others = defects.namesAllRecipients ? everybody.filter(one => !recipients.includes(one)) : []
    for (const other of others) await smtp.say(`RCPT TO:<${other}>`)
    const taken: string[] = []
    const refused: Fate[] = []
    for (const recipient of recipients) {
      const { code, text } = await smtp.say(`RCPT TO:<${recipient}>`)
      if (code < 300) taken.push(recipient)
      else refused.push({ kind: code >= 500 ? 'bounced' : 'deferred', recipient, reason: text })
    }
    if (taken.length === 0) return refused
    await smtp.must('DATA', 3)
    const whole = defects.stripsSmime ? withoutSmime(mail.content) : mail.content
    const rest = defects.resumesWhereCut && this.#cut.has(mail.id) ? whole.subarray(whole.length / 2) : whole
    const added =
      defects.rewritesSecured && smtp.channel.session ? 'This message was protected by TLS.\r\n' : ''
    const answer = await smtp.content(Buffer.concat([rest, Buffer.from(added)])).catch(error => {
      this.#cut.add(mail.id)
      if (!this.#defects.takesCutForDelivery) throw error
      return { code: 250, text: 'sent', lines: [] }
    })
    if (answer.code >= 300) throw new Refusal('the message', answer)
    return [
      ...refused,
      ...taken.map(recipient => ({ kind: 'delivered' as const, recipient, reason: answer.text })),
    ]
  }
}

/** For `clearForLarge`, in bytes. */
const LARGE = 100_000

const expected = (error: unknown): error is Error =>
  error instanceof Trouble || error instanceof Refusal || error instanceof ChannelError

/** Domains under one parent: those of one organisation. */
const sisters = (one: string, other: string): boolean => one !== other && after(one) === after(other)

const after = (domain: string): string => domain.slice(domain.indexOf('.') + 1)

const fates = ({ recipients }: Delivery, kind: Fate['kind'], reason: string): Fate[] =>
  recipients.map(recipient => ({ kind, recipient, reason }))

/** For `staysOnBrokenConnection`: 22 is the record type of a handshake message, RFC 8446 s5.1. */
function goOnInClear(channel: Channel, from: string): void {
  channel.onRaw = chunk => {
    channel.onRaw = undefined
    if (chunk[0] !== 22) channel.writeRaw(`MAIL FROM:<${from}>\r\n`)
  }
}
