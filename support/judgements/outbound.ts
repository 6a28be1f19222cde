import { commands, countedConnections, offersStarttls, secured } from '../evidence/facts.ts'
import { changedHeader, textOf } from '../evidence/mail.ts'
import { isAt, type Sent } from '../evidence/sent.ts'
import { duration } from '../quantities.ts'
import {
  all,
  because,
  broken,
  kept,
  type Lack,
  type Observation,
  refused,
  unclear,
} from '../verdicts/observation.ts'
import type { ClientHello, Conversation } from '../wire/conversation.ts'
import { spoken } from '../wire/tls/tls-names.ts'
import { nothingInClear } from './wire.ts'

export interface TlsExpectation {
  /** `TLSv1.2` */
  version?: string
  /** Standard name. */
  suite?: string
}

/** A judgement of the message for each of its recipients at the partner: what becomes of one must become of all. */
export const forEachCopy =
  (judgement: (sent: Sent) => Observation) =>
  ({ copies = [], ...sent }: Sent): Observation => {
    const own = judgement(sent)
    const others = copies.map(judgement).map(seen => {
      const detail = `for another recipient at the same domain, ${seen.detail}`
      return seen.kind === 'broken'
        ? { ...seen, detail, symptom: seen.symptom ?? seen.detail }
        : { ...seen, detail }
    })
    const seen = all(own, ...others)
    return seen.kind === 'kept' ? own : seen
  }

/** The partner got the message over TLS, and no unencrypted copy. */
export function arrivesOverTls(sent: Sent, { version, suite }: TlsExpectation = {}): Observation {
  const nothing = notArrived(sent, version)
  if (nothing?.kind === 'unclear' && !sent.excuse) return nothing
  if (sent.arrivals.some(({ secured }) => !secured))
    return because(broken('the message arrived unencrypted'), lackOf(sent, 'sends over TLS', version))
  const inClear = nothingInClear(sent.conversations, sent.message.token)
  if (inClear.kind === 'broken') return inClear
  if (nothing) return nothing
  const all = carriers(sent).map(({ handshake }) => handshake)
  const agreed =
    all.find(one => (version && one?.version !== version) || (suite && one?.suite !== suite)) ?? all.at(-1)
  if (version && agreed?.version !== version)
    return broken(
      `the message arrived over ${spoken(agreed?.version ?? 'unknown TLS')}, not ${spoken(version)}`,
    )
  if (suite && agreed?.suite !== suite)
    return broken(`the message arrived over TLS with ${agreed?.suite ?? 'an unknown suite'}, not ${suite}`)
  return kept(
    `the message arrived over ${spoken(agreed?.version ?? 'TLS')} with ${agreed?.suite ?? 'an unknown suite'}`,
  )
}

/**
 * The message arrived over the highest version that the gateway has. `asReceiver`: the version that the gateway agrees to as
 * a receiver, with a client that has all; absent where it is not known. A gateway need not have TLS 1.3: RFC 9325 s3.1.1.
 */
export function arrivesOverHighest(sent: Sent, asReceiver?: string): Observation {
  const version = hellosTo(sent)
    .flatMap(({ versions }) => versions)
    .sort()
    .at(-1)
  const arrived = arrivesOverTls(sent)
  if (arrived.kind !== 'kept' || !version) return arrived
  if (!asReceiver || asReceiver <= version) return arrivesOverTls(sent, { version })
  return broken(
    `the gateway offers ${spoken(version)} at most as a sender, and has ${spoken(asReceiver)} as a receiver`,
  )
}

const hellosTo = ({ conversations }: Sent): ClientHello[] =>
  conversations.flatMap(({ handshake }) => handshake?.offered ?? [])

/** Whether a ClientHello of the gateway offered a version to the partner; undefined where there was no ClientHello. */
export function offersVersion(sent: Sent, version: string): boolean | undefined {
  const hellos = hellosTo(sent)
  return hellos.length === 0 ? undefined : hellos.some(({ versions }) => versions.includes(version))
}

/**
 * The suites of these, strongest first, that a ClientHello of the gateway offered to the partner; undefined where there was
 * no ClientHello.
 */
export function suitesOffered(sent: Sent, suites: readonly string[]): string[] | undefined {
  const hellos = hellosTo(sent)
  if (hellos.length === 0) return undefined
  return suites.filter(suite => hellos.some(hello => hello.suites.includes(suite)))
}

export function arrivesInClear(sent: Sent): Observation {
  const nothing = notArrived(sent)
  if (nothing) return nothing
  if (sent.arrivals.some(({ secured }) => secured))
    return broken('the message arrived over TLS, not unencrypted')
  return kept('the message arrived unencrypted')
}

/** The gateway says that it keeps the message queued, and the partner did not get the message. */
export function staysQueued(sent: Sent): Observation {
  const held = doesNotArrive(sent)
  if (held.kind !== 'kept') return held
  const bounced = sent.deliveryEvents.find(({ kind }) => kind === 'bounced')
  return bounced
    ? broken(
        `the gateway bounced the message instead of keeping it queued: ${bounced.reason}`,
        'the gateway bounced the message instead of keeping it queued',
      )
    : held
}

/** The partner did not get the message, and the gateway says that it deferred or bounced the message. */
export function doesNotArrive(sent: Sent): Observation {
  if (sent.refusal)
    return unclear(`the gateway did not accept the message that it was to send: ${sent.refusal}`)
  const copy = sent.arrivals[0]
  if (copy) return broken(`the message arrived ${copy.secured ? 'over TLS' : 'unencrypted'}`)
  const inClear = nothingInClear(sent.conversations, sent.message.token)
  if (inClear.kind === 'broken') return inClear
  // The part of a connection that the lab did not keep may have been the message.
  if (inClear.kind === 'unclear' && sent.conversations.length > 0) return inClear
  if (sent.intercepted && sent.conversations.some(givenInTls))
    return broken('the gateway gave the message away to the tap, inside TLS')
  if (sent.excuse) return unclear(sent.excuse)
  const deliveryEvents = sent.deliveryEvents.at(-1) ?? quietWord(sent)
  if (!deliveryEvents) return unclear('the message did not arrive, and the gateway said nothing about it')
  if (deliveryEvents.kind === 'delivered') return broken('the gateway says delivered, but nothing arrived')
  if (!sent.conversations.some(conversation => commands(conversation).length > 0))
    return unclear(
      `the gateway sent no command to the partner, so TLS was not the reason: ${deliveryEvents.reason}`,
    )
  if (sent.conversations.some(offersStarttls) && !sent.conversations.some(saysStarttls))
    return unclear(
      `the partner offered TLS, and the gateway left without trying it: ${deliveryEvents.reason}`,
    )
  const unfinished = sent.conversations.find(({ closed }) => !closed)
  if (unfinished) return unclear('a connection to the partner is still open, so the message may still arrive')
  const what =
    deliveryEvents.kind === 'held back' ? 'held the message back' : `${deliveryEvents.kind} the message`
  return refused(
    `the gateway ${what} after ${countedConnections(sent.conversations)}: ${deliveryEvents.reason}`,
  )
}

const givenInTls = (conversation: Conversation): boolean =>
  commands(conversation).some(({ verb, secured }) => secured && ['MAIL', 'DATA', 'BDAT'].includes(verb))

const saysStarttls = (conversation: Conversation): boolean =>
  commands(conversation).some(({ verb }) => verb === 'STARTTLS')

/** For a gateway that says nothing about its queue: that no connection came for some time. */
function quietWord({ quiet }: Sent): { kind: 'held back'; reason: string } | undefined {
  return quiet === undefined
    ? undefined
    : { kind: 'held back', reason: `nothing more came within ${duration(quiet)} of the end of the session` }
}

/** What was seen of a message when its example was judged, and what was seen some time later. */
export interface LookedAtAgain {
  before: Sent
  after: Sent
}

/** The gateway sent a message later that it had held back; nothing where it did not. */
export function wasSentLater(looked: readonly LookedAtAgain[]): Observation | undefined {
  for (const { after } of looked) {
    const copy = after.arrivals[0]
    const afterwards = 'after the gateway had said that it holds the message back'
    if (copy) return broken(`the message arrived ${copy.secured ? 'over TLS' : 'unencrypted'} ${afterwards}`)
    const inClear = nothingInClear(after.conversations, after.message.token)
    if (inClear.kind === 'broken') return broken(`${inClear.detail} ${afterwards}`)
  }
  return undefined
}

/** A connection that is still open without TLS may still carry the message unencrypted. */
const isDecided = (conversation: Conversation): boolean => conversation.closed || secured(conversation)

/** Connections that are new, and those of which it was open before whether they carry the message unencrypted. */
function sinceThen({ before, after }: LookedAtAgain): Conversation[] {
  const decided = new Set(before.conversations.filter(isDecided).map(({ id }) => id))
  return after.conversations.filter(({ id }) => !decided.has(id))
}

/** A TLS session went through the tap since then, and no further copy has arrived yet. */
export function isStillUnderWay(looked: LookedAtAgain): boolean {
  const session = sinceThen(looked).some(one => one.overheard && secured(one))
  return session && looked.after.arrivals.length === looked.before.arrivals.length
}

/**
 * The gateway sent a message that had arrived once more; nothing where it did not. `mayGoInClear`: the gateway may send
 * mail for the partner unencrypted where TLS is not offered, and several partners use one address in turn, so that the
 * partner of now may not offer TLS.
 */
export function wasSentAgain(
  looked: readonly (LookedAtAgain & { mayGoInClear: boolean })[],
): Observation | undefined {
  for (const { before, after, mayGoInClear } of looked) {
    const again = after.arrivals[1]
    if (again) return broken(`the message arrived again, ${again.secured ? 'over TLS' : 'unencrypted'}`)
    // The partner may have got other messages since then.
    const about = sinceThen({ before, after }).filter(one => isAbout(one, after))
    if (about.some(one => offersStarttls(one) || !mayGoInClear))
      return broken('the message had arrived, and crossed the wire again, unencrypted')
  }
  return undefined
}

const isAbout = (conversation: Conversation, { message, recipient }: Sent): boolean =>
  [message.token, `<${recipient}>`].some(text =>
    conversation.clear.fromSender.toLowerCase().includes(text.toLowerCase()),
  )

/** The gateway told each partner only of recipients at the partner's own domain. */
export function ownRecipientsAlone(sent: readonly Sent[]): Observation {
  for (const { partner, conversations } of sent)
    for (const { verb, argument, address = argument, text } of conversations.flatMap(commands))
      if (verb === 'RCPT' && !isAt(partner.domain, address))
        return broken(
          `${partner.domain} was told of a recipient of another partner: ${text.slice(0, 100)}`,
          'was told of a recipient of another partner',
        )
  return kept('each partner was told of its own recipients alone')
}

/** What a reason that a gateway gives can name, and words by which it does. */
export const NAMES = {
  'the certificate': /cert|verif|trust|issuer|authority|unable to get|self.signed|\bCA\b/i,
  TLS: /TLS|SSL|handshake|encrypt|secure/i,
} as const
export type Cause = keyof typeof NAMES

/** As `staysQueued`, and the reason that the gateway gives names the cause. */
export function staysQueuedBecause(cause: Cause, sent: Sent): Observation {
  const queued = staysQueued(sent)
  if (queued.kind !== 'kept') return queued
  const reason = sent.deliveryEvents.at(-1)?.reason
  if (reason === undefined)
    return unclear('the gateway says nothing about its queue, so its reason is not known')
  const silent = `the message stays queued, but its reason does not name ${cause}`
  return NAMES[cause].test(reason) ? queued : broken(`${silent}: ${reason}`, silent)
}

/** `otherwise` judges a message that does not arrive. */
export function arrivesInClearOr(otherwise: (sent: Sent) => Observation, sent: Sent): Observation {
  if (sent.arrivals.some(copy => copy.secured)) return broken('the message arrived over TLS')
  if (sent.arrivals.length > 0) return kept('the message arrived unencrypted')
  return otherwise(sent)
}

/** One copy arrived, however often the gateway tried; with `complete` it has the text that was sent. */
export function arrivesOnce(sent: Sent, { complete = false } = {}): Observation {
  const nothing = notArrived(sent)
  if (nothing) return nothing
  if (sent.arrivals.length > 1) return broken(`the message arrived ${sent.arrivals.length} times`)
  if (complete && textOf(sent.arrivals[0]!.content) !== textOf(sent.message.content))
    return broken('the message that arrived is not the one that was sent')
  const header = complete && changedHeader(sent.message.content, sent.arrivals[0]!.content)
  if (header) return broken(`the message arrived with another ${header} than was sent`)
  return kept(complete ? 'the message arrived once and whole' : 'the message arrived once')
}

/** The message arrived at this mail exchanger of the partner, counted from 1 in order of preference. */
export function arrivesAt(sent: Sent, exchanger: number): Observation {
  const nothing = notArrived(sent)
  if (nothing) return nothing
  const at = sent.partner.exchangers.indexOf(sent.arrivals[0]!.host) + 1
  if (at !== exchanger) return broken(`the message arrived at mail exchanger ${at}, not ${exchanger}`)
  const tried = new Set(sent.conversations.map(({ receiver }) => receiver))
  const skipped = sent.partner.exchangers.slice(0, exchanger - 1).find(name => !tried.has(name))
  return skipped
    ? broken(`the gateway never tried mail exchanger ${skipped}`, 'the gateway never tried mail exchanger')
    : kept(`the message arrived at mail exchanger ${at}`)
}

/** Judges the last of several messages to one partner, where the first has arrived. */
export function judgeLater(sent: readonly Sent[], judgement: (sent: Sent) => Observation): Observation {
  const [first] = sent
  const later = sent.at(-1)
  if (!later || !first || sent.length < 2) return unclear('there was no later message')
  const session = carrier(later)
  if (!session)
    return first.arrivals.length > 0 ? judgement(later) : unclear('the first message did not arrive')
  if (session.events.filter(({ kind }) => kind === 'content').length > 1)
    return unclear('both messages went over the same connection')
  // The conversations of the earlier message are left out.
  const alone = { conversations: [session] }
  return judgement({
    ...later,
    ...alone,
    ...(later.copies ? { copies: later.copies.map(copy => ({ ...copy, ...alone })) } : {}),
  })
}

/** The conversations that may have carried the message: the tap does not know which of several sessions did. */
export function carriers(sent: Sent): Conversation[] {
  const last = carrier(sent)
  if (!last) return []
  return last.overheard ? sent.conversations.filter(secured) : [last]
}

/** The last conversation that may have carried the message. */
export function carrier(sent: Sent): Conversation | undefined {
  const host = sent.arrivals[0]?.host
  return sent.conversations.findLast(
    conversation =>
      conversation.receiver === host &&
      (sent.arrivals[0]!.secured ? secured(conversation) : true) &&
      // The tap does not know what is said inside TLS.
      (conversation.overheard || conversation.events.some(({ kind }) => kind === 'content')),
  )
}

const lackOf = ({ partner: { domain } }: Sent, what: Lack['what'], version?: string): Lack => ({
  ...{ what, domain },
  ...(version === undefined ? {} : { version }),
})

/** What is to be said of a message that did not arrive; nothing where it arrived. */
function notArrived(sent: Sent, version?: string): Observation | undefined {
  const seen = whyNotArrived(sent)
  return seen && because(seen, lackOf(sent, 'sends', version))
}

function whyNotArrived(sent: Sent): Observation | undefined {
  if (sent.refusal)
    return unclear(`the gateway did not accept the message that it was to send: ${sent.refusal}`)
  if (sent.arrivals.length > 0) return undefined
  if (sent.excuse) return unclear(sent.excuse)
  if (sent.partner.flooded)
    return unclear('more came to the partner than the lab serves, so the message may have been in it')
  const deliveryEvents = sent.deliveryEvents.at(-1)
  if (deliveryEvents?.kind === 'deferred' || deliveryEvents?.kind === 'bounced')
    return broken(
      `the message did not arrive: ${deliveryEvents.kind} after ${countedConnections(sent.conversations)}: ${deliveryEvents.reason}`,
      `the message did not arrive: ${deliveryEvents.kind}`,
    )
  if (deliveryEvents) return broken('the gateway says delivered, but nothing arrived')
  if (sent.lost)
    return broken(
      'the message is lost: it did not arrive, and it is not in the queue of the gateway any more',
    )
  const silence = quietWord(sent)
  if (silence)
    return broken(
      `the message did not arrive after ${countedConnections(sent.conversations)}: ${silence.reason}`,
      'the message did not arrive',
    )
  if (sent.noConnection !== undefined)
    return broken(
      `the gateway accepted the message and made no connection to the partner within ${duration(sent.noConnection)}`,
      'the gateway accepted the message and made no connection to the partner',
    )
  return unclear(
    `the message did not arrive, and the gateway said nothing about it (${countedConnections(sent.conversations)})`,
  )
}
