import { secured } from '../evidence/facts.ts'
import type { Handover } from '../evidence/handover.ts'
import { headersOf, type Mail } from '../evidence/mail.ts'
import { pathTo } from '../mailflow/domains.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { broken, kept, type Observation, unclear } from '../verdicts/observation.ts'
import type { Conversation } from '../wire/conversation.ts'
import { isSuiteName, sameGroup, sameSuite, spoken } from '../wire/tls/tls-names.ts'
import { notTaken } from './inbound.ts'

/** The gateway's own Received line says about the hop what the wire shows; RFC 3848 and RFC 5321 s4.4. */
export function receivedLineIsTrue(handover: Handover, mail: Mail | undefined): Observation {
  const line = ownLine(handover, mail)
  return typeof line === 'string' ? isTrueOf(line, handover.conversations.at(-1)!) : line
}

function ownLine(handover: Handover, mail: Mail | undefined): string | Observation {
  if (!mail) return notTaken(handover) ?? unclear('the message is not in the mailbox')
  const own = headersOf(handover.message.content).filter(({ name }) => name === 'received').length
  const lines = headersOf(mail.content).filter(({ name }) => name === 'received')
  const added = lines.slice(0, lines.length - own)
  // Each hop inside the gateway adds a line; the lowest line is about the hop from the client.
  return added.at(-1)?.value ?? broken('the gateway added no Received line')
}

/** As `receivedLineIsTrue`, for a message that other servers have added lines to. `hop`: the one to the server of `flow`. */
export function ownReceivedLineIsTrue(
  content: string | undefined,
  flow: Names,
  hop: Conversation | undefined,
): Observation {
  if (content === undefined || !hop) return unclear('the message is not in the mailbox')
  const lines = headersOf(content).filter(({ name, value }) => name === 'received' && isBy(value, flow))
  // Each hop inside the server adds a line; the lowest line is about the hop to the server.
  const line = lines.at(-1)?.value
  return line === undefined ? broken('the gateway added no Received line') : isTrueOf(line, hop)
}

/**
 * The gateway's own Received line tells of the hop from the client whether it was encrypted, with whom it was and when: RFC
 * 3848, RFC 5321 s4.4. What it says of the session besides, `receivedLineIsTrue` judges. EXO-VER-06.
 */
export function receivedLineTraces(handover: Handover, mail: Mail | undefined): Observation {
  const line = ownLine(handover, mail)
  if (typeof line !== 'string') return line
  const { said, wrong } = claimOf(line, handover.conversations.at(-1)!)
  if (wrong) return wrong
  const client = /^\s*from\s+(\S+)/i.exec(line)?.[1]
  const time = line.split(';').at(-1)!.trim()
  if (client === undefined) return broken('its Received line does not say from whom the message came')
  if (!line.includes(';') || Number.isNaN(Date.parse(time.replace(/\s*\([^)]*\)/g, ''))))
    return broken('its Received line does not say when the message came')
  return kept(`${said}, from whom and when the message came: ${client}, ${time}`)
}

type Names = Pick<MailFlow, 'hostname' | 'domain'>

/**
 * Whether the server with this name wrote a Received line; RFC 5321 s4.4. Chasquid writes the server name of the
 * ClientHello in its lines, which is the name of the tap in front of it.
 */
export function isBy(line: string, { hostname, domain }: Names): boolean {
  const name = /\bby\s+([^\s;()]+)/i.exec(line)?.[1]?.toLowerCase()
  return name === hostname.toLowerCase() || name === pathTo(domain).toLowerCase()
}

/** Whether the line says TLS, and only then if the message came over TLS; `said`: what it says. */
function claimOf(line: string, hop: Conversation): { said: string; wrong?: Observation } {
  const overTls = secured(hop)
  const protocol = /\bwith\s+((?:UTF8)?(?:ESMTP|SMTP|LMTP)[SA]*)\b/i.exec(line)?.[1]?.toUpperCase()
  const claims =
    protocol !== undefined &&
    /SA?$/.test(protocol.replace(/^(UTF8)?(ESMTP|SMTP|LMTP)/, '')) &&
    protocol !== 'SMTP'
  const said = `its Received line says ${protocol ?? 'nothing'}`
  if (overTls && !claims) return { said, wrong: broken(`the message came over TLS, but ${said}`) }
  if (!overTls && claims) return { said, wrong: broken(`the message came unencrypted, but ${said}`) }
  if (!overTls && /\bTLS|SSL/i.test(line))
    return { said, wrong: broken('the message came unencrypted, but its Received line names TLS') }
  return { said }
}

export function isTrueOf(line: string, hop: Conversation): Observation {
  const { handshake } = hop
  const { said, wrong } = claimOf(line, hop)
  if (wrong) return wrong
  const version = versionIn(line)
  if (version && version !== handshake?.version)
    return broken(
      `the wire had ${spoken(handshake?.version ?? 'no TLS')}, the Received line says ${spoken(version)}`,
    )
  const suite = suiteIn(line)
  if (suite && handshake?.suite && !sameSuite(suite, handshake.suite))
    return broken(`the wire had ${handshake.suite}, the Received line says ${suite}`)
  const group = groupIn(line)
  if (group && handshake?.group && !sameGroup(group, handshake.group))
    return broken(`the wire had ${handshake.group}, the Received line says ${group}`)
  return kept(`${said}${version ? ` and ${spoken(version)}` : ''}, as the wire does`)
}

/** The suite that a line names, in IANA's name or OpenSSL's. */
function suiteIn(line: string): string | undefined {
  return line.split(/[^\w-]+/).find(isSuiteName)
}

/** The group that a line names as Postfix does: `key-exchange X25519`, `key-exchange ECDHE (P-256)`. */
function groupIn(line: string): string | undefined {
  return /\bkey-exchange\s+(?:ECDHE\s+\()?([\w-]+)/i.exec(line)?.[1]
}

/** The version that a line names as `TLSv1.3`, `TLS1.3` or `TLS-1.3`, in Node's spelling. */
function versionIn(line: string): string | undefined {
  const found = /\bTLS[v-]?\s?(1(?:\.[0-3])?)\b/i.exec(line)?.[1]
  return found === undefined ? undefined : found === '1' || found === '1.0' ? 'TLSv1' : `TLSv${found}`
}
