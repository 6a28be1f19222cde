import { secured } from '../evidence/facts.ts'
import type { SessionWord } from '../evidence/gateway-words.ts'
import { broken, kept, type Observation, unclear } from '../verdicts/observation.ts'
import type { Conversation } from '../wire/conversation.ts'
import { sameSuite } from '../wire/tls/tls-names.ts'

/** What a log can call a session; `encrypted` says nothing about the certificate of the other side. */
export const SESSION_CLASSES = ['unencrypted', 'encrypted', 'unverified', 'verified'] as const
export type SessionClass = (typeof SESSION_CLASSES)[number]

/** The log says about the TLS of a session what the wire shows. */
export function logAgreesWithWire(
  words: readonly SessionWord[],
  expected: SessionClass,
  wire: readonly Conversation[],
): Observation {
  const session = wire.find(secured)
  const word = words.findLast(({ tls }) => tls) ?? words.at(-1)
  if (expected === 'unencrypted') {
    if (session) return unclear('the session was encrypted')
    return word?.tls
      ? broken(
          `the log calls an unencrypted session encrypted: ${word.line}`,
          'the log calls an unencrypted session encrypted',
        )
      : kept('the log claims no TLS')
  }
  if (!session) return unclear('there was no TLS session')
  if (!word?.tls) return broken('the log does not say that the session was encrypted')
  const version = session.handshake?.version
  if (!word.version && !word.suite) return broken('the log tells neither version nor suite of the session')
  if (word.version && version && !sameVersion(word.version, version))
    return broken(`the wire had ${version}, the log says ${word.version}`)
  const suite = session.handshake?.suite
  if (word.suite && suite && !sameSuite(word.suite, suite))
    return broken(`the wire had ${suite}, the log says ${word.suite}`)
  if (expected === 'verified' && word.verified === false)
    return broken('the log calls a session with a good certificate unverified')
  if (expected === 'unverified' && word.verified)
    return broken(
      `the log calls a session without a good certificate verified: ${word.line}`,
      'the log calls a session without a good certificate verified',
    )
  return kept(`the log agrees with the wire: ${[word.version, word.suite].filter(Boolean).join(', ')}`)
}

/** The log tells of TLS in as many sessions with the partner as had it, so that the loss of it can be seen: DGR-06. */
export function tellsWhichHadTls(words: readonly SessionWord[], wire: readonly Conversation[]): Observation {
  // Two messages to one partner have the same connections.
  const connections = [...new Map(wire.map(one => [one.id, one])).values()]
  const had = connections.filter(secured).length
  if (had === 0) return unclear('there was no TLS session')
  const told = words.filter(({ tls }) => tls)
  if (told.length > had)
    return broken(
      `the log tells of TLS in more sessions than had it, ${told.length} in place of ${had}: ${told.at(-1)!.line}`,
      'the log tells of TLS in more sessions than had it',
    )
  if (told.length < had)
    return broken(
      `the log tells of TLS in ${told.length || 'none'} of the sessions that had it, which were ${had}`,
      'of the sessions that had it',
    )
  return kept(`the log tells of TLS in just the ${had} of ${connections.length} sessions that had it`)
}

function sameVersion(one: string, other: string): boolean {
  const digits = (text: string) => /1(?:\.\d)?/.exec(text)?.[0].replace(/^1$/, '1.0')
  return digits(one) === digits(other)
}
