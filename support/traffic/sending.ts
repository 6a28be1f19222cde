import type { DeliveryEvent } from '../evidence/gateway-words.ts'
import { failureOf, type Message } from '../evidence/mail.ts'
import type { Arrival, Sent } from '../evidence/sent.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import type { Partner } from '../lab/partner/partner.ts'
import { type Conversation, type Party, snapshotOf } from '../wire/conversation.ts'
import { MAX_WAIT } from '../wire/patience.ts'
import { printable } from '../wire/printable.ts'
import { withALabels } from '../wire/smtp/a-labels.ts'
import { type ClientTls, WireError } from '../wire/smtp/smtp.ts'
import { until } from '../wire/until.ts'
import type { Submission } from './submit-message.ts'

/** Longest wait, for each attempt, until a copy arrives or the gateway says something about the message, in ms. */
const SIGN = 2 * MAX_WAIT
/** After so long without either, the lab looks into the gateway's queue, in ms. */
const SILENCE = 0.3 * MAX_WAIT
/** So many times longer than usual the lab waits where a gateway makes no connection, for this many of its messages. */
const MUCH_LONGER = 4
const LONG_WAITS = 4
/** How many such waits each gateway had. */
const longWaits = new WeakMap<Gateway, number>()
/** How long the suite waits for a word on a message that was given up before it looks into the queue, in ms. */
const LOOK = 0.1 * MAX_WAIT
/** How long connections that are open then may take to end, in ms. */
const REST = 0.5 * MAX_WAIT
/** The same where the gateway has kept connections open after a message so often, because it does so with all, in ms. */
const SHORT_REST = 0.03 * MAX_WAIT
const ENOUGH = 3

/** A gateway that tries again at once does so within this time, in ms. */
const AT_ONCE = 0.02 * MAX_WAIT

/** Gateways that came for a message after its partner had handed its addresses on. */
const comesAgain = new WeakSet<Gateway>()

/** How often in a row a gateway kept the connection of a message that had arrived. */
const keptOpen = new WeakMap<Gateway, number>()

export interface SendOptions {
  gateway: Gateway
  submission: Submission
  message: Message
  /** Handed to the gateway in place of `message`, which is what comes of it, such as a notification to the author. */
  cause?: Message
  /** The partner of each recipient domain. */
  partners: readonly Partner[]
  /** Deferred messages are tried again until so many attempts were made. */
  tries?: number
  /** At the last of these attempts the gateway gives up, where it has to be told so. */
  givesUp?: boolean
  /** What is done after the first attempt, before the second. */
  meanwhile?: () => Promise<void>
  /** Hands the message over inside TLS, on a connection of its own. */
  tls?: ClientTls
  /** Where the author of the message is, if somebody looks there for what comes back. */
  author?: Partner
  /** Where the partner is a tap: the mailbox behind the server on the far side of the tap. */
  inbox?: Partner
  /** Ids of the partner's conversations that are about other mail, before this message. */
  before?: ReadonlySet<string>
  /**
   * Hands the partner's addresses on, where others wait for them: the gateway is quiet, and no copy may come any more. What
   * comes unencrypted is still seen.
   */
  handOn?: () => void
  /** At which end of the partner's conversations the gateway under test is; default: it sends. */
  gatewayIs?: Party
}

/**
 * Hands a message to the gateway, waits until it is clear what becomes of each copy, and gives what was seen by then.
 * Throws GatewayFailure when the gateway ends by itself meanwhile.
 */
export async function send(options: SendOptions): Promise<Sent[]> {
  return (await sendAndWatch(options)).map(one => one.seen())
}

/** As `send`, but the copies can be looked at again later: a partner may get a message when nobody waits for it any more. */
export async function sendAndWatch(options: SendOptions): Promise<WatchedMessage[]> {
  const { partners, submission } = options
  const watched = partners.map(partner => new WatchedMessage(partner, options))
  const refused = (refusal: string) => {
    for (const one of watched) one.known.refusal = refusal
    return watched
  }
  try {
    const { reply, conversation } = await submission.submit(options.cause ?? options.message, options.tls)
    for (const one of watched) if (conversation) one.known.submission = conversation
    if (reply.code >= 300) return refused(reply.text)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return refused(error.message)
  }
  await Promise.all(watched.map(one => one.follow()))
  return watched
}

/** What is known of a message beside what its partner and its gateway have seen. */
type Known = Pick<Sent, 'heard' | 'attempts'> &
  Partial<Pick<Sent, 'submission' | 'refusal' | 'intercepted' | 'excuse' | 'quiet' | 'lost' | 'noConnection'>>

/** One message on its way to one partner. `seen` gives what was seen of it so far, as plain data. */
export class WatchedMessage {
  readonly partner: Partner
  readonly recipient: string
  readonly known: Known
  /** The same message on its way to its other recipients at the partner. What is known of one is known of all. */
  readonly copies: readonly WatchedMessage[]
  readonly #options: SendOptions
  /** The gateway was told to give the message up, and has it in its queue no more. */
  #hasLeft = false
  #handedOn = false
  /** How much the gateway had said before: that is about earlier messages to the same recipient. */
  readonly #before: number

  /** `recipients`: of the message, at this partner. */
  constructor(
    partner: Partner,
    options: SendOptions,
    recipients: readonly string[] = options.message.to.filter(to => partner.expects(to)),
    known: Known = { heard: false, attempts: 1 },
  ) {
    const [recipient, ...others] = recipients
    this.partner = partner
    this.recipient = recipient!
    this.known = known
    this.#options = options
    this.#before = options.gateway.events.length
    this.copies = others.map(other => new WatchedMessage(partner, options, [other], known))
  }

  seen(): Sent {
    const { known, recipient, partner, conversations, deliveryEvents, copies } = this
    const { submission, ...rest } = known
    return {
      ...rest,
      message: this.#options.message,
      recipient,
      partner: partner.seen,
      arrivals: this.arrivals.map(arrival => ({ ...arrival })),
      conversations: conversations.map(snapshotOf),
      deliveryEvents: [...deliveryEvents],
      ...(submission ? { submission: snapshotOf(submission) } : {}),
      ...(copies.length > 0 ? { copies: copies.map(one => one.seen()) } : {}),
    }
  }

  get arrivals(): readonly Arrival[] {
    return this.#options.inbox ? this.#behind(this.#options.inbox) : this.#copies()
  }

  /** Of a tap, the conversations with the second server are left out. */
  get conversations(): readonly Conversation[] {
    const { gatewayIs = 'sender', before } = this.#options
    return this.partner.conversations.filter(one => one.gatewayIs === gatewayIs && !before?.has(one.id))
  }

  get deliveryEvents(): readonly DeliveryEvent[] {
    const recipient = this.recipient.toLowerCase()
    return [
      ...this.#options.gateway.events
        .slice(this.#before)
        .filter(event => withALabels(event.recipient).toLowerCase() === recipient),
      ...this.#returned(),
      ...(this.#hasLeft ? [{ kind: 'bounced' as const, recipient, reason: 'it left the queue' }] : []),
    ]
  }

  /** What came back to the author is a word of the gateway on the message, where it has no other. */
  #returned(): DeliveryEvent[] {
    const { author, message } = this.#options
    const from = message.from.toLowerCase()
    const notices = author?.messages.filter(({ to }) => to.some(one => one.toLowerCase() === from)) ?? []
    return notices.flatMap(({ content }) => {
      const failure = failureOf(content, this.recipient)
      return failure === undefined
        ? []
        : [{ kind: 'bounced' as const, recipient: this.recipient, reason: printable(failure, 300) }]
    })
  }

  #copies(): readonly Arrival[] {
    const recipient = this.recipient.toLowerCase()
    return this.partner.messages.filter(
      ({ content, to }) =>
        content.includes(this.#options.message.token) && to.some(one => one.toLowerCase() === recipient),
    )
  }

  /** Copies that did not cross unencrypted came over TLS. Which copy is which cannot be seen: the last ones are called unencrypted. */
  #behind(inbox: Partner): readonly Arrival[] {
    const { recipient, partner } = this
    const { token } = this.#options.message
    const all = inbox.messages.filter(
      ({ content, to }) => content.includes(token) && to.some(one => haveSameMailbox(one, recipient)),
    )
    const inClear = this.conversations.filter(one => one.clear.fromSender.includes(token)).length
    return all.map((copy, i) => ({
      ...copy,
      to: [recipient],
      secured: i < all.length - inClear,
      host: partner.hosts[0]!.hostname,
      onwardSecured: copy.secured,
    }))
  }

  /** For each recipient at the partner. */
  get #all(): readonly WatchedMessage[] {
    return [this, ...this.copies]
  }

  /** The gateway says one thing for each attempt. */
  #isTold(expired: boolean): boolean {
    const { deliveryEvents, known } = this
    return expired
      ? deliveryEvents.some(({ kind }) => kind === 'bounced')
      : deliveryEvents.length >= known.attempts
  }

  #isKnown(expired = false): boolean {
    return this.arrivals.length > 0 || this.#isTold(expired)
  }

  /** Whether the gateway has a copy in its queue of which nothing is known; undefined where that cannot be said. */
  async #isInQueue(): Promise<boolean | undefined> {
    const silent = this.#all.filter(one => !one.#isKnown())
    const held = await Promise.all(
      (silent.length > 0 ? silent : [this]).map(({ recipient }) => this.#options.gateway.holds?.(recipient)),
    )
    return held.find(one => one !== false) ?? held[0]
  }

  /** It has not arrived, and the gateway says that it waits, or is quiet. */
  #isHeldBack(): boolean {
    const { arrivals, deliveryEvents, known } = this
    const last = this.#isTold(false) ? deliveryEvents.at(-1)?.kind : known.quiet !== undefined && 'deferred'
    return arrivals.length === 0 && last === 'deferred'
  }

  /** Waits until it is clear what becomes of the message. */
  async follow(): Promise<void> {
    const { partner, known } = this
    const { gateway, inbox, author, tries = 1, givesUp } = this.#options
    const sources = [partner, gateway, ...(inbox ? [inbox] : []), ...(author ? [author] : [])]
    let expired = false
    for (;;) {
      const told = () => this.#isTold(expired)
      const fault = () => gateway.end ?? gateway.fault
      const heard = () => this.#all.every(one => one.#isKnown(expired)) || fault() !== undefined
      const wait = (ms: number) => until(heard, sources, ms)
      if (expired && gateway.holds) known.heard = await this.#isGivenUp(wait)
      else if (gateway.settle === undefined) {
        known.heard = gateway.holds ? await this.#heardOrLost(wait) : await wait(gateway.patience ?? SIGN)
        if (!known.heard && !known.lost) known.heard = await this.#goesOn(wait)
        if (!known.heard && !known.lost) known.heard = await this.#comesLate(wait)
      } else {
        await this.#listen(gateway.settle, heard)
        if (known.quiet !== undefined && (await this.#isGone(wait))) this.#lose()
      }
      const end = fault()
      if (end) throw end
      // Without a return path nobody is told.
      if (expired && !told()) this.#hasLeft = (await gateway.holds?.(this.recipient)) === false
      if (expired && !told() && this.arrivals.length === 0)
        throw new GatewayFailure(`${gateway.name} was told to give up a message, and did not return it`)
      // The lab may hear what the gateway says before it hears what the partner saw.
      await partner.upToDate()
      const waits = this.#all.some(one => one.#isHeldBack())
      if (!known.heard || !waits || known.attempts >= tries) break
      if (known.attempts === 1) await this.#options.meanwhile?.()
      known.attempts++
      expired = givesUp === true && gateway.expire !== undefined && known.attempts === tries
      if (expired) {
        // What the queue shows now is known to have left it later.
        await gateway.holds?.(this.recipient)
        await gateway.expire!(this.recipient)
      } else await gateway.retry(partner.domain)
    }
    if (partner.misrouted) {
      known.excuse = partner.misrouted
      if (this.#handedOn) comesAgain.add(gateway)
    }
    await this.connectionsEnd()
  }

  /** Waits, for a bounded time, until no connection with the partner is open. */
  async connectionsEnd(): Promise<void> {
    const { partner } = this
    const { gateway } = this.#options
    const { conversations, unassigned } = partner
    const arrived = this.arrivals.length > 0
    const stayed = keptOpen.get(gateway) ?? 0
    const wait = arrived && stayed >= ENOUGH ? SHORT_REST : REST
    const ended = () => unassigned.size === 0 && conversations.every(({ closed }) => closed)
    const over = await until(ended, [partner], wait)
    if (arrived) keptOpen.set(gateway, over ? 0 : stayed + 1)
  }

  /** A message that is not in the gateway's queue any more, and of which the gateway said nothing, is lost. */
  async #heardOrLost(wait: (ms: number) => Promise<boolean>): Promise<boolean> {
    const { known } = this
    const { gateway } = this.#options
    if (await wait(SILENCE)) return true
    if ((await this.#isInQueue()) !== false) {
      // The gateway skips a message that its last attempt still locks, and does not say so.
      if (known.attempts > 1) await gateway.retry(this.partner.domain)
      return wait((gateway.patience ?? SIGN) - SILENCE)
    }
    // The gateway may have said something while the lab read the queue.
    if (await wait(SILENCE)) return true
    this.#lose()
    return false
  }

  /** The gateway says that it gives the message up, or the message leaves the queue: without a return path nobody is told. */
  async #isGivenUp(wait: (ms: number) => Promise<boolean>): Promise<boolean> {
    const { gateway } = this.#options
    const deadline = performance.now() + SIGN
    while (performance.now() < deadline) {
      if (await wait(LOOK)) return true
      if ((await gateway.holds!(this.recipient)) === false) return wait(LOOK)
    }
    return false
  }

  /** The message has left the queue, and what became of it is not said soon. */
  async #isGone(wait: (ms: number) => Promise<boolean>): Promise<boolean> {
    return (await this.#isInQueue()) === false && !(await wait(SILENCE))
  }

  #lose(): void {
    delete this.known.quiet
    Object.assign(this.known, { heard: false, lost: true })
  }

  /** A gateway for which the lab waits shorter than usual has the usual time while it is connected. */
  async #goesOn(wait: (ms: number) => Promise<boolean>): Promise<boolean> {
    const { patience = SIGN } = this.#options.gateway
    return this.conversations.some(({ closed }) => !closed) && wait(SIGN - patience)
  }

  /** A gateway that has made no connection for a message, and said nothing, may only be slow. */
  async #comesLate(wait: (ms: number) => Promise<boolean>): Promise<boolean> {
    const { gateway } = this.#options
    const waits = longWaits.get(gateway) ?? 0
    if (this.conversations.length > 0 || waits >= LONG_WAITS) return false
    longWaits.set(gateway, waits + 1)
    const usual = gateway.patience ?? SIGN
    const heard = await wait(MUCH_LONGER * usual)
    if (!heard && this.conversations.length === 0) this.known.noConnection = (1 + MUCH_LONGER) * usual
    return heard
  }

  /**
   * For a gateway that says nothing about its queue, or not all: when a session has ended and no other comes, the message is
   * held back. `heard`: it has arrived, or the gateway has said what becomes of it.
   */
  async #listen(settle: number, heard: () => boolean): Promise<void> {
    const { partner, known } = this
    const { gateway, author } = this.#options
    const sources = [partner, gateway, ...(author ? [author] : [])]
    // Connections of earlier attempts say nothing about this one.
    const before = new Set(known.attempts > 1 ? this.conversations : [])
    const current = () => {
      const [first, ...more] = this.conversations.filter(one => !before.has(one))
      // Where earlier mail may be tried again, a further connection counts once it says that it is for this partner.
      const own = partner.shared ? more.filter(one => partner.isNamedIn(one)) : more
      return first ? [first, ...own] : []
    }
    const ended = () => current().length > 0 && current().every(({ closed }) => closed)
    const sign = (ms: number) => until(() => heard() || ended(), sources, ms)
    delete known.quiet
    known.heard = (await sign(SIGN)) || (await this.#comesLate(sign))
    const deadline = performance.now() + SIGN + settle
    const endOf = new Map<Conversation, number>()
    const isNew = (conversation: Conversation) => !endOf.has(conversation)
    do {
      known.heard &&= await sign(SIGN)
      if (!known.heard || heard()) break
      for (const conversation of current().filter(isNew)) endOf.set(conversation, performance.now())
      // A connection that turns out to be about other mail is removed from the list, and does not count.
      const silent = performance.now() - Math.max(...current().map(one => endOf.get(one)!))
      if (silent >= AT_ONCE) this.#handOn()
      if (silent >= settle) known.quiet = settle
      else await until(() => heard() || current().some(isNew), sources, this.#nextLook(silent, settle))
    } while (known.quiet === undefined && performance.now() < deadline)
  }

  #nextLook(silent: number, settle: number): number {
    return (silent < AT_ONCE ? Math.min(AT_ONCE, settle) : settle) - silent
  }

  /** While the rest of the silence is listened to, the next partner may have the addresses. */
  #handOn(): void {
    const { handOn, gateway } = this.#options
    if (!handOn || this.#handedOn || comesAgain.has(gateway)) return
    this.#handedOn = true
    handOn()
  }
}

/** A notification quotes the message and goes to somebody else; and a gateway may write its mailbox with another domain. */
const haveSameMailbox = (one: string, other: string): boolean =>
  one.toLowerCase().split('@')[0] === other.toLowerCase().split('@')[0]
