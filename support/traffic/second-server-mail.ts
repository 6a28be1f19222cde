import { X509Certificate } from 'node:crypto'
import { type Command, commands, offersStarttls, secured } from '../evidence/facts.ts'
import type { Handover, Stage } from '../evidence/handover.ts'
import type { Message } from '../evidence/mail.ts'
import type { Arrival, Sent } from '../evidence/sent.ts'
import { isForNow, putOff } from '../evidence/temporary-refusal.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Interference, Lab } from '../lab/lab.ts'
import { ARRIVAL } from '../lab/mailbox/mailbox.ts'
import type { Partner } from '../lab/partner/partner.ts'
import { STRANGERS } from '../mailflow/domains.ts'
import { decisive } from '../mailflow/mail-flow.ts'
import type { Conversation } from '../wire/conversation.ts'
import { PeerLimit } from '../wire/smtp/lines.ts'
import { NotSmtp, type Reply, ReplyReader } from '../wire/smtp/reply.ts'
import type { ClientTls } from '../wire/smtp/smtp.ts'
import { until } from '../wire/until.ts'
import { handOver, type SenderBehaviour } from './deliver-message.ts'
import { compose } from './message.ts'
import { sendAndWatch, type WatchedMessage } from './sending.ts'
import type { Submission } from './submit-message.ts'

/** What two gateways need to exchange mail. */
interface RelayMeans {
  lab: Lab
  submission(gateway: Gateway): Submission
}

/** A message that one server is to send to the other, through a tap. */
interface RelayRequest {
  from: Gateway
  to: Gateway
  message: Message
  /** Handed over in place of `message`, as for `send`. */
  cause?: Message
  /** What the tap does. */
  does?: Interference
  tries?: number
  tls?: ClientTls
}

/** A message that went, or should have gone, through a tap. */
interface Relayed {
  watched: WatchedMessage
  tap: Partner
  /** The mailbox behind the server that receives. */
  inbox: Partner
}

/** The gateway under test sends to the second server. Whether a message came through is seen in the mailbox behind it. */
export async function sendThroughTap(means: RelayMeans, relay: RelayRequest): Promise<Relayed> {
  const relayed = await relayOne(means, relay, 'sender')
  const { watched } = relayed
  const excuse = watched.arrivals.length > 0 ? undefined : await excuseOf(means, relay, watched.seen())
  if (excuse) watched.known.excuse = excuse
  return relayed
}

/** Why the second server may be the reason that a message did not arrive; nothing where it cannot be. */
async function excuseOf(
  means: RelayMeans,
  { from, to }: RelayRequest,
  sent: Sent,
): Promise<string | undefined> {
  const { message, recipient, conversations, deliveryEvents } = sent
  if (deliveryEvents.at(-1)?.kind === 'delivered')
    return 'the gateway says delivered, and the second server did not deliver the message to the mailbox'
  const clear = conversations.filter(conversation => inClear(conversation).length > 0)
  const refusal = clear.map(one => lastExchange(one).reply).find(reply => reply && reply.code >= 400)
  if (refusal) return `the second server refused the message: ${refusal.text}`
  // The lab asks the second server for the same: the same envelope, with TLS or without as before.
  const fault = await faultOf(means, to, {
    message: compose({ from: message.from, to: [recipient] }),
    behaviour: {
      tls: clear.length > 0 ? 'does not use' : 'uses',
      greetsAs: from.flow.hostname,
    },
  })
  if (fault) return `the second server has a fault of its own: ${fault.why}`
  return conversations.some(one => one.overheard && secured(one))
    ? 'there was a TLS session, and the tap does not know what the second server answered in it'
    : undefined
}

/** The second server sends to the gateway under test, which is judged by what the tap saw. */
export async function receiveThroughTap(
  means: RelayMeans,
  relay: RelayRequest,
): Promise<Relayed & { handover: Handover; alive: boolean }> {
  const relayed = await relayOne(means, relay, 'receiver')
  const handover = handoverOf(relay, relayed.watched.seen())
  if (handover.accepted) return { ...relayed, handover, alive: true }
  const fault = await faultOf(means, relay.to, {
    message: compose({
      from: `other@${means.lab.freshDomain(STRANGERS)}`,
      to: [relay.to.flow.recipient],
    }),
    behaviour: { tls: 'uses' },
  })
  const { breakdown, stage } = handover
  // The tap does not see which of the two gave up. A gateway that accepts the mail of others did not.
  const open = stage === 'content' || (stage === 'handshake' && !relay.does?.faults)
  if (breakdown && open) {
    breakdown.kind = fault ? (fault.kind ?? 'connection closed') : 'no answer'
    breakdown.detail += fault
      ? `, and the gateway does not accept the mail of others either: ${fault.why}`
      : ', while the gateway accepts the mail of others'
  }
  return { ...relayed, handover, alive: fault === undefined }
}

async function relayOne(
  means: RelayMeans,
  { from, to, message, cause, does, tries = 1, tls }: RelayRequest,
  gatewayIs: 'sender' | 'receiver',
): Promise<Relayed> {
  const { lab } = means
  if (!lab.tap) throw new Error('this lab has no taps')
  const { domain } = to.flow
  const { tap, inbox } = await lab.tap({
    domain,
    to: to.inside ?? to.inbound,
    from: (from.inside ?? from.inbound).host,
    gatewayIs,
    ...(does ? { does } : {}),
  })
  const [one] = await sendAndWatch({
    gateway: from,
    submission: means.submission(from),
    message,
    ...(cause ? { cause } : {}),
    partners: [tap],
    inbox,
    tries,
    ...(tls ? { tls } : {}),
    gatewayIs,
  })
  const watched = one!
  if (does?.faults?.swapsTls) watched.known.intercepted = true
  const { deliveryEvents, conversations } = watched
  const taken =
    deliveryEvents.at(-1)?.kind === 'delivered' || conversations.some(one => lastExchange(one).accepted)
  if (taken) await until(() => watched.arrivals.length > 0, [inbox], ARRIVAL)
  await tap.upToDate()
  return { watched, tap, inbox }
}

/** Why a server does not accept a good message from the lab. `kind`: the server gave no answer, or one for now, so nothing can be claimed. */
interface Fault {
  why: string
  kind?: 'no answer' | 'no connection'
}

/** Nothing where the server accepts the message, and with TLS shows its own certificate. */
async function faultOf(
  { lab }: RelayMeans,
  { inbound, flow }: Gateway,
  { message, behaviour }: { message: Message; behaviour: SenderBehaviour },
): Promise<Fault | undefined> {
  const options = { endpoint: inbound, hostname: flow.hostname, pki: lab.pki, behaviour }
  const { accepted, reply, breakdown, stage, conversations } = await handOver(message, options)
  if (!accepted) {
    const kind = reply && putOff(reply, stage) ? 'no answer' : breakdown?.kind
    const why = `at ${stage}: ${breakdown?.detail ?? reply?.text ?? 'no reply'}`
    return kind === 'no answer' || kind === 'no connection' ? { why, kind } : { why }
  }
  if (behaviour.tls !== 'uses') return undefined
  const own = new X509Certificate(flow.identity.certificate).fingerprint256.replaceAll(':', '').toLowerCase()
  const shown = conversations[0]!.handshake?.serverCertificate?.fingerprint
  return shown === own ? undefined : { why: 'it shows another certificate than its own' }
}

/** How far a message got at the gateway. */
type Ending = Pick<Handover, 'stage' | 'accepted' | 'foundInMailbox' | 'reply' | 'breakdown'>

/** The message as if the lab had delivered it: how far it got at the gateway, by the record of the tap. */
function handoverOf({ from, to, message, does }: RelayRequest, sent: Sent): Handover {
  const { conversations, arrivals } = sent
  const begun = conversations.find(({ handshake }) => handshake?.offered)
  const clear = conversations.findLast(conversation => inClear(conversation).length > 0)
  const sessions = conversations.filter(secured)
  // Where the tap ends TLS itself, its session with the gateway is the one to judge.
  const one = does?.faults?.swapsTls
    ? (sessions[0] ?? begun ?? conversations.at(-1))
    : (clear ?? sessions[0] ?? begun ?? conversations.at(-1))
  if (!one)
    return {
      message,
      conversations: [],
      stage: 'connection',
      accepted: false,
      breakdown: { kind: 'no connection', detail: `the second server did not connect: ${whyNot(sent)}` },
    }
  // The tap does not know in which of several sessions the message came.
  if (secured(one)) return { message, conversations: sessions, ...insideTls(arrivals) }
  const base = { message, conversations: [one] }
  if (one === clear) {
    const end = lastExchange(one)
    const required = decisive(to.flow.inbound, from.flow.domain)?.tls === 'required'
    const spurned = offersStarttls(one) && !does?.faults && !(end.accepted && required)
    return spurned ? { ...base, ...leftAtEhlo('was offered TLS and did not use it') } : { ...base, ...end }
  }
  return one.handshake?.offered
    ? { ...base, ...brokenHandshake(one) }
    : { ...base, ...leftAtEhlo('left before it sent its message') }
}

/** Why the second server did not connect to deliver the message, as far as it says so. */
function whyNot({ refusal, lost, deliveryEvents }: Sent): string {
  if (refusal !== undefined) return `it did not accept the message that it was to send: ${refusal}`
  if (lost) return 'it does not have the message any more'
  const said = deliveryEvents.at(-1)
  return said ? `it says that it ${said.kind} the message: ${said.reason}` : 'it says nothing'
}

/**
 * Where the tap ends TLS itself, it knows how the handshake ended. Where the tap passes TLS on and the gateway answered
 * nothing, one of the two servers waited too long, whichever closed the connection then.
 */
function brokenHandshake({ events, handshake }: Conversation): Ending {
  const hello = events.findIndex(({ kind }) => kind === 'hello')
  const answered = events
    .slice(hello + 1)
    .some(({ from, kind }) => from === 'receiver' && kind !== 'close' && kind !== 'open')
  const overheard = answered
    ? {
        kind: 'handshake failure' as const,
        detail: handshake?.error ?? 'the handshake did not come to its end',
      }
    : { kind: 'no answer' as const, detail: 'the ClientHello was not answered' }
  const detail = handshake?.error ?? ''
  const breakdown = handshake?.breakdown ? { kind: handshake.breakdown, detail } : overheard
  return { stage: 'handshake', accepted: false, breakdown }
}

function leftAtEhlo(what: string): Ending {
  return {
    stage: 'EHLO',
    accepted: false,
    breakdown: { kind: 'no answer', detail: `the second server ${what}` },
  }
}

function insideTls(arrivals: readonly Arrival[]): Ending {
  // The tap cannot read what the gateway answered.
  if (arrivals.length > 0) return { stage: 'content', accepted: true, foundInMailbox: true }
  const detail = 'there was a TLS session, and the message did not reach the mailbox'
  return { stage: 'content', accepted: false, breakdown: { kind: 'connection closed', detail } }
}

const inClear = (conversation: Conversation): Command[] =>
  commands(conversation).filter(({ verb, secured }) => !secured && verb === 'MAIL')

const STAGES: Record<string, Stage> = { MAIL: 'MAIL', RCPT: 'RCPT', DATA: 'DATA', '.': 'content' }

/**
 * The first unencrypted refusal from MAIL on, or the reply to the message. A refusal because TLS is missing follows from an
 * earlier one of STARTTLS for now, which counts then.
 */
function lastExchange({ events }: Conversation): Ending {
  const asked = ['a connection']
  const reader = new ReplyReader()
  let stage: Stage = 'MAIL'
  let last: Reply | undefined
  let noTlsNow: Reply | undefined
  try {
    for (const event of events) {
      // The last chunk of BDAT is content too, and gets one reply.
      if (event.kind === 'command' && !(event.verb === 'BDAT' && /LAST\s*$/i.test(event.argument)))
        asked.push(event.verb)
      else if (event.kind === 'content') asked.push('.')
      const reply = event.kind === 'reply' ? reader.read(event, false) : undefined
      const answered = reply && asked.shift()!
      if (answered === 'STARTTLS' && isForNow(reply!, answered)) noTlsNow = reply
      const about = answered && STAGES[answered]
      if (!about) continue
      stage = about
      last = reply
      if (reply.code >= 400) break
    }
  } catch (error) {
    if (!(error instanceof NotSmtp || error instanceof PeerLimit)) throw error
    return { stage, accepted: false, breakdown: { kind: 'unexpected answer', detail: error.message } }
  }
  if (!last)
    return {
      stage,
      accepted: false,
      breakdown: { kind: 'connection closed', detail: 'MAIL was not answered' },
    }
  const accepted = stage === 'content' && last.code < 300
  return !accepted && noTlsNow
    ? { stage: 'STARTTLS', accepted, reply: noTlsNow }
    : { stage, accepted, reply: last }
}
