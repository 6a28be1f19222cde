import { secured } from '../evidence/facts.ts'
import type { Handover } from '../evidence/handover.ts'
import { changedHeader, type Mail, textOf } from '../evidence/mail.ts'
import { namesTls, putOff } from '../evidence/temporary-refusal.ts'
import {
  because,
  broken,
  kept,
  type Lack,
  type Observation,
  refused,
  unclear,
} from '../verdicts/observation.ts'
import type { Reply } from '../wire/smtp/smtp.ts'
import { spoken } from '../wire/tls/tls-names.ts'

/** Ends of a session that may be the lab's fault, or the end of the gateway: nothing is claimed from them. */
const UNKNOWN = new Set(['no connection', 'no answer'])

/** Stages at which the gateway may decline how a message comes. */
const OF_MESSAGE: ReadonlySet<string> = new Set(['MAIL', 'RCPT', 'DATA', 'content'])

/** How it is known that the gateway accepted a message. */
const proofOf = ({ foundInMailbox, reply }: Handover): string =>
  foundInMailbox ? 'the message is in the mailbox' : (reply?.text ?? 'no reply')

export function accepts(
  handover: Handover,
  { version, tls = false }: { version?: string; tls?: boolean } = {},
): Observation {
  const { accepted, reply, breakdown, stage } = handover
  if (breakdown) {
    const ended = `the session ended at ${stage}`
    const detail = `${ended}: ${breakdown.detail}`
    // Whoever closes before the greeting says nothing of the message, and servers do so under load.
    return UNKNOWN.has(breakdown.kind) || stage === 'greeting'
      ? unclear(detail)
      : because(broken(detail, ended), lackOf(handover, version))
  }
  const excuse = !accepted && reply && putOff(reply, stage)
  if (excuse) return unclear(excuse)
  if (!accepted) {
    const refusal = `the gateway refused the message at ${stage}`
    const seen = broken(
      `${refusal}: ${reply?.text ?? 'no reply'}`,
      `${refusal}${reply ? `: ${reply.code}` : ''}`,
    )
    const declines = reply && OF_MESSAGE.has(stage) && !namesTls(reply)
    return because(declines ? { ...seen, byReply: true } : seen, lackOf(handover, version))
  }
  const session = handover.conversations.at(-1)!
  // The tap does not know in which of several sessions the message came.
  const sessions = session.overheard ? handover.conversations : [session]
  const versions = sessions.map(({ handshake }) => handshake?.version)
  const agreed = versions.find(one => version && one !== version) ?? versions.at(-1)
  if (tls && !secured(session))
    return broken(
      `the gateway accepted the unencrypted message: ${proofOf(handover)}`,
      'the gateway accepted the unencrypted message',
    )
  if (version && agreed !== version)
    return broken(
      `the gateway accepted the message over ${agreed ? spoken(agreed) : 'no TLS'}, not ${spoken(version)}`,
    )
  const how = secured(session) ? `over ${spoken(agreed ?? 'TLS')}` : 'unencrypted'
  return kept(`the gateway accepted the message ${how}: ${proofOf(handover)}`)
}

/** As `accepts`, and the message came without TLS. */
export function acceptsUnencrypted(handover: Handover): Observation {
  const seen = accepts(handover)
  const session = handover.conversations.at(-1)
  return seen.kind === 'kept' && session && secured(session)
    ? broken(
        `the gateway accepted the message over ${spoken(session.handshake?.version ?? 'TLS')}, not unencrypted`,
      )
    : seen
}

/** What a gateway does not do that refuses a sound client. `version`: the only one that the client speaks. */
function lackOf({ stage, message, conversations }: Handover, version?: string): Lack {
  const atTls = stage === 'STARTTLS' || stage === 'handshake'
  const overTls = conversations.some(secured)
  return {
    what: atTls ? 'starts TLS' : overTls ? 'takes mail over TLS' : 'takes mail unencrypted',
    domain: domainOf(message.from),
    ...(version === undefined ? {} : { version }),
  }
}

/** Empty for the null return path. */
const domainOf = (address: string): string => address.split('@').at(-1)!

/**
 * The gateway refused the message with a reply, or by ending the handshake, or right after the handshake, as servers do
 * with TLS 1.3. `acceptsOthers`: the gateway accepts mail of others afterwards; a gateway that crashed, or that refuses
 * everybody, has not refused this message in particular.
 */
export function refuses(handover: Handover, acceptsOthers: boolean): Observation {
  const { accepted, reply, breakdown, stage } = handover
  if (accepted)
    return broken(
      `the gateway accepted the message: ${proofOf(handover)}`,
      'the gateway accepted the message',
    )
  // Before TLS the gateway knows nothing of the client or its message, so such a refusal has another reason.
  const early = stage === 'greeting' || stage === 'STARTTLS' || (stage === 'EHLO' && !reply?.secured)
  if (reply && early)
    return unclear(`the gateway refused at ${stage} already, before it knew the message: ${reply.text}`)
  if (reply && reply.code < 400)
    return unclear(`at ${stage} the gateway neither accepted nor refused: ${reply.text}`)
  const excuse = reply && !acceptsOthers && putOff(reply, stage)
  if (excuse) return unclear(excuse)
  if (reply && !acceptsOthers)
    return unclear(`the gateway refused at ${stage}, and it refuses the mail of others too: ${reply.text}`)
  if (reply) return refused(`the gateway refused at ${stage}: ${reply.text}`)
  if (!breakdown || UNKNOWN.has(breakdown.kind)) return unclear(breakdown?.detail ?? 'the lab saw nothing')
  if (!acceptsOthers)
    return unclear(`the session ended at ${stage}, and the gateway accepts no mail of others`)
  if (breakdown.kind === 'unexpected answer') return unclear(`at ${stage}: ${breakdown.detail}`)
  const atHandshake = stage === 'handshake' || (stage === 'EHLO' && handover.conversations.some(secured))
  if (!atHandshake && stage !== 'MAIL' && stage !== 'RCPT')
    return unclear(`the connection ended at ${stage} without a reply: ${breakdown.detail}`)
  const alert = handover.conversations
    .at(-1)
    ?.events.find(({ kind, from }) => kind === 'alert' && from === 'receiver')
  return refused(`the gateway refused at ${stage}: ${alert?.text ?? breakdown.detail}`)
}

/** The reply demands TLS: by its code (RFC 3207 s4), by its enhanced status (RFC 5248 s2.4), or in its words. */
const demandsTls = ({ code, enhanced = '', lines }: Reply): boolean =>
  code === 530 || /^[45]\.7\.1[01]$/.test(enhanced) || /TLS|SSL|encrypt|secure/i.test(lines.join(' '))

/** The gateway refused an unencrypted message with a reply that says that TLS is the reason. */
export function refusesWithoutTls(handover: Handover): Observation {
  const { accepted, reply, breakdown, stage } = handover
  if (accepted)
    return broken(
      `the gateway accepted the unencrypted message: ${proofOf(handover)}`,
      'the gateway accepted the unencrypted message',
    )
  if (breakdown || !reply) return unclear(`the session ended at ${stage}: ${breakdown?.detail ?? 'no reply'}`)
  if (!['MAIL', 'RCPT', 'DATA', 'content'].includes(stage))
    return unclear(`the gateway refused at ${stage} already, before it knew the message: ${reply.text}`)
  if (reply.code < 400) return unclear(`at ${stage} the gateway neither accepted nor refused: ${reply.text}`)
  const excuse = demandsTls(reply) ? undefined : putOff(reply, stage)
  if (excuse) return unclear(excuse)
  if (!demandsTls(reply))
    return unclear(
      `the gateway refused the unencrypted message at ${stage}, perhaps for another reason than TLS: ${reply.text}`,
    )
  return refused(`the gateway refused the unencrypted message at ${stage}: ${reply.text}`)
}

/** The gateway refused the handshake itself. `acceptsOthers`: it accepts mail of others afterwards. */
export function refusesHandshake(handover: Handover, acceptsOthers: boolean): Observation {
  const [session] = handover.conversations
  const { breakdown, stage, reply } = handover
  if (!session) return unclear(breakdown?.detail ?? 'there was no connection')
  if (secured(session))
    return broken(`the handshake succeeded with ${spoken(session.handshake?.version ?? 'unknown')}`)
  if (stage === 'STARTTLS' && reply) return unclear(`the gateway refused STARTTLS: ${reply.text}`)
  if (stage !== 'handshake' || !breakdown)
    return unclear(`there was no handshake; the session ended at ${stage}`)
  if (breakdown.kind === 'no answer') return unclear(breakdown.detail)
  if (!acceptsOthers) return unclear('the handshake failed, and the gateway accepts no mail of others')
  const alert = session.events.find(({ kind, from }) => kind === 'alert' && from === 'receiver')
  if (alert) return refused(`the gateway refused the handshake: ${alert.text}`)
  return refused(`the gateway refused the handshake without an alert: ${breakdown.detail}`)
}

/** In a session that is resumed a gateway asks for none: it asked when the session began, on an earlier connection. */
export function asksForCertificate({ conversations, earlier = [] }: Handover): Observation {
  if (!conversations.some(({ handshake }) => handshake))
    return kept('there was no TLS, so the gateway could not ask for a certificate')
  return [...earlier, ...conversations].some(({ handshake }) => handshake?.clientCertificateRequested)
    ? kept('the gateway asked for a certificate')
    : broken('the gateway never asked for a certificate')
}

/** The mailbox holds the message, with `unchanged` the same text. `overtaken`: a later message is there and this one is not. */
export function reaches(
  handover: Handover,
  mails: readonly Mail[],
  { unchanged = false, overtaken = false } = {},
): Observation {
  const mail = mails[0]
  if (!mail) {
    if (!handover.accepted) {
      const seen = accepts(handover)
      return seen.kind === 'broken' ? seen : unclear(seen.detail)
    }
    if (overtaken)
      return because(
        broken('the gateway accepted the message and lost it: a later message is in the mailbox'),
        { what: 'keeps mail', domain: domainOf(handover.message.from) },
      )
    return unclear('the gateway accepted the message, but the message did not reach the mailbox in time')
  }
  if (mails.length > (handover.copies ?? 1))
    return broken(
      `the mailbox got the message more than once: ${mails.length} times`,
      'the mailbox got the message more than once',
    )
  if (unchanged && textOf(mail.content) !== textOf(handover.message.content))
    return broken('the text in the mailbox is not the one that was sent')
  const header = unchanged && changedHeader(handover.message.content, mail.content)
  if (header) return broken(`the mailbox has another ${header} than was sent`)
  return kept(unchanged ? 'the mailbox got the message unchanged' : 'the mailbox got the message')
}

/** Where the lab cannot look into a mailbox, the reply to the message is all that is known of its arrival. */
export function acceptedWithoutMailbox(handover: Handover): Observation {
  const seen = accepts(handover)
  return seen.kind === 'kept'
    ? kept('the gateway accepted the message with 250; no mailbox is named in which it could be seen')
    : seen
}

export function refusedWithoutMailbox({ accepted, reply, breakdown, stage }: Handover): Observation {
  if (accepted) return broken('the gateway accepted the message with 250')
  if (breakdown && !UNKNOWN.has(breakdown.kind) && stage !== 'content')
    return refused(`the session ended at ${stage}, before the client sent the message`)
  return reply
    ? refused('the gateway did not accept the message; no mailbox is named in which it could be seen')
    : unclear('without a mailbox nobody can tell whether the message arrived')
}

/** `later`: a message that was sent afterwards is in the mailbox, so an earlier one would be there too. */
export function doesNotReach(mails: readonly Mail[], later: boolean): Observation {
  if (mails.length > 0) return broken('the message reached the mailbox')
  return later
    ? refused('the mailbox got a later message and not this one')
    : unclear('not even a later message reached the mailbox')
}

/** Why nothing can be said of what a message became; nothing where the gateway has accepted it. */
export function notTaken(handover: Handover): Observation | undefined {
  const taken = accepts(handover)
  return taken.kind === 'kept' ? undefined : unclear(taken.detail)
}

export function replyIs(reply: Reply, code: number, enhanced?: string): Observation {
  if (reply.code !== code) return broken(`the reply is ${reply.text}`, `the reply is ${reply.code}`)
  if (enhanced && reply.enhanced !== enhanced) {
    const status = `the reply has status ${reply.enhanced ?? 'none'}, not ${enhanced}`
    return broken(`${status}: ${reply.text}`, status)
  }
  return reply.code >= 400 ? refused(`the reply is ${reply.text}`) : kept(`the reply is ${reply.text}`)
}
