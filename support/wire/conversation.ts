import type { Breakdown } from './breakdown.ts'

/** Who said it: the side that opened the connection, or the side that listened. */
export type Party = 'sender' | 'receiver'

/** What a TLS handshake showed, as far as our own end of the connection could see it. */
export interface Handshake {
  /** What the sender offered: RFC 8446 s4.1.2. Names where they are known, `0x1301` style otherwise. */
  offered?: ClientHello
  /** `TLSv1.2`, `TLSv1.3`, … as agreed; absent when the handshake did not finish. */
  version?: string
  /** The suite's standard (IANA) name. */
  suite?: string
  /** Key exchange group, for example `X25519MLKEM768` or `P-256`. */
  group?: string
  /** Set when the receiver's share of an ephemeral key exchange was seen: forward secrecy. */
  ephemeral?: true
  /** Set up to TLS 1.2 when the session went on from an earlier one, whose key exchange was not seen. */
  resumed?: true
  /** Of the first ClientHello and of the ServerHello, hex: each session has its own. */
  randoms?: Partial<Record<Party, string>>
  serverCertificate?: CertificateFacts
  /** The sender's certificate; absent when none was shown. */
  clientCertificate?: CertificateFacts
  /** Set when a CertificateRequest was seen. TLS 1.3 encrypts it, so absent means nothing there. */
  clientCertificateRequested?: boolean
  /** Why it failed, in the words of the TLS library, when it did. */
  error?: string
  /** In what way: who is `silent` has refused nothing. */
  breakdown?: Breakdown
}

/** A ClientHello in names. Order is the sender's order of preference. */
export interface ClientHello {
  legacyVersion: string
  versions: string[]
  suites: string[]
  groups: string[]
  signatureAlgorithms: string[]
  /** SNI host name (RFC 6066 s3), if any. */
  serverName?: string
  /** Length of the message in bytes, for display. */
  length: number
}

/** The parts of a certificate that a mail administrator looks at. */
export interface CertificateFacts {
  subject: string
  issuer: string
  /** DNS names of the subject alternative name. */
  names: string[]
  notBefore: string
  notAfter: string
  /** SHA-256 over the DER form, lower-case hex. */
  fingerprint: string
  /** Number of certificates the peer sent with it, itself included. */
  chainLength: number
}

/** One thing that crossed a connection. Text is already escaped and bounded: safe to print. */
export interface WireEvent {
  /** Milliseconds since the conversation began. */
  at: number
  from: Party
  kind: 'open' | 'command' | 'reply' | 'content' | 'handshake' | 'alert' | 'bytes' | 'close' | 'error'
  /** True when it crossed inside TLS. */
  secured: boolean
  /** A line, a summary or a reason; control characters shown as `\xNN`. */
  text: string
}

/** One connection from open to close, seen from our end. JSON only: this is also its evidence file. */
export interface Conversation {
  id: string
  /** Which end was the gateway under test; `neither` on the far side of a tap. */
  gatewayIs: Party | 'neither'
  /** Seen from the path between two servers, which hold the keys: what was said inside TLS is not known. */
  overheard?: true
  /** Names for the two lifelines in a drawing. */
  sender: string
  receiver: string
  /** RFC 3339 with milliseconds. */
  startedAt: string
  events: WireEvent[]
  handshake?: Handshake
  /** Everything that crossed outside of TLS, escaped: for searches and for the reader. */
  clear: { fromSender: string; fromReceiver: string }
  closed: boolean
  /** Set when something is missing from `events` or `clear` because a bound was reached. */
  truncated?: true
  /** Why the lab itself failed on this connection. Nothing may then be concluded about the gateway. */
  labError?: string
}

/** The conversation as it is at this moment: what is recorded later does not change the copy. */
export function snapshotOf(conversation: Conversation): Conversation {
  const { events, clear, handshake, ...rest } = conversation
  return {
    ...rest,
    events: [...events],
    ...(handshake ? { handshake: { ...handshake } } : {}),
    clear: { fromSender: clear.fromSender, fromReceiver: clear.fromReceiver },
  }
}
