import { counted, day, duration } from '../quantities.ts'
import {
  type CertificateFacts,
  type Conversation,
  type Handshake,
  isHandshake,
  type Party,
  type WireEvent,
} from '../wire/conversation.ts'
import { spoken } from '../wire/tls/tls-names.ts'
import { excerpt } from './excerpt.ts'
import { clipped, visibleLine } from './visible.ts'

/** How an event crossed the connection: unencrypted, as part of the handshake, or inside TLS. */
export type Way = 'clear' | 'handshake' | 'tls'

export type Row =
  | { kind: 'arrow'; from: Party; way: Way; lines: Line[]; at: string; weight: 'plain' | 'heavy' | 'alert' }
  /** Something that happened on one side: it opened, closed, or met an error. */
  | { kind: 'mark'; from: Party; sign: 'open' | 'close' | 'error'; text: string; at: string }
  | { kind: 'facts'; facts: Fact[] }
  | { kind: 'gap'; text: string }

export interface Line {
  text: string
  refusal: boolean
}

/** Rows one after the other that crossed in the same way. The first handshake has the facts. */
export interface Band {
  way: Way
  label: string
  rows: Row[]
}

/** Something that a handshake showed. */
export interface Fact {
  name: string
  text: string
  /** What is wrong with it, if anything. */
  trouble: string
  /** Long lists, which are folded. */
  more: { name: string; text: string }[]
}

/** One conversation as a sequence diagram, for a template. Texts are bounded, not escaped for HTML. */
export interface Drawing {
  sender: string
  receiver: string
  gatewayIs: Conversation['gatewayIs']
  /** `3 lines unencrypted, 9 inside TLS 1.3, 48 ms` */
  summary: string
  bands: Band[]
}

/** In characters: a longer line is cut; the evidence file has all of it. */
const LINE = 240
/** The same for a fact, and for a list below a fact. */
const FACT = 400
const LIST = 1500
/** So many lines of one reply are drawn, about. */
const REPLY = 12

export function drawing(conversation: Conversation): Drawing {
  const { events, handshake = {}, gatewayIs } = conversation
  const bands: Band[] = []
  const bandOf = (way: Way): Band => {
    const last = bands.at(-1)
    if (last?.way === way) return last
    const band: Band = { way, label: label(way, handshake), rows: [] }
    bands.push(band)
    return band
  }
  let open: { event: WireEvent; lines: Line[] } | undefined
  for (const shown of excerpt(events)) {
    if ('hidden' in shown) {
      open = undefined
      const text = `${counted(shown.hidden, 'more event')} of this kind`
      bandOf(bands.at(-1)?.way ?? 'clear').rows.push({ kind: 'gap', text })
      continue
    }
    const { event } = shown
    const band = bandOf(wayOfBand(event, bands.at(-1)?.way))
    const line = lineOf(event)
    if (open && continues(open.event, event)) {
      open.lines.push(line)
      open.event = event
      continue
    }
    const row = rowOf(event, line)
    band.rows.push(row)
    open = row.kind === 'arrow' ? { event, lines: row.lines } : undefined
  }
  for (const { rows } of bands)
    for (const row of rows) if (row.kind === 'arrow') row.lines = shortened(row.lines)
  placeFacts(bands, factsOf(conversation), handshake)
  return {
    sender: clipped(conversation.sender, 80),
    receiver: clipped(conversation.receiver, 80),
    gatewayIs,
    summary: summary(conversation),
    bands,
  }
}

/** `inside TLS 1.3` */
function insideTls({ version }: Handshake): string {
  return version ? `inside ${spoken(version)}` : 'inside TLS'
}

function label(way: Way, handshake: Handshake): string {
  return way === 'tls' ? insideTls(handshake) : way === 'handshake' ? 'TLS handshake' : 'unencrypted'
}

/** The way of the band for an event. An event that is neither a line nor a part of a handshake stays in the band. */
function wayOfBand(event: WireEvent, now: Way = 'clear'): Way {
  const { kind, secured } = event
  if (isHandshake(event)) return 'handshake'
  if (kind === 'alert') return now === 'tls' ? 'tls' : 'handshake'
  if (secured) return 'tls'
  return kind === 'command' || kind === 'reply' || kind === 'content' ? 'clear' : now
}

/** Whether both events are lines of one reply (RFC 5321 s4.2.1), which share an arrow. */
function continues(last: WireEvent, next: WireEvent): boolean {
  return (
    last.kind === 'reply' &&
    next.kind === 'reply' &&
    last.from === next.from &&
    last.secured === next.secured &&
    !last.last
  )
}

function rowOf(event: WireEvent, line: Line): Row {
  const { from, kind } = event
  const at = duration(event.at)
  if (kind === 'open' || kind === 'close' || kind === 'error')
    return { kind: 'mark', from, sign: kind, text: line.text, at }
  const way = isHandshake(event) || kind === 'alert' ? 'handshake' : event.secured ? 'tls' : 'clear'
  const weight = kind === 'content' ? 'heavy' : kind === 'alert' ? 'alert' : 'plain'
  return { kind: 'arrow', from, way, lines: [line], at, weight }
}

function lineOf(event: WireEvent): Line {
  const refusal = event.kind === 'reply' && event.code !== undefined && event.code >= 400
  return { text: clipped(visibleLine(event.text), LINE), refusal }
}

/** A long reply without the lines in its middle, except those with keywords about TLS. */
function shortened(lines: Line[]): Line[] {
  if (lines.length <= REPLY) return lines
  const kept = lines.filter(
    ({ text }, index) => index < 6 || index >= lines.length - 3 || /STARTTLS|REQUIRETLS|XXXXXXX/i.test(text),
  )
  kept.splice(6, 0, { text: `… ${counted(lines.length - kept.length, 'line')} left out`, refusal: false })
  return kept
}

/** Puts the facts after the last message of the first handshake, and before its result. */
function placeFacts(bands: Band[], facts: Fact[], handshake: Handshake): void {
  if (facts.length === 0) return
  const row: Row = { kind: 'facts', facts }
  const band = bands.find(({ way }) => way === 'handshake')
  if (band) {
    const last = band.rows.findLastIndex(({ kind }) => kind === 'arrow')
    band.rows.splice(last + 1, 0, row)
    return
  }
  const first = bands.findIndex(({ way }) => way === 'tls')
  const alone: Band = { way: 'handshake', label: label('handshake', handshake), rows: [row] }
  bands.splice(first < 0 ? bands.length : first, 0, alone)
}

/** What an administrator wants to know about a handshake; empty if there was none. */
export function factsOf({ handshake, startedAt, overheard }: Conversation): Fact[] {
  if (!handshake || Object.keys(handshake).length === 0) return []
  const { offered, version, suite, group, serverCertificate, clientCertificate, error } = handshake
  const facts: Fact[] = []
  const add = (name: string, text: string, more: Fact['more'] = [], trouble = '') =>
    facts.push({
      name,
      text: clipped(visibleLine(text), FACT),
      trouble: clipped(visibleLine(trouble), FACT),
      more: more
        .filter(part => part.text !== '')
        .map(part => ({ name: part.name, text: clipped(visibleLine(part.text), LIST) })),
    })
  if (offered)
    add(
      'Offered',
      [
        offered.versions.map(spoken).join(', ') || spoken(offered.legacyVersion),
        offered.serverName === undefined ? 'no SNI' : `SNI ${offered.serverName}`,
      ].join('; '),
      [
        { name: counted(offered.suites.length, 'suite'), text: offered.suites.join(' ') },
        { name: counted(offered.groups.length, 'group'), text: offered.groups.join(' ') },
        {
          name: counted(offered.signatureAlgorithms.length, 'signature algorithm'),
          text: offered.signatureAlgorithms.join(' '),
        },
      ],
    )
  const secrecy = overheard && (handshake.ephemeral ? 'ephemeral key exchange' : 'no forward secrecy')
  if (version) add('Agreed', [spoken(version), suite, group, secrecy].filter(Boolean).join(', '))
  if (serverCertificate) add('Receiver shows', ...certificate(serverCertificate, startedAt))
  if (clientCertificate) add('Sender shows', ...certificate(clientCertificate, startedAt))
  // The tap on the path does not read certificates.
  else if (handshake.clientCertificateRequested && !overheard)
    add('Sender shows', 'no certificate, though it was asked for')
  if (error) add('Failed', '', [], error)
  return facts
}

function certificate(facts: CertificateFacts, when: string): [string, Fact['more'], string] {
  const { subject, issuer, names, notBefore, notAfter, fingerprint, chainLength } = facts
  const now = Date.parse(when)
  const shown = names.length > 6 ? [...names.slice(0, 5), `and ${names.length - 5} more`] : names
  return [
    [
      shown.join(', ') || `no DNS name, subject ${subject}`,
      `from ${issuer}`,
      `valid ${day(notBefore)} to ${day(notAfter)}`,
    ].join('; '),
    [
      { name: 'subject', text: subject },
      { name: 'sent', text: counted(chainLength, 'certificate') },
      { name: 'SHA-256', text: fingerprint },
      { name: 'names', text: names.length > 6 ? names.join(' ') : '' },
    ],
    Date.parse(notAfter) < now ? 'expired' : Date.parse(notBefore) > now ? 'not valid yet' : '',
  ]
}

function summary({ events, handshake = {} }: Conversation): string {
  const lines = events.filter(({ kind }) => kind === 'command' || kind === 'reply' || kind === 'content')
  const secured = lines.filter(event => event.secured).length
  const clear = lines.length - secured
  const end = events.at(-1)
  return [
    `${counted(clear, 'line')} unencrypted`,
    ...(secured > 0 ? [`${secured} ${insideTls(handshake)}`] : []),
    ...(end ? [duration(end.at)] : []),
  ].join(', ')
}
