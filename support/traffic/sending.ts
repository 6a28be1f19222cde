import type { Message } from '../evidence/mail.ts'
import type { Arrival, Sent } from '../evidence/sent.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Partner } from '../lab/partner/partner.ts'
import type { Conversation, Party } from '../wire/conversation.ts'
import { MAX_WAIT } from '../wire/patience.ts'
import { type ClientTls, WireError } from '../wire/smtp/smtp.ts'
import { until, type Watchable } from '../wire/until.ts'
import type { Submission } from './submission.ts'

/** Longest wait for a sign of what becomes of a message, for each attempt, in ms. A sign is a message or a word. */
const SIGN = 2 * MAX_WAIT
/** After so long without a sign the gateway's queue is looked into, in ms. */
const SILENCE = 0.3 * MAX_WAIT
/** After the sign, how long open connections may take to end, in ms. */
const REST = 0.5 * MAX_WAIT

/** The same while it goes on: its partner is there still, and what comes late shows. */
export interface LiveSent extends Sent {
  readonly partner: Partner
}

export interface SendOptions {
  gateway: Gateway
  submission: Submission
  message: Message
  /** Handed over in its place: the message is what comes of it, such as a notification to its author. */
  cause?: Message
  /** The partner of each recipient domain. */
  partners: readonly Partner[]
  /** Deferred messages are tried again until so many attempts were made. */
  tries?: number
  /** Hands the message over inside TLS, on a connection of its own. */
  tls?: ClientTls
  /** Where the partner is a tap: who gets what the server behind it takes. */
  inbox?: Partner
  /** At which end of the partner's conversations the gateway under test is; default: it sends. */
  gatewayIs?: Party
}

/**
 * Hands a message to the gateway and waits until it is clear what becomes of each copy. Throws GatewayFailure when the
 * gateway ends by itself meanwhile.
 */
export async function send(options: SendOptions): Promise<LiveSent[]> {
  const { partners, submission } = options
  const sent = partners.map(partner => blank(partner, options))
  try {
    const { reply, conversation } = await submission.submit(options.cause ?? options.message, options.tls)
    for (const one of sent) if (conversation) one.submission = conversation
    if (reply.code >= 300) return refused(sent, reply.text)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return refused(sent, error.message)
  }
  await Promise.all(sent.map(one => follow(one, options)))
  return sent
}

function refused(sent: LiveSent[], why: string): LiveSent[] {
  for (const one of sent) one.refusal = why
  return sent
}

function blank(partner: Partner, { message, gateway, inbox, gatewayIs = 'sender' }: SendOptions): LiveSent {
  const recipient = message.to.find(to => to.toLowerCase().endsWith(`@${partner.domain.toLowerCase()}`))!
  // What was said before is about an earlier message to the same recipient.
  const before = gateway.events.length
  const sent: LiveSent = {
    message,
    recipient,
    partner,
    get arrivals() {
      return inbox ? behind(sent, inbox) : copies(sent, partner)
    },
    get word() {
      return gateway.events
        .slice(before)
        .filter(event => event.recipient.toLowerCase() === recipient.toLowerCase())
    },
    // A tap has another one on the far side.
    get conversations() {
      return partner.conversations.filter(one => one.gatewayIs === gatewayIs)
    },
    sign: false,
    attempts: 1,
  }
  return sent
}

function copies({ message, recipient }: Sent, { messages }: Partner): readonly Arrival[] {
  return messages.filter(
    ({ content, to }) =>
      content.includes(message.token) && to.some(one => one.toLowerCase() === recipient.toLowerCase()),
  )
}

/** Over TLS came what did not come in clear; which copy is which cannot be seen, and those in clear are called the last. */
function behind({ message, recipient, partner, conversations }: Sent, inbox: Partner): readonly Arrival[] {
  const all = inbox.messages.filter(
    ({ content, to }) => content.includes(message.token) && to.some(one => isFor(one, recipient)),
  )
  const overTls =
    all.length - conversations.filter(one => one.clear.fromSender.includes(message.token)).length
  return all.map((copy, i) => ({
    ...copy,
    to: [recipient],
    secured: i < overTls,
    host: partner.hosts[0]!.hostname,
    onwardSecured: copy.secured,
  }))
}

/** A notification to its author quotes it; and a gateway may write its mailbox with another domain. */
const isFor = (to: string, recipient: string): boolean =>
  to.toLowerCase().split('@')[0] === recipient.toLowerCase().split('@')[0]

async function follow(sent: LiveSent, { gateway, inbox, tries = 1 }: SendOptions): Promise<void> {
  const { partner } = sent
  if (gateway.settle !== undefined) return listen(sent, gateway.settle)
  const sources = [partner, gateway, ...(inbox ? [inbox] : [])]
  for (;;) {
    // One word for each attempt, in their order.
    const told = () => sent.word.length >= sent.attempts
    const heard = () => sent.arrivals.length > 0 || told() || gateway.end !== undefined
    sent.sign = gateway.holds
      ? await heardOrLost(sent, gateway, { heard, sources })
      : await until(heard, sources, gateway.patience ?? SIGN)
    if (gateway.end) throw gateway.end
    // The gateway's word and what the partner saw come on different ways.
    await partner.caughtUp()
    const last = sent.word.at(-1)
    if (!sent.sign || sent.arrivals.length > 0 || last?.kind !== 'deferred' || sent.attempts >= tries) break
    sent.attempts++
    await gateway.retry(partner.domain)
  }
  await until(() => partner.conversations.every(({ closed }) => closed), [partner], REST)
}

/** A message that is in the gateway's queue no more, without a word about it, is lost: nothing is left to wait for. */
async function heardOrLost(
  sent: LiveSent,
  gateway: Gateway,
  { heard, sources }: { heard: () => boolean; sources: readonly Watchable[] },
): Promise<boolean> {
  if (await until(heard, sources, SILENCE)) return true
  if (await gateway.holds!(sent.recipient)) {
    // A message that was still locked by its last attempt was passed over, and nobody says so.
    if (sent.attempts > 1) await gateway.retry(sent.partner.domain)
    return until(heard, sources, (gateway.patience ?? SIGN) - SILENCE)
  }
  // Its word may have come while the queue was looked into.
  sent.lost = !(await until(heard, sources, SILENCE))
  return !sent.lost
}

/** Without the gateway's word: an ended session is the sign, and quiet after it means that the message is held back. */
async function listen(sent: LiveSent, settle: number): Promise<void> {
  const { partner } = sent
  const { conversations } = partner
  const arrived = () => sent.arrivals.length > 0
  const ended = () => conversations.length > 0 && conversations.every(({ closed }) => closed)
  const deadline = performance.now() + SIGN + settle
  const endOf = new Map<Conversation, number>()
  const isNew = (conversation: Conversation) => !endOf.has(conversation)
  do {
    sent.sign = await until(() => arrived() || ended(), [partner], SIGN)
    if (!sent.sign || arrived()) break
    for (const conversation of conversations.filter(isNew)) endOf.set(conversation, performance.now())
    // A connection that turns out to be somebody else's is in the list no more, and disturbed no quiet.
    const last = Math.max(...conversations.map(conversation => endOf.get(conversation)!))
    const rest = last + settle - performance.now()
    if (rest <= 0) sent.quiet = settle
    else await until(() => arrived() || conversations.some(isNew), [partner], rest)
  } while (sent.quiet === undefined && performance.now() < deadline)
  if (partner.misrouted) sent.excuse = partner.misrouted
  await until(() => conversations.every(({ closed }) => closed), [partner], REST)
}
