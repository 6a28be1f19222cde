import { X509Certificate } from 'node:crypto'
import type { Interference, Lab } from '../lab/lab.ts'
import type { Mail, Mailbox } from '../lab/mailbox.ts'
import { compose, type Message } from '../lab/message.ts'
import type { Partner } from '../lab/partner.ts'
import { type Handover, handOver, type Stage } from '../lab/sender.ts'
import { offersStarttls, secured } from '../verdicts/judgements/wire.ts'
import type { Conversation, WireEvent } from '../wire/conversation.ts'
import { NotSmtp, type Reply, ReplyReader } from '../wire/reply.ts'
import type { ClientTls } from '../wire/smtp.ts'
import type { Gateway } from './gateway.ts'
import { type Sent, send } from './sending.ts'
import type { Submission } from './submission.ts'

/** What of a run two gateways need to exchange mail. */
export interface Ground {
  lab: Lab
  submission(gateway: Gateway): Submission
}

/** One message from one server to the other, through a tap. */
export interface Passage {
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
export interface Passed {
  sent: Sent
  tap: Partner
  /** Behind the server that receives. */
  mailbox: Mailbox
  mails: Mail[]
}

/** The gateway under test sends to the other server. Whether a message came through is seen in the mailbox behind it. */
export async function sendThrough(ground: Ground, passage: Passage): Promise<Passed> {
  const passed = await pass(ground, passage, 'sender')
  const { sent, mails } = passed
  if (mails.length > 0) return passed
  // What did not arrive may have been lost behind the gateway.
  if (sent.word.at(-1)?.kind === 'delivered')
    sent.excuse = 'the gateway says delivered, and the second server did not bring it to the mailbox'
  else {
    const lack = await shortcoming(ground, passage.to)
    if (lack) sent.excuse = `the second server has a fault of its own: ${lack}`
  }
  return passed
}

/** The other server sends to the gateway under test, which is judged by what the tap saw it do. */
export async function receiveThrough(
  ground: Ground,
  passage: Passage,
): Promise<Passed & { handover: Handover; alive: boolean }> {
  const passed = await pass(ground, passage, 'receiver')
  const handover = handoverOf(passage, passed)
  if (handover.accepted) return { ...passed, handover, alive: true }
  const lack = await shortcoming(ground, passage.to)
  const { breakdown, stage } = handover
  // Nobody sees which of the two gave up there. A gateway that takes the mail of others has an alibi.
  if (breakdown && (stage === 'content' || (stage === 'handshake' && !passage.does?.faults))) {
    breakdown.kind = lack ? 'closed' : 'silent'
    breakdown.detail += lack
      ? `, and the gateway does not take the mail of others either: ${lack}`
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
  const { tap, mailbox } = await lab.tap({
    domain,
    to: to.inside ?? to.inbound,
    gatewayIs,
    ...(does ? { does } : {}),
  })
  const [sent] = await send({
    gateway: from,
    submission: ground.submission(from),
    message,
    ...(cause ? { cause } : {}),
    partners: [tap],
    tries,
    ...(tls ? { tls } : {}),
    gatewayIs,
  })
  const taken =
    sent!.word.at(-1)?.kind === 'delivered' || sent!.conversations.some(one => lastExchange(one).accepted)
  const all = taken ? await mailbox.await(message.token) : await mailbox.find(message.token)
  const mails = all.filter(mail => mail.to.some(to => isFor(to, sent!.recipient)))
  await tap.caughtUp()
  const inClear = sent!.conversations.filter(({ clear }) => clear.fromSender.includes(message.token)).length
  const at = performance.now()
  for (const [i, { content, from: sender }] of mails.entries())
    tap.messages.push({
      from: sender,
      to: [sent!.recipient],
      content,
      secured: i >= inClear,
      at,
      host: tap.hosts[0]!.hostname,
    })
  return { sent: sent!, tap, mailbox, mails }
}

/** A notification to its author quotes it; and a gateway may write its mailbox with another domain. */
const isFor = (to: string, recipient: string): boolean =>
  to.toLowerCase().split('@')[0] === recipient.toLowerCase().split('@')[0]

/** Why a server does not take good mail over TLS from us, or nothing when it does. */
async function shortcoming({ lab }: Ground, { inbound, flow }: Gateway): Promise<string | undefined> {
  const message = compose({
    from: `other@${lab.freshDomain('*.stranger.test')}`,
    to: [flow.recipient],
  })
  const options = {
    endpoint: inbound,
    hostname: flow.hostname,
    pki: lab.pki,
    behaviour: { tls: 'uses' },
  } as const
  const { accepted, reply, breakdown, stage, conversations } = await handOver(message, options)
  if (!accepted) return `at ${stage}: ${breakdown?.detail ?? reply?.text ?? 'no reply'}`
  const own = new X509Certificate(flow.identity.certificate).fingerprint256.replaceAll(':', '').toLowerCase()
  const shown = conversations[0]!.handshake?.serverCertificate?.fingerprint
  return shown === own ? undefined : 'it shows another certificate than its own'
}

/** The passage as if we had been its sender: how far it got at the gateway, by the record of the tap. */
function handoverOf({ message, does }: Passage, { sent, mails }: Passed): Handover {
  const { conversations } = sent
  const begun = conversations.find(({ handshake }) => handshake?.offered)
  const clear = conversations.findLast(conversation => inClear(conversation).length > 0)
  const session = conversations.findLast(secured)
  // Where the path has TLS of its own, what came of that is what is asked for.
  const one = (does?.faults?.swapsTls ? begun : clear) ?? session ?? begun ?? conversations.at(-1)
  const base = { message, conversations: one ? [one] : [] }
  if (!one)
    return {
      ...base,
      stage: 'connection',
      accepted: false,
      breakdown: { kind: 'no connection', detail: 'the second server did not come' },
    }
  if (secured(one)) return { ...base, ...insideTls(mails) }
  if (one === clear) {
    const end = lastExchange(one)
    const spurned = offersStarttls(one) && !does?.faults && !end.accepted
    return spurned ? { ...base, ...leftAtEhlo('was offered TLS and did not use it') } : { ...base, ...end }
  }
  const why = one.handshake?.error ?? one.events.findLast(({ kind }) => kind === 'error')?.text
  return one.handshake?.offered
    ? {
        ...base,
        stage: 'handshake',
        accepted: false,
        breakdown: { kind: 'handshake failed', detail: why ?? 'the handshake did not come to its end' },
      }
    : { ...base, ...leftAtEhlo('left before it brought its message') }
}

function leftAtEhlo(what: string): Pick<Handover, 'stage' | 'accepted' | 'breakdown'> {
  return {
    stage: 'EHLO',
    accepted: false,
    breakdown: { kind: 'silent', detail: `the second server ${what}` },
  }
}

function insideTls(mails: readonly Mail[]): Pick<Handover, 'stage' | 'accepted' | 'reply' | 'breakdown'> {
  if (mails.length > 0) {
    const text = '250 to all that came inside TLS, as the mailbox shows'
    return { stage: 'content', accepted: true, reply: { code: 250, lines: [text], text, secured: true } }
  }
  const detail = 'a session was made, and the message did not reach the mailbox'
  return { stage: 'content', accepted: false, breakdown: { kind: 'silent', detail } }
}

const inClear = ({ events }: Conversation): WireEvent[] =>
  events.filter(({ kind, text, secured }) => kind === 'command' && !secured && /^MAIL\b/i.test(text))

const STAGES: Record<string, Stage> = { MAIL: 'MAIL', RCPT: 'RCPT', DATA: 'DATA', '.': 'content' }

/** The first refusal in clear from MAIL on, or the answer to the message. */
function lastExchange({
  events,
}: Conversation): Pick<Handover, 'stage' | 'accepted' | 'reply' | 'breakdown'> {
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
    if (!(error instanceof NotSmtp)) throw error
    return { stage, accepted: false, breakdown: { kind: 'malformed', detail: error.message } }
  }
  if (!last) return { stage, accepted: false, breakdown: { kind: 'closed', detail: 'MAIL was not answered' } }
  return { stage, accepted: stage === 'content' && last.code < 300, reply: last }
}
