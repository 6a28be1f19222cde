import { hellosIn, versionsOffered } from '../evidence/client-hellos.ts'
import {
  closedInsteadOfHandshake,
  commands,
  countedConnections,
  eventsAfterGoAhead,
  GIVES_AWAY,
  secured,
  sentBehindStarttls,
  startedTls,
} from '../evidence/facts.ts'
import { duration } from '../quantities.ts'
import { broken, kept, type Observation, refused, unclear } from '../verdicts/observation.ts'
import type { Conversation } from '../wire/conversation.ts'
import { spoken } from '../wire/tls/tls-names.ts'

/** Commands that a client may send unencrypted, before TLS; RFC 3207 s4. */
const BEFORE_TLS = ['EHLO', 'HELO', 'STARTTLS', 'NOOP', 'RSET', 'QUIT']

/** No part of a message crossed unencrypted: neither its envelope nor its text. */
export function nothingInClear(conversations: readonly Conversation[], token: string): Observation {
  if (conversations.length === 0)
    return unclear('the lab saw no connection, so it is not known what crossed one')
  for (const conversation of conversations) {
    if (conversation.clear.fromSender.includes(token))
      return broken('the message crossed the wire unencrypted')
    const command = commands(conversation).find(({ verb, secured }) => !secured && GIVES_AWAY.includes(verb))
    if (command) return broken(`${command.verb} crossed the wire unencrypted`)
    const early = sentBehindStarttls(conversation)
    if (early) return broken(`${early} crossed the wire unencrypted, behind STARTTLS`)
  }
  if (conversations.some(({ truncated }) => truncated))
    return unclear(
      'the gateway sent more than the lab keeps, so the lab does not know all that crossed unencrypted',
    )
  return refused(`no part of the message crossed unencrypted on ${countedConnections(conversations)}`)
}

/** Only the greeting, EHLO and STARTTLS crossed unencrypted; everything after them crossed inside TLS. */
export function onlyGreetingInClear(conversations: readonly Conversation[], token: string): Observation {
  if (!conversations.some(secured)) return unclear('there was no TLS session')
  for (const conversation of conversations) {
    const { clear, events } = conversation
    if (clear.fromSender.includes(token)) return broken('the message crossed the wire unencrypted')
    const command = commands(conversation).find(({ verb, secured }) => !secured && !BEFORE_TLS.includes(verb))
    if (command) return broken(`${command.verb} crossed the wire unencrypted`)
    const early = sentBehindStarttls(conversation)
    if (early) return broken(`${early} crossed the wire unencrypted, behind STARTTLS`)
    const up = events.findIndex(({ kind }) => kind === 'established')
    const stray =
      up < 0 ? undefined : events.slice(up).find(event => event.kind === 'bytes' && !event.secured)
    if (stray)
      return broken(
        `after the handshake, bytes crossed outside of TLS: ${stray.text.slice(0, 100)}`,
        'after the handshake, bytes crossed outside of TLS',
      )
  }
  return kept('only the greeting, EHLO and STARTTLS crossed unencrypted; everything else crossed inside TLS')
}

/** The gateway sent no MAIL before TLS. */
export function noMailBeforeTls(conversations: readonly Conversation[]): Observation {
  const early = conversations.flatMap(commands).find(({ verb, secured }) => !secured && verb === 'MAIL')
  return early ? broken('the gateway sent MAIL before TLS') : kept('the gateway sent no MAIL before TLS')
}

/** The gateway sent no MAIL at all, neither inside TLS nor unencrypted. */
export function noMail(conversations: readonly Conversation[]): Observation {
  if (conversations.length === 0) return unclear('the lab saw no connection')
  const mail = conversations.flatMap(commands).find(({ verb }) => verb === 'MAIL')
  return mail
    ? broken(`the gateway sent MAIL ${mail.secured ? 'inside TLS' : 'unencrypted'}`)
    : refused(`the gateway sent no MAIL on ${countedConnections(conversations)}`)
}

/**
 * The gateway ended no session without QUIT: RFC 5321 s4.1.1.10, RFC 3207 s4.1. It need not say QUIT where it broke the
 * handshake off, also just after its end (RFC 8446 s6.2), and cannot where the partner ended the session first.
 */
export function leftWithQuit(conversations: readonly Conversation[]): Observation {
  if (conversations.length === 0) return unclear('the lab saw no connection')
  const sessions = conversations.filter(one => !startedTls(one) || commands(one).some(said => said.secured))
  if (sessions.some(({ closed }) => !closed)) return unclear('a connection to the partner is still open')
  const rude = sessions.find(one => endedBySender(one) && !saysQuit(one))
  return rude
    ? broken('the gateway ended the session without QUIT')
    : kept(`the gateway ended no session without QUIT, on ${countedConnections(sessions)}`)
}

const saysQuit = (conversation: Conversation): boolean =>
  commands(conversation).some(({ verb }) => verb === 'QUIT')

const endedBySender = ({ events }: Conversation): boolean =>
  events.find(({ kind }) => kind === 'close' || kind === 'error')?.from === 'sender'

/** Much longer than a gateway needs that does not wait on purpose, in ms. */
const DELAY = 10_000

/** From the partner's reply to EHLO to MAIL, the gateway did not wait on purpose. EXO-OPP-04. */
export function noDelayBeforeMail(conversations: readonly Conversation[]): Observation {
  const delays = conversations.flatMap(({ events }) => {
    const mail = events.findIndex(event => event.kind === 'command' && event.verb === 'MAIL')
    return mail > 0 ? [events[mail]!.at - events[mail - 1]!.at] : []
  })
  if (delays.length === 0) return unclear('the gateway sent no MAIL')
  const longest = Math.max(...delays)
  return longest > DELAY
    ? broken(`the gateway waited ${duration(longest)} before MAIL`, 'the gateway waited')
    : kept('the gateway sent MAIL without delay')
}

/** After the go-ahead to STARTTLS the gateway sent nothing but TLS on the connection; RFC 3207 s4. */
export function nothingButHandshake(conversations: readonly Conversation[]): Observation {
  const started = conversations.filter(startedTls)
  if (started.length === 0) return unclear('the gateway did not start TLS, so no handshake could break')
  for (const conversation of started) {
    const after = eventsAfterGoAhead(conversation).filter(
      ({ from, secured }) => from === 'sender' && !secured,
    )
    const wrong = after.find(({ kind }) => kind === 'command' || kind === 'bytes' || kind === 'content')
    if (wrong)
      return broken(
        `after the go-ahead to STARTTLS the gateway sent ${wrong.text.slice(0, 100)} unencrypted`,
        'after the go-ahead to STARTTLS the gateway sent',
      )
  }
  // A partner that closes at once may close before the ClientHello arrives.
  if (!started.some(conversation => eventsAfterGoAhead(conversation).some(({ kind }) => kind === 'hello')))
    return refused('the gateway sent nothing after the go-ahead to STARTTLS')
  return refused(
    `after the go-ahead to STARTTLS the gateway sent a handshake and nothing else, on ${countedConnections(started)}`,
  )
}

/** The first bytes that the gateway sent after the go-ahead to STARTTLS were a ClientHello. */
export function handshakeFirst(conversations: readonly Conversation[]): Observation {
  const started = conversations.filter(startedTls)
  if (started.length === 0) return unclear('the gateway did not start TLS')
  for (const conversation of started) {
    const first = eventsAfterGoAhead(conversation).find(({ from }) => from === 'sender')
    if (first && first.kind !== 'hello')
      return broken(
        `the first thing that the gateway sent after the go-ahead was ${first.text.slice(0, 100)}`,
        'the first thing that the gateway sent after the go-ahead was',
      )
    if (!first) return unclear('the gateway sent nothing after the go-ahead')
  }
  return kept('the first bytes that the gateway sent after the go-ahead were a ClientHello')
}

/**
 * Inside TLS the gateway greeted again and used no extension that the partner had listed before TLS only.
 * `offeredBeforeTls`: the keywords of these extensions.
 */
export function greetedAgain(
  conversations: readonly Conversation[],
  offeredBeforeTls: readonly string[],
): Observation {
  const session = conversations.find(secured)
  if (!session) return unclear('there was no TLS session')
  const inside = commands(session).filter(event => event.secured)
  if (inside[0]?.verb !== 'EHLO' && inside[0]?.verb !== 'HELO')
    return broken(`the first command of the gateway inside TLS was ${inside[0]?.verb ?? 'none'}, not EHLO`)
  const words = offeredBeforeTls.map(keyword => (keyword === 'CHUNKING' ? 'BDAT' : keyword.toUpperCase()))
  // An address may have the keyword in it by chance.
  const used = inside.find(({ verb, argument }) => {
    const said = `${verb} ${argument.replace(/<[^>]*>/, '')}`.toUpperCase()
    return words.some(word => said.includes(word))
  })
  if (used)
    return broken(
      `the gateway used what the partner offered before TLS only: ${used.text.slice(0, 100)}`,
      `the gateway used what the partner offered before TLS only: ${used.verb}`,
    )
  return kept(
    'the gateway greeted again inside TLS and used nothing that the partner offered before TLS only',
  )
}

/** The gateway sent STARTTLS at most once on each connection, whatever the partner offered. */
export function startedOnce(conversations: readonly Conversation[]): Observation {
  const again = conversations.find(
    conversation => commands(conversation).filter(({ verb }) => verb === 'STARTTLS').length > 1,
  )
  return again
    ? broken('the gateway sent STARTTLS again inside TLS')
    : kept('the gateway sent STARTTLS once on each connection')
}

/**
 * Inside TLS the gateway sent MAIL only after the reply to EHLO, so that it used no reply that was smuggled in before TLS.
 * `alive`: the gateway greets on a new connection afterwards; a gateway that crashed has refused nothing.
 */
export function waitedForReply(
  conversations: readonly Conversation[],
  { smuggled, alive }: { smuggled: string; alive: boolean },
): Observation {
  const sessions = conversations.filter(secured)
  if (sessions.length === 0) {
    // A gateway that refuses such a handshake used nothing that was smuggled.
    const hello = conversations.some(({ events }) => events.some(({ kind }) => kind === 'hello'))
    if (hello) return refused('the gateway broke off the handshake')
    if (!conversations.some(closedInsteadOfHandshake)) return unclear('the gateway began no handshake')
    return alive
      ? refused('the gateway ended the session at what was smuggled')
      : unclear('the gateway ended the session at what was smuggled, and it does not greet any more')
  }
  for (const session of sessions) {
    const inside = session.events.filter(
      event => event.secured && (event.kind === 'command' || event.kind === 'reply'),
    )
    // Exim looks for smuggled bytes after the handshake, and ends the session when it finds some.
    if (!inside.some(({ kind }) => kind === 'command')) continue
    const ehlo = inside.findIndex(event => event.kind === 'command' && event.verb === 'EHLO')
    if (ehlo < 0) return broken('the gateway did not greet inside TLS')
    const next = inside.slice(ehlo + 1).findIndex(({ kind }) => kind === 'command')
    const answered = inside
      .slice(ehlo + 1, next < 0 ? undefined : ehlo + 1 + next)
      .some(event => event.kind === 'reply' && event.code === 250 && event.last)
    if (next >= 0 && !answered)
      return broken(
        `the gateway went on before the reply inside TLS: ${inside[ehlo + 1 + next]!.text.slice(0, 100)}`,
        'the gateway went on before the reply inside TLS',
      )
    const used = inside.some(event => event.kind === 'command' && event.verb === 'AUTH')
    if (used) return broken(`the gateway used the smuggled ${smuggled}: AUTH`)
    if (!answered) return unclear('the session ended before the reply inside TLS')
    const began = inside.some(event => event.kind === 'command' && event.verb === 'DATA')
    if (began && !session.events.some(({ kind }) => kind === 'content'))
      return broken('inside TLS the gateway took one reply for another: it sent DATA and no message')
  }
  return refused(
    'the gateway waited for the reply inside TLS, or ended the session, and used nothing that was smuggled',
  )
}

/** No ClientHello offered a version below TLS 1.2. */
export function offersNoOldVersion(conversations: readonly Conversation[]): Observation {
  const offered = new Set(hellosIn(conversations).flatMap(versionsOffered))
  if (offered.size === 0) return unclear('the lab saw no ClientHello')
  const old = [...offered].find(version => /^(SSL|TLSv1$|TLSv1\.1$)/.test(version))
  if (old) return broken(`the gateway offered ${spoken(old)}`)
  return kept(`the gateway offered ${[...offered].map(spoken).join(' and ')} only`)
}

/** No session had a version below TLS 1.2. */
export function noOldSession(conversations: readonly Conversation[]): Observation {
  const old = conversations.find(conversation => {
    const version = conversation.handshake?.version
    return secured(conversation) && version !== undefined && !['TLSv1.2', 'TLSv1.3'].includes(version)
  })
  if (old) return broken(`the gateway used ${spoken(old.handshake!.version!)}`)
  if (!conversations.some(startedTls)) return unclear('the gateway began no handshake')
  return refused('there was no session with a version older than TLS 1.2')
}

/** Every session had an ephemeral key exchange: whoever gets the server's key later cannot read the session. */
export function hadForwardSecrecy(conversations: readonly Conversation[]): Observation {
  const sessions = conversations.filter(secured)
  if (sessions.length === 0) return unclear('there was no TLS session')
  const without = sessions.find(({ handshake }) => !handshake?.ephemeral && !handshake?.resumed)
  if (without) return broken(`the session used ${without.handshake?.suite}, without forward secrecy`)
  if (sessions.some(({ handshake }) => handshake?.resumed))
    return unclear('a session was resumed, so the lab did not see its key exchange')
  const groups = new Set(sessions.map(({ handshake }) => handshake?.group ?? handshake?.suite))
  return kept(`the session had forward secrecy by ${[...groups].join(' and ')}`)
}

/** No later ClientHello offered a lower highest version than the first one; RFC 7507. */
export function noLowerOffer(conversations: readonly Conversation[]): Observation {
  const offers = conversations.flatMap(({ handshake }) => handshake?.offered ?? [])
  if (offers.length === 0) return unclear('the lab saw no ClientHello')
  const highest = offers.map(({ versions }) => [...versions].sort().at(-1) ?? '')
  const lower = highest.find(version => version < highest[0]!)
  if (lower)
    return broken(
      `a later handshake of the gateway offered ${spoken(lower)} at most, after ${spoken(highest[0]!)}`,
    )
  return kept(
    `${offers.length === 1 ? 'the one handshake of the gateway' : `all ${offers.length} handshakes of the gateway`} offered up to ${spoken(highest[0]!)}`,
  )
}

/** The gateway may send to each recipient at a partner on a connection of its own: RFC 5321 s4.5.4.1. */
export function singleConnection(conversations: readonly Conversation[]): Observation {
  if (conversations.length === 0) return unclear('the lab saw no connection')
  if (conversations.length === 1) return kept('the gateway used a single connection')
  const named = conversations.map(
    one =>
      new Set(
        commands(one).flatMap(({ verb, address }) => (verb === 'RCPT' ? [address?.toLowerCase() ?? ''] : [])),
      ),
  )
  const isApart = named.every(
    (own, at) => own.size > 0 && named.every((other, place) => place === at || own.isDisjointFrom(other)),
  )
  return isApart
    ? kept('the gateway used a single connection for each recipient')
    : broken(`the gateway used ${countedConnections(conversations)}`)
}
