import { World } from '@cucumber/cucumber'
import type { Handover } from '../support/evidence/handover.ts'
import type { Message } from '../support/evidence/mail.ts'
import type { Strength } from '../support/evidence/offer.ts'
import type { PassedOn, Sent } from '../support/evidence/sent.ts'
import type { Session } from '../support/evidence/session.ts'
import { type Arrivals, type MailStream, telling } from '../support/evidence/stream.ts'
import type { Gateway } from '../support/gateway/gateway.ts'
import type { Login } from '../support/judgements/session.ts'
import type { PartnerOptions } from '../support/lab/lab.ts'
import { type Mailbox, partnerMailbox } from '../support/lab/mailbox/mailbox.ts'
import type { Partner } from '../support/lab/partner/partner.ts'
import type { Capability } from '../support/mailflow/capabilities.ts'
import { CHANGES, type Change, type ChangeName } from '../support/mailflow/changes.ts'
import { decisive, type MailFlow } from '../support/mailflow/mail-flow.ts'
import { type LateMail, StandingMessages } from '../support/run/aftermath.ts'
import { currentRun } from '../support/run/current.ts'
import type { RuleExample } from '../support/run/example.ts'
import type { Run } from '../support/run/run.ts'
import type { WatchedMessage } from '../support/traffic/sending.ts'
import type { ClientSession } from '../support/traffic/session.ts'
import type { Secret } from '../support/traffic/smime.ts'
import { all, type Observation, unclear } from '../support/verdicts/observation.ts'
import type { Judged } from '../support/verdicts/verdict.ts'
import { type Conversation, snapshotOf } from '../support/wire/conversation.ts'
import type { InMailbox } from './act.ts'
import { DryRun, Inapplicable, NonConformant } from './outcome.ts'
import { Intent } from './vocabulary/intent.ts'
import type { Copy, Subjects } from './vocabulary/subjects.ts'

/** One example: what it asks for (Given), what happened (When) and what was seen (Then). */
export class MailWorld extends World {
  located!: RuleExample
  key = ''
  /** The gateway is judged as a sender, by what it sends. */
  sends = false
  began = 0

  // Given
  readonly intent = new Intent<Subjects>()

  // When
  watched: WatchedMessage[] = []
  handover: Handover | undefined
  /** What the mailbox held of the delivered message; absent where nobody can look into one. */
  arrived: InMailbox | undefined
  readonly clientSessions: ClientSession[] = []
  /** The command of the client whose reply is judged. */
  command = ''
  readonly logins: Login[] = []
  strengths: Strength[] = []
  /** The partner at which the author of a message is, so that a notification is seen. */
  author: Partner | undefined
  /** A message to the author after the gateway has given up. */
  laterToAuthor: Sent | undefined
  secret: Secret | undefined
  passedOn: PassedOn | undefined
  /** The gateway took the mail of others afterwards. */
  alive = true
  copies: readonly Copy[] = []
  /** Extensions that the partner offered before TLS and not inside TLS. */
  extensionsBeforeTlsOnly: readonly string[] = []
  /** What the partner sent unencrypted behind its go-ahead. */
  injectedByPartner: 'reply' | 'line' | undefined
  stream: MailStream | undefined
  arrivals: Arrivals | undefined
  #gatewaySeen: Gateway | undefined
  #another: Promise<Gateway> | undefined
  readonly #taps: Partner[] = []
  /** Both servers of a pair, in the direction in which mail went. */
  #pairName = ''
  #behind: Partner | undefined
  #gateway: Promise<Gateway> | undefined
  #secondServer: Promise<Gateway> | undefined
  readonly #leavePaths: (() => void)[] = []

  // Then
  readonly observations: Observation[] = []
  verdict: Judged | undefined
  readonly conversations: Conversation[] = []
  readonly notes: string[] = []
  readonly #partners: Partner[] = []
  readonly #standing = new StandingMessages()
  acted = false
  /** In a dry run: the next step is not to be run, nor any after it. */
  ends = false

  get run(): Run {
    const run = currentRun()
    if (!run) throw new Error('there is no run: the steps were loaded without their hooks')
    return run
  }

  get flow(): MailFlow {
    return this.run.flow
  }

  /** The gateway under test; the same throughout an example, also when it ends meanwhile. */
  async gateway(): Promise<Gateway> {
    this.#notInDryRun()
    const { alone, gateways } = this.run
    this.#gateway ??= alone ? gateways.ofOwn(this.#changes()) : gateways.with(this.#changes())
    this.#gatewaySeen = await this.#gateway
    return this.#gatewaySeen
  }

  /** The gateway under test, for an example that changes it: no other example has it. */
  gatewayOfOwn(): Promise<Gateway> {
    this.#notInDryRun()
    this.#gateway ??= this.run.gateways.ofOwn(this.#changes())
    return this.gateway()
  }

  /** Another server of the gateway's domain. */
  anotherGateway(): Promise<Gateway> {
    this.#another ??= this.run.gateways.ofOwn(this.#changes())
    return this.#another
  }

  #changes(): Change[] {
    return [...(this.intent.read('gateway', 'changes').changes ?? [])].map(name => CHANGES[name])
  }

  /** The gateway that the example had to do with. */
  get gatewaySeen(): Gateway {
    if (!this.#gatewaySeen) throw new Error('the example had nothing to do with the gateway')
    return this.#gatewaySeen
  }

  #notInDryRun(): void {
    if (this.run.plan) throw new DryRun()
  }

  /** All servers that the example had to do with, as far as they came up: those under test, and the second server. */
  async servers(): Promise<{ tested: Gateway[]; all: Gateway[] }> {
    const up = async (...servers: (Promise<Gateway> | undefined)[]) =>
      (await Promise.all(servers.map(server => server?.catch(() => undefined)))).filter(
        server => server !== undefined,
      )
    const tested = await up(this.#gateway, this.#another)
    return { tested, all: [...tested, ...(await up(this.#secondServer))] }
  }

  /** The gateway and the second server. */
  async pair(): Promise<{ gateway: Gateway; second: Gateway }> {
    const [gateway, second] = await Promise.all([this.gateway(), this.secondServer()])
    return { gateway, second }
  }

  /** The same throughout an example. */
  async secondServer(): Promise<Gateway> {
    this.#notInDryRun()
    const { kind } = this.intent.read('secondServer', 'kind')
    if (!kind) throw new Error('no Given says of which kind the second server is')
    this.#secondServer ??= this.run.gateways.secondServer(kind)
    return this.#secondServer
  }

  /** The other side of the gateway is a second server, not a partner or a client that the suite plays. */
  get withSecondServer(): boolean {
    return this.#secondServer !== undefined
  }

  /** From here on until the example is over, mail for the domain of a gateway goes the way that it says. */
  async takePathTo({ flow }: Gateway): Promise<void> {
    this.#leavePaths.push(await this.run.paths.take(flow.domain))
  }

  /** Where mail that the gateway has taken ends up. Absent where nobody can look into one. */
  get mailbox(): Mailbox | undefined {
    return this.#behind ? partnerMailbox(this.#behind) : this.run.mailbox
  }

  /** Notes what was seen of the path, and who was at its ends. */
  passed({ tap, inbox, names }: { tap: Partner; inbox: Partner; names: readonly [string, string] }): void {
    this.#taps.push(tap)
    this.#behind = inbox
    this.#pairName = `${names.join(this.#taps.length > 1 ? ' and ' : ' to ')}: `
    this.acted = true
  }

  /** Hands out partners, all or none; they go back when the example is over. */
  async partners(options: readonly PartnerOptions[]): Promise<Partner[]> {
    this.#notInDryRun()
    const made = await this.run.lab.partners(
      options.map(one => ({ ...one, names: this.#expected(one.domain) })),
    )
    this.#partners.push(...made)
    return made
  }

  /** What the gateway expects in the partner's certificate in place of the recipient's domain. */
  #expected(domain: string): string[] {
    const name = decisive(this.flow.outbound, domain)?.tlsDomain
    return name === undefined || name.startsWith('*.') ? [] : [name]
  }

  async partner(options: PartnerOptions): Promise<Partner> {
    return (await this.partners([options]))[0]!
  }

  /** Notes how messages stand before any judgement: what comes from now on is late. */
  settled(watched: readonly WatchedMessage[], flow: MailFlow = this.flow): void {
    this.#standing.note(watched, flow, { external: this.run.gateways.source.kind === 'external' })
  }

  /** The example is over: partners go back to the lab, and mail takes its usual path again. */
  release(): void {
    for (const leave of this.#leavePaths) leave()
    for (const partner of this.#partners) this.run.lab.release(partner)
  }

  /** Others may have the second server. */
  async dismiss(): Promise<void> {
    const second = await this.#secondServer?.catch(() => undefined)
    this.#secondServer = undefined
    if (second) await this.run.gateways.giveBack(second)
  }

  /** Room for so many mail exchangers of partners at once. */
  needsRoom(count: number): void {
    const { room } = this.run.lab
    if (count > room)
      throw new Inapplicable(
        `${count} mail exchangers at a time are needed, and a gateway that the suite did not set up finds ${room || 'none'}`,
      )
  }

  needs(capability: Capability): void {
    const why = this.run.gateways.lacks(capability)
    if (why) throw new Inapplicable(why)
  }

  /** The gateway is told something otherwise than usual. */
  change(name: ChangeName): void {
    const { source } = this.run.gateways
    const change: Change = CHANGES[name]
    if (change.needs) this.needs(change.needs)
    if (source.kind === 'external')
      throw new Inapplicable('the suite cannot reconfigure a gateway that it did not start')
    const why = source.refuses?.(change)
    if (why) throw new Inapplicable(why)
    this.intent.add('gateway', { changes: new Set([name]) })
  }

  /** Judges one observation; the first that is not kept ends the example. */
  conclude(seen: Observation): 'skipped' | undefined {
    // What is kept must be known of every connection.
    const partners = [...this.watched.map(({ partner }) => partner), ...this.#taps]
    const flooded = seen.kind === 'kept' && partners.some(one => one.flooded)
    const observation = flooded ? unclear('there was more than is served or kept of one partner') : seen
    this.observations.push(observation)
    // What a refusal is worth is known at the end: what is broken counts whatever became of the control.
    if (observation.kind === 'kept') return undefined
    const verdict = this.#judged(observation)
    this.verdict = verdict
    if (verdict.verdict === 'non-conformant') throw new NonConformant(verdict.detail)
    this.log(`${verdict.verdict}: ${verdict.detail}`)
    return 'skipped'
  }

  /** The verdict of the whole example, once its steps are done. */
  conclusion(): Judged {
    if (this.verdict) return this.verdict
    if (!this.acted) throw new Error('nothing happened in this example: it has no When')
    if (this.observations.length === 0) throw new Error('nobody concluded anything from what happened')
    return this.#judged(all(...this.observations))
  }

  /** The sentence about Givens that nothing has acted upon, once the example has acted; nothing where there are none. */
  neverActedUpon(): string | undefined {
    const { unread } = this.intent
    const untold =
      this.verdict && ['inapplicable', 'inconclusive', 'lab-error'].includes(this.verdict.verdict)
    if (untold || unread.length === 0) return undefined
    return `nothing acted upon ${unread.map(one => `"${one}"`).join(' and ')}`
  }

  #judged(observation: Observation): Judged {
    const judged = this.run.record.judge(this.located, observation)
    return { ...judged, detail: `${this.#pairName}${judged.detail}` }
  }

  /** What may still come of messages that must be held back, or that arrived over TLS, and did. */
  late(): LateMail | undefined {
    return this.#standing.late({
      inbox: this.#behind,
      between: this.#pairName,
      evidence: () => this.evidence(),
      giveBack: this.#secondServer && (() => this.dismiss()),
    })
  }

  /** All conversations of the example in their order, each once. */
  evidence(): Conversation[] {
    const all = [
      ...this.sent.flatMap(({ submission, conversations }) => [
        ...(submission ? [submission] : []),
        ...conversations,
      ]),
      ...(this.handover?.conversations ?? []),
      ...(this.stream ? telling(this.stream, this.#wentWrong) : []),
      ...(this.passedOn?.conversations ?? []),
      ...(this.author?.conversations ?? []),
      ...this.#taps.flatMap(({ conversations }) => conversations),
      ...this.clientSessions.map(client => client.seen().conversation),
      ...this.conversations,
      // Of an example that was broken off.
      ...(this.verdict?.verdict === 'lab-error' ? this.#partners.flatMap(one => one.conversations) : []),
    ]
    // Several of these may have seen the same connection.
    const once = new Map(all.toReversed().map(one => [one.id, one]))
    return all.filter(one => once.get(one.id) === one).map(snapshotOf)
  }

  /** Messages of the stream that did not arrive as they should. */
  get #wentWrong(): Message[] {
    if (!this.stream || !this.arrivals) return []
    const { missing, doubled, queued } = this.arrivals
    return [...this.stream.neverAccepted, ...missing, ...doubled, ...queued]
  }

  /** The message of an example. */
  get only(): Sent {
    const watched = this.watched.at(-1)
    if (!watched) throw new Error('no message was sent')
    return watched.seen()
  }

  /** What was seen of each message so far. */
  get sent(): Sent[] {
    return this.watched.map(one => one.seen())
  }

  /** What was seen of the client's session. */
  get session(): Session {
    const client = this.clientSessions.at(-1)
    if (!client) throw new Error('there was no session')
    return client.seen()
  }

  get delivered(): Handover {
    if (!this.handover) throw new Error('no message was delivered')
    return this.handover
  }

  /**
   * Judges the wire of the example. Where the partner's address had mail for others before, a connection that names
   * nobody may be a retry of that: what is seen only with it is unclear.
   */
  concludeOnWire(judgement: (wire: readonly Conversation[]) => Observation): 'skipped' | undefined {
    const { wire } = this
    const seen = judgement(wire)
    const shared = this.watched.filter(({ partner }) => partner.shared)
    if (seen.kind !== 'broken' || shared.length === 0) return this.conclude(seen)
    const sure = wire.filter(one => shared.some(({ partner }) => partner.isNamedIn(one)))
    if (sure.length === wire.length || judgement(sure).kind === 'broken') return this.conclude(seen)
    return this.conclude(
      unclear(`${seen.detail}; but one may be a retry of earlier mail, at the same address`),
    )
  }

  /** Everything between the gateway and the partner in this example. */
  get wire(): readonly Conversation[] {
    return this.watched.length > 0
      ? this.sent.flatMap(({ conversations }) => conversations)
      : this.delivered.conversations
  }
}
