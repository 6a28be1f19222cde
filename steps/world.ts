import { World } from '@cucumber/cucumber'
import { placeOf } from '../support/catalogue/features.ts'
import { isPartOf, patchOf } from '../support/circumstances/dimensions.ts'
import { isMeantFor } from '../support/evidence/sent.ts'
import { isExternal } from '../support/gateway/external.ts'
import type { PartnerManner } from '../support/lab/partner/partner-manner.ts'
import type { Capability } from '../support/mailflow/capabilities.ts'
import { CHANGES, type Change, type ChangeName } from '../support/mailflow/changes.ts'
import type { MailFlow, OutboundConnector, ServiceText } from '../support/mailflow/mail-flow.ts'
import { currentRun } from '../support/run/current.ts'
import type { RuleExample } from '../support/run/example.ts'
import type { LateMail } from '../support/run/late-mail.ts'
import type { Run } from '../support/run/run.ts'
import type { ClientManner } from '../support/traffic/client-manner.ts'
import type { MessageManner } from '../support/traffic/message.ts'
import type { SentBefore } from '../support/traffic/sent-before.ts'
import { all, type Observation, unclear, withoutLack } from '../support/verdicts/observation.ts'
import { isDecided, type Judged } from '../support/verdicts/verdict.ts'
import type { Conversation } from '../support/wire/conversation.ts'
import { Happened } from './happened.ts'
import { Inapplicable, NO_MAILBOX, NonConformant } from './outcome.ts'
import { Servers } from './servers.ts'
import { Intent } from './vocabulary/intent.ts'
import type { Subjects } from './vocabulary/subjects.ts'

/** A change by which the gateway does nothing else with its first attempt. */
const SHORT_LIFE: ChangeName = 'gives up after 3 attempts'

/** How client, partner and message differ from the plain ones, and what was before. */
interface Manners {
  client: ClientManner
  partner: PartnerManner
  message: MessageManner
  before: { mail?: SentBefore }
}

/**
 * One example: what its Givens ask for (`intent`), the servers that it has to do with (`servers`), what happened
 * (`happened`), and what is concluded from it.
 */
export class MailWorld extends World {
  example!: RuleExample
  /** The pattern of the connector that was chosen, if one was. */
  connector: string | undefined
  /** What the connector of a gateway file has to say about the status of certificates, if the example is about that. */
  status: OutboundConnector['status']
  /** What the gateway is judged as. */
  role: 'sender' | 'receiver' = 'receiver'
  /** Of the example, for the listener of the run. */
  key = ''
  /** When the example began, on the clock of `performance`. */
  began = 0
  /** In a dry run: the next step is not run, nor any after it. */
  ends = false
  /** Not where the time of the run was over before the example. */
  begins = true
  readonly intent = new Intent<Subjects>()
  readonly happened = new Happened()
  verdict: Judged | undefined
  readonly #observations: Observation[] = []
  readonly #came: Manners = { client: {}, partner: {}, message: {}, before: {} }
  #servers: Servers | undefined

  get run(): Run {
    const run = currentRun()
    if (!run) throw new Error('there is no run: the steps were loaded without their hooks')
    return run
  }

  get servers(): Servers {
    this.#servers ??= new Servers(this.run, this.intent, this.role)
    return this.#servers
  }

  /** What must not matter to this example; empty in a plain run. */
  get manners(): Manners {
    const { message, partner, ...others }: Manners = patchOf(
      this.run.circumstances?.get(placeOf(this.example.rule)) ?? [],
    )
    const { size, ...small } = message
    const { size: _, ...withoutSize } = partner
    return {
      ...others,
      // A partner without SIZE announces no maximum.
      partner: partner.withholds === 'SIZE' ? withoutSize : partner,
      // A text that is empty has no size.
      message: size && message.text !== 'empty' ? { ...small, size } : small,
    }
  }

  /** Notes what of the circumstances really came about: a part of `manners` may not fit what the example is about. */
  comes<Part extends keyof Manners>(part: Part, manner: Manners[Part]): void {
    Object.assign(this.#came[part], manner)
  }

  /** The circumstances that came about; nothing in a plain run. */
  get held(): string[] | undefined {
    const combination = this.run.circumstances?.get(placeOf(this.example.rule))
    return combination?.filter(({ sets }) => isPartOf(sets, this.#came)).map(({ name }) => name)
  }

  /** What the gateway is told where no Given says otherwise. */
  get flow(): MailFlow {
    return this.run.flow
  }

  /** Room for so many mail exchangers of partners at once, or the example is inapplicable. */
  needsRoom(count: number): void {
    const { room } = this.run.lab
    if (count <= room) return
    this.needsRole('sender')
    const why =
      room > 1
        ? `names.partners of the gateway file has addresses for ${room}`
        : 'the gateway finds one; the key names of the gateway file would make it applicable'
    throw new Inapplicable(`${count} mail exchangers at a time are needed, and ${why}`)
  }

  /** The gateway is tested in this role, or the example is inapplicable: a Rule about one role may need the other too. */
  needsRole(role: 'sender' | 'receiver'): void {
    const untested = this.run.gateways.source.untested?.(role)
    if (untested) throw new Inapplicable(untested)
  }

  /** The suite knows for whom the gateway accepts mail, or the example is inapplicable. */
  needsRecipient(): void {
    const { recipientUnknown } = this.run.gateways.source
    if (recipientUnknown) throw new Inapplicable(recipientUnknown)
  }

  /** The suite can look into a mailbox, or the example is inapplicable. */
  needsMailbox(): void {
    const { source } = this.run.gateways
    if (isExternal(source) && !source.file.inbound?.mailbox) throw new Inapplicable(NO_MAILBOX)
  }

  /** The gateway has a capability, or the example is inapplicable. */
  needs(capability: Capability): void {
    const why = this.run.gateways.lacks(capability)
    if (why) throw new Inapplicable(why)
  }

  /** The gateway stands in for the service as one of these texts describes it, or the example is inapplicable. */
  needsService(texts: readonly ServiceText[]): void {
    const { service } = this.run.gateways.source
    if (service && texts.includes(service)) return
    throw new Inapplicable(
      service
        ? `this is about the service of ${texts.join(' or ')}`
        : `the gateway does not stand in for the service; mail-tls check --as ${texts.at(-1)} sets one up that does`,
    )
  }

  /** A handshake with TLS 1.0 or 1.1 alone must fail, or the example is inapplicable. */
  needsNoOldTls(): void {
    if (this.flow.minVersion === 'TLSv1')
      throw new Inapplicable('the text for which the gateway stands in has TLS 1.0 and TLS 1.1')
  }

  /** The gateway is told something otherwise than usual. */
  change(name: ChangeName): void {
    const { source } = this.run.gateways
    const change: Change = CHANGES[name]
    // Such a gateway is judged as it is.
    if (source.kind === 'external' && change.byOwner) return
    if (change.needs) this.needs(change.needs)
    // Its administrator has told it so, for the connectors of which the file says it.
    if (source.kind === 'external' && change.sets === 'status') {
      this.status = 'required'
      return
    }
    // Such a gateway is told at the time to give up.
    if ((source.kind === 'external' || source.expires) && change.needs === 'expiry') return
    const why = source.refuses?.(change)
    if (why) throw new Inapplicable(why)
    this.intent.add('gateway', { changes: new Set([name]) })
  }

  /** Judges one observation; the first that is not kept ends the example. */
  conclude(judged: Observation): 'skipped' | undefined {
    const seen = this.#unlessUnreached(judged)
    // What is kept must be known of every connection.
    const unknown = seen.kind === 'kept' && this.happened.flooded
    const observation = unknown ? unclear('there was more than is served or kept of one partner') : seen
    this.#observations.push(observation)
    // What a refusal is worth is known at the end: what is broken counts whatever became of the control.
    if (observation.kind === 'kept') return undefined
    const verdict = this.#judged(observation)
    this.verdict = verdict
    if (verdict.verdict === 'non-conformant') throw new NonConformant(verdict.detail)
    this.log(`${verdict.verdict}: ${verdict.detail}`)
    return 'skipped'
  }

  /**
   * A gateway that wanted to ask the authority of a certificate and did not reach it, though nothing in the example is in the way:
   * a firewall may be, so nothing is held against the gateway.
   */
  #unlessUnreached(seen: Observation): Observation {
    if (seen.kind !== 'broken' || this.intent.said('authority').some(path => path.startsWith('ways')))
      return seen
    const { web } = this.run.lab
    const [host] = this.happened.watched.flatMap(({ partner }) => web?.unreached?.(partner.domain) ?? [])
    return host === undefined
      ? seen
      : unclear(
          `${seen.detail}; but the gateway or its resolver asked for the address of ${host} and came to no web host of the suite, so a firewall may be between them`,
        )
  }

  /**
   * Judges the wire of the example. At an address that several partners use, one after another, a connection that names
   * nobody may be for somebody else, as long as it is open or where earlier mail may be tried again: what is seen only
   * with it is unclear.
   */
  async concludeOnWire(
    judgement: (wire: readonly Conversation[]) => Observation,
  ): Promise<'skipped' | undefined> {
    const { happened } = this
    const unassigned = () =>
      new Set(happened.watched.flatMap(({ partner }) => [...partner.unassigned].map(({ id }) => id)))
    if (unassigned().size > 0 && judgement(happened.wire).kind === 'broken')
      await Promise.all(happened.watched.map(one => one.connectionsEnd()))
    const { wire, sent } = happened
    const seen = judgement(wire)
    if (seen.kind !== 'broken') return this.conclude(seen)
    const retries = sent.some(({ partner }) => partner.shared)
    const open = unassigned()
    const sure = wire.filter(
      one => (!retries && !open.has(one.id)) || sent.some(({ partner }) => isMeantFor(partner, one)),
    )
    if (sure.length === wire.length || judgement(sure).kind === 'broken') return this.conclude(seen)
    const why = retries
      ? 'one may be a retry of earlier mail, at the same address'
      : 'one is still open and names no recipient, so it may be for somebody else'
    return this.conclude(unclear(`${seen.detail}; but ${why}`))
  }

  /** The verdict of the whole example, once its steps are done. */
  conclusion(): Judged {
    if (this.verdict && !isDecided(this.verdict)) return this.verdict
    if (!this.happened.acted) throw new Error('nothing happened in this example: it has no When')
    if (this.#observations.length === 0)
      throw new Error('nobody concluded anything from what happened in this example')
    const { unread } = this.intent
    if (unread.length > 0)
      throw new Error(`nothing acted upon ${unread.map(one => `"${one}"`).join(' and ')}`)
    return this.verdict ?? this.#judged(all(...this.#observations))
  }

  /**
   * Nothing is out of order: the gateway is told nothing special, and the other side does what others do. What a gateway
   * does not do then, it does nowhere.
   */
  get #allInOrder(): boolean {
    const { intent } = this
    return (
      !intent.said('gateway').some(path => path.startsWith('changes') && path !== `changes.${SHORT_LIFE}`) &&
      intent.said('partner').every(path => path === 'always.tls.maxVersion') &&
      intent.said('tap').length === 0
    )
  }

  #judged(observation: Observation): Judged {
    const special = !this.#allInOrder && this.example.control
    const seen = special ? withoutLack(observation) : observation
    const judged = this.run.record.judge(this.example, seen)
    return { ...judged, detail: `${this.happened.pairName}${judged.detail}` }
  }

  /** What becomes of the messages of the example afterwards; nothing where there is nothing to watch. */
  late(): LateMail | undefined {
    const { servers } = this
    return this.happened.late(servers.isAwaited ? () => servers.giveBack() : undefined)
  }

  /** All conversations of the example. */
  evidence(): Conversation[] {
    const brokenOff = this.verdict?.verdict === 'lab-error'
    return this.happened.evidence(brokenOff ? this.servers.conversations : [])
  }
}
