import { X509Certificate } from 'node:crypto'
import { offersStarttls, secured } from '../evidence/facts.ts'
import type { Handover, Stage } from '../evidence/handover.ts'
import type { Message } from '../evidence/mail.ts'
import type { Arrival, Sent } from '../evidence/sent.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Interference, Lab } from '../lab/lab.ts'
import { ARRIVAL } from '../lab/mailbox/mailbox.ts'
import type { Partner } from '../lab/partner/partner.ts'
import { decisive } from '../mailflow/mail-flow.ts'
import type { Conversation, WireEvent } from '../wire/conversation.ts'
import { PeerLimit } from '../wire/smtp/lines.ts'
import { NotSmtp, type Reply, ReplyReader } from '../wire/smtp/reply.ts'
import type { ClientTls } from '../wire/smtp/smtp.ts'
import { until } from '../wire/until.ts'
import { handOver, type SenderBehaviour } from './delivering.ts'
import { compose } from './message.ts'
import { type LiveSent, send } from './sending.ts'
import type { Submission } from './submission.ts'

/** What of a run two gateways need to exchange mail. */
interface Ground {
  lab: Lab
  submission(gateway: Gateway): Submission
}

/** One message from one server to the other, through a tap. */
interface Passage {
  from: Gateway
  to: Gateway
  message: Message
  /** Handed over in its place, as for `send`. */
  cause?: Message
  /** What somebody on the path does. */
  does?: Interference
  tries?: number
  tls?: ClientTls
}

/** What was seen of a passage. */
interface Passed {
  sent: LiveSent
  tap: Partner
  /** Behind the server that receives. */
  inbox: Partner
}

/** The gateway under test sends to the second server. Whether a message came through is seen in the mailbox behind it. */
export async function sendThrough(ground: Ground, passage: Passage): Promise<Passed> {
  const passed = await pass(ground, passage, 'sender')
  const { sent } = passed
  const excuse = sent.arrivals.length > 0 ? undefined : await excuseOf(ground, passage, sent)
  if (excuse) sent.excuse = excuse
  return passed
}

/** Why a message that did not arrive may have been stopped by the second server, if it may. */
async function excuseOf(ground: Ground, { from, to }: Passage, sent: Sent): Promise<string | undefined> {
  const { message, recipient, conversations, word } = sent
  if (word.at(-1)?.kind === 'delivered')
    return 'the gateway says delivered, and the second server did not bring it to the mailbox'
  const clear = conversations.filter(conversation => inClear(conversation).length > 0)
  const refusal = clear.map(one => lastExchange(one).reply).find(reply => reply && reply.code >= 400)
  if (refusal) return `the second server refused it: ${refusal.text}`
  // What was asked in vain is asked again: the same envelope on the same kind of hop, by us.
  const lack = await shortcoming(ground, to, {
    message: compose({ from: message.from, to: [recipient] }),
    behaviour: {
      tls: clear.length > 0 ? 'does not use' : 'uses',
      greetsAs: from.flow.hostname,
    },
  })
  if (lack) return `the second server has a fault of its own: ${lack.why}`
  return conversations.some(one => one.overheard && secured(one))
    ? 'a session was made, and what the second server answered in it is not known'
    : undefined
}

/** The second server sends to the gateway under test, which is judged by what the tap saw it do. */
export async function receiveThrough(
  ground: Ground,
  passage: Passage,
): Promise<Passed & { handover: Handover; alive: boolean }> {
  const passed = await pass(ground, passage, 'receiver')
  const handover = handoverOf(passage, passed.sent)
  if (handover.accepted) return { ...passed, handover, alive: true }
  const lack = await shortcoming(ground, passage.to, {
    message: compose({
      from: `other@${ground.lab.freshDomain('*.stranger.test')}`,
      to: [passage.to.flow.recipient],
    }),
    behaviour: { tls: 'uses' },
  })
  const { breakdown, stage } = handover
  // Nobody sees which of the two gave up there. A gateway that takes the mail of others has an alibi.
  const open = stage === 'content' || (stage === 'handshake' && !passage.does?.faults)
  if (breakdown && open) {
    breakdown.kind = lack ? (lack.kind ?? 'closed') : 'silent'
    breakdown.detail += lack
      ? `, and the gateway does not take the mail of others either: ${lack.why}`
      : ', while the gateway takes the mail of others'
  }
  return { ...passed, handover, alive: lack === undefined }
}

async function pass(
  ground: Ground,
  { from, to, message, cause, does, tries = 1, tls }: Passage,
  gatewayIs: 'sender' | 'receiver',
): Promise<Passed> {
  const { lab } = ground
  if (!lab.tap) throw new Error('this lab has no taps')
  const { domain } = to.flow
  const { tap, inbox } = await lab.tap({
    domain,
    to: to.inside ?? to.inbound,
    gatewayIs,
    ...(does ? { does } : {}),
  })
  const [one] = await send({
    gateway: from,
    submission: ground.submission(from),
    message,
    ...(cause ? { cause } : {}),
    partners: [tap],
    inbox,
    tries,
    ...(tls ? { tls } : {}),
    gatewayIs,
  })
  const sent = one!
  if (does?.faults?.swapsTls) sent.intercepted = true
  const taken =
    sent.word.at(-1)?.kind === 'delivered' || sent.conversations.some(one => lastExchange(one).accepted)
  if (taken) await until(() => sent.arrivals.length > 0, [inbox], ARRIVAL)
  await tap.caughtUp()
  return { sent, tap, inbox }
}

/** What a server lacks that does not take good mail from us; `kind`: where it gave no answer that would be a claim. */
interface Lack {
  why: string
  kind?: 'silent' | 'no connection'
}

/** Nothing where it takes the message, and shows its own certificate where it is asked for TLS. */
async function shortcoming(
  { lab }: Ground,
  { inbound, flow }: Gateway,
  { message, behaviour }: { message: Message; behaviour: SenderBehaviour },
): Promise<Lack | undefined> {
  const options = { endpoint: inbound, hostname: flow.hostname, pki: lab.pki, behaviour }
  const { accepted, reply, breakdown, stage, conversations } = await handOver(message, options)
  if (!accepted) {
    const kind = breakdown?.kind
    const why = `at ${stage}: ${breakdown?.detail ?? reply?.text ?? 'no reply'}`
    return kind === 'silent' || kind === 'no connection' ? { why, kind } : { why }
  }
  if (behaviour.tls !== 'uses') return undefined
  const own = new X509Certificate(flow.identity.certificate).fingerprint256.replaceAll(':', '').toLowerCase()
  const shown = conversations[0]!.handshake?.serverCertificate?.fingerprint
  return shown === own ? undefined : { why: 'it shows another certificate than its own' }
}

type Outcome = Pick<Handover, 'stage' | 'accepted' | 'reply' | 'breakdown'>

/** The passage as if we had been its sender: how far it got at the gateway, by the record of the tap. */
function handoverOf({ from, to, message, does }: Passage, sent: Sent): Handover {
  const { conversations, arrivals } = sent
  const begun = conversations.find(({ handshake }) => handshake?.offered)
  const clear = conversations.findLast(conversation => inClear(conversation).length > 0)
  const sessions = conversations.filter(secured)
  // Where the path has TLS of its own, what came of that is what is asked for.
  const one = does?.faults?.swapsTls
    ? (sessions[0] ?? begun ?? conversations.at(-1))
    : (clear ?? sessions[0] ?? begun ?? conversations.at(-1))
  if (!one)
    return {
      message,
      conversations: [],
      stage: 'connection',
      accepted: false,
      breakdown: { kind: 'no connection', detail: `the second server did not come: ${whyNot(sent)}` },
    }
  // In which of several sessions the message came is not known.
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
    : { ...base, ...leftAtEhlo('left before it brought its message') }
}

/** Why a server did not set out with a message, as far as it says so. */
function whyNot({ refusal, lost, word }: Sent): string {
  if (refusal !== undefined) return `it did not take the message to send on: ${refusal}`
  if (lost) return 'it has the message no more'
  const said = word.at(-1)
  return said ? `it says ${said.kind}: ${said.reason}` : 'it says nothing'
}

/**
 * Where the path has TLS of its own, it knows how its handshake ended. Where it passes, no answer at all is a time-out of
 * somebody's, whatever ended the connection then.
 */
function brokenHandshake({ events, handshake }: Conversation): Outcome {
  const hello = events.findIndex(({ kind }) => kind === 'handshake')
  const answered = events
    .slice(hello + 1)
    .some(({ from, kind }) => from === 'receiver' && kind !== 'close' && kind !== 'open')
  const overheard = answered
    ? {
        kind: 'handshake failed' as const,
        detail: handshake?.error ?? 'the handshake did not come to its end',
      }
    : { kind: 'silent' as const, detail: 'the ClientHello was not answered' }
  const detail = handshake?.error ?? ''
  const breakdown = handshake?.breakdown ? { kind: handshake.breakdown, detail } : overheard
  return { stage: 'handshake', accepted: false, breakdown }
}

function leftAtEhlo(what: string): Outcome {
  return {
    stage: 'EHLO',
    accepted: false,
    breakdown: { kind: 'silent', detail: `the second server ${what}` },
  }
}

function insideTls(arrivals: readonly Arrival[]): Outcome {
  if (arrivals.length > 0) {
    const text = '250 to all that came inside TLS, as the mailbox shows'
    return { stage: 'content', accepted: true, reply: { code: 250, lines: [text], text, secured: true } }
  }
  const detail = 'a session was made, and the message did not reach the mailbox'
  return { stage: 'content', accepted: false, breakdown: { kind: 'closed', detail } }
}

const inClear = ({ events }: Conversation): WireEvent[] =>
  events.filter(({ kind, text, secured }) => kind === 'command' && !secured && /^MAIL\b/i.test(text))

const STAGES: Record<string, Stage> = { MAIL: 'MAIL', RCPT: 'RCPT', DATA: 'DATA', '.': 'content' }

/** The first refusal in clear from MAIL on, or the answer to the message. */
function lastExchange({ events }: Conversation): Outcome {
  const asked = ['a connection']
  const reader = new ReplyReader()
  let stage: Stage = 'MAIL'
  let last: Reply | undefined
  try {
    for (const { kind, text } of events) {
      // The last chunk is content as well, and has one answer.
      if (kind === 'command' && !/^BDAT.*LAST\s*$/i.test(text))
        asked.push(text.split(/[ :]/, 1)[0]!.toUpperCase())
      else if (kind === 'content') asked.push('.')
      const reply = kind === 'reply' ? reader.read(text, false) : undefined
      const about = reply && STAGES[asked.shift()!]
      if (!about) continue
      stage = about
      last = reply
      if (reply.code >= 400) break
    }
  } catch (error) {
    if (!(error instanceof NotSmtp || error instanceof PeerLimit)) throw error
    return { stage, accepted: false, breakdown: { kind: 'malformed', detail: error.message } }
  }
  if (!last) return { stage, accepted: false, breakdown: { kind: 'closed', detail: 'MAIL was not answered' } }
  return { stage, accepted: stage === 'content' && last.code < 300, reply: last }
}
