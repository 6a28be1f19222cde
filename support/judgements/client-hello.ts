import { isBroken, oldHash } from '../catalogue/tls-profiles.ts'
import { hellosIn, versionsOffered } from '../evidence/client-hellos.ts'
import { countedConnections, eventsAfterGoAhead, secured, startedTls } from '../evidence/facts.ts'
import { broken, kept, type Observation, refused, unclear } from '../verdicts/observation.ts'
import type { ClientHello, Conversation } from '../wire/conversation.ts'
import { EXTENSION } from '../wire/tls/craft-hello.ts'
import { alertName, bitsOfCurve, opensslName, spoken } from '../wire/tls/tls-names.ts'

const EARLY_DATA = 42
const FATAL = 2

/** The parts of a ClientHello that are of this kind, in the words of a report; empty where it offers none. */
type Part = (hello: ClientHello) => readonly string[]

/** What a ClientHello can offer, in the words of the features. */
export const PARTS = {
  'SSL 2 or SSL 3': hello =>
    versionsOffered(hello)
      .filter(name => name.startsWith('SSL'))
      .map(spoken),
  'suites with less than 112 bits of strength': ({ suites }) => suites.filter(isBroken).map(opensslName),
  'suites with 3DES': ({ suites }) => suites.filter(name => name.includes('3DES')).map(opensslName),
  'curves of less than 224 bits': ({ groups }) => groups.filter(name => bitsOfCurve(name) < 224),
  'signatures with SHA-1 or MD5': ({ signatureAlgorithms }) => signatureAlgorithms.filter(oldHash),
  'a dangerous option': ({ compressions, extensions }) => [
    ...(compressions.some(method => method > 0) ? ['TLS compression'] : []),
    ...(extensions.includes(EXTENSION.truncatedHmac) ? ['truncated HMAC'] : []),
    ...(extensions.includes(EARLY_DATA) ? ['early data'] : []),
  ],
} as const satisfies Record<string, Part>
export type PartName = keyof typeof PARTS

/** No ClientHello of the gateway offered this. */
export function offersNo(conversations: readonly Conversation[], name: PartName): Observation {
  const hellos = hellosIn(conversations)
  if (hellos.length === 0) return unclear('the lab saw no ClientHello')
  const offered = new Set(hellos.flatMap(hello => (PARTS[name] as Part)(hello)))
  return offered.size === 0
    ? kept(`the gateway offered no ${name}, in ${hellosCounted(hellos)}`)
    : broken(`the gateway offered ${name}: ${[...offered].join(', ')}`, `the gateway offered ${name}`)
}

const hellosCounted = ({ length }: readonly ClientHello[]): string =>
  length === 1 ? 'its only ClientHello' : `all of its ${length} ClientHellos`

const belowTls13 = ({ versions }: ClientHello): boolean => versions.some(version => version !== 'TLSv1.3')

/** Every ClientHello that offers TLS 1.2 offered secure renegotiation (RFC 5746) and the extended master secret (RFC 7627). */
export function offersProtection(conversations: readonly Conversation[]): Observation {
  const hellos = hellosIn(conversations)
  if (hellos.length === 0) return unclear('the lab saw no ClientHello')
  const old = hellos.filter(belowTls13)
  const missing = [
    ...(old.every(({ renegotiationInfo }) => renegotiationInfo) ? [] : ['secure renegotiation']),
    ...(old.every(({ extensions }) => extensions.includes(EXTENSION.extendedMasterSecret))
      ? []
      : ['the extended master secret']),
  ]
  return missing.length === 0
    ? kept('the gateway offered secure renegotiation and the extended master secret')
    : broken(`the gateway did not offer ${missing.join(' and ')}`)
}

/**
 * Every ClientHello names the mail exchanger to which the gateway connected, or the domain of the partner, or no server. A name
 * is a DNS name without a dot at its end: RFC 6066 s3; whether there is one is local policy: RFC 9325 s3.7. ID-05.
 */
export function namesServer(conversations: readonly Conversation[], domain: string): Observation {
  const begun = conversations.filter(startedTls)
  if (hellosIn(begun).length === 0) return unclear('the lab saw no ClientHello')
  const named = begun.flatMap(one => hellosIn([one]).map(({ serverName }) => ({ one, serverName })))
  const wrong = named.find(
    ({ one, serverName }) =>
      serverName !== undefined &&
      ![one.receiver, domain].some(name => name.toLowerCase() === serverName.toLowerCase()),
  )
  if (wrong)
    return broken(
      `to ${wrong.one.receiver} the gateway named the server ${wrong.serverName}`,
      'the gateway named the server ',
    )
  const names = new Set(named.map(({ serverName }) => serverName ?? 'no server'))
  return kept(`the gateway named ${[...names].join(' and ')}`)
}

/** Connections on which the gateway sent a ClientHello, which the partner answered with what it had crafted. */
const answered = (conversations: readonly Conversation[]): Conversation[] =>
  conversations.filter(one => startedTls(one) && one.events.some(({ kind }) => kind === 'server-hello'))

const fatalAlertIn = (conversation: Conversation): string | undefined => {
  const alert = conversation.events.find(
    event => event.kind === 'alert' && event.from === 'sender' && event.level === FATAL,
  )
  return alert?.kind === 'alert' ? alertName(alert.description) : undefined
}

/** The gateway broke off every handshake at the answer of the partner. It did not break off where it waited for the partner. */
export function breaksOff(conversations: readonly Conversation[]): Observation {
  const all = answered(conversations)
  if (all.length === 0) return unclear('the partner answered no ClientHello of the gateway')
  if (all.some(one => secured(one) || one.events.some(({ kind }) => kind === 'key-exchange')))
    return broken('the gateway accepted the answer of the partner and went on with the handshake')
  const alerts = all.map(fatalAlertIn)
  const left = all.every(
    (one, at) =>
      alerts[at] !== undefined ||
      eventsAfterGoAhead(one).some(({ kind, from }) => kind === 'close' && from === 'sender'),
  )
  if (!left) return unclear('the gateway neither went on with the handshake nor broke it off')
  const how = [...new Set(alerts.map(alert => (alert ? `with the alert ${alert}` : 'without an alert')))]
  return refused(`the gateway broke off the handshake ${how.join(' and ')}, on ${countedConnections(all)}`)
}

/** As `breaksOff`, and each time with a fatal alert. */
export function breaksOffWithAlert(conversations: readonly Conversation[]): Observation {
  const seen = breaksOff(conversations)
  if (seen.kind !== 'kept') return seen
  return answered(conversations).every(one => fatalAlertIn(one) !== undefined)
    ? seen
    : broken('the gateway broke off the handshake without an alert')
}

/** As `breaksOffWithAlert`. A gateway without TLS 1.3 has nothing of which the mark could warn it: RFC 8446 s4.1.3. */
export function heedsMark(conversations: readonly Conversation[]): Observation {
  const hellos = hellosIn(conversations)
  return hellos.length > 0 && hellos.every(hello => !versionsOffered(hello).includes('TLSv1.3'))
    ? unclear('the gateway offers TLS 1.2 at most, so the mark of a downgrade says nothing to it')
    : breaksOffWithAlert(conversations)
}
