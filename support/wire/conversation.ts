import type { CommandFields, ReplyFields } from './smtp/line-fields.ts'
import type { Breakdown } from './wire-error.ts'

/** A side of a connection: `sender` opened it, `receiver` listened. */
export type Party = 'sender' | 'receiver'

/** What a TLS handshake showed, as far as the lab's end of the connection could see it. */
export interface Handshake {
  /** What the sender offered, RFC 8446 s4.1.2; an unknown number is written `0x1301`. */
  offered?: ClientHello
  /** `TLSv1.2`, `TLSv1.3`, … as agreed; absent when the handshake did not finish. */
  version?: string
  /** The suite's standard (IANA) name. */
  suite?: string
  /** Key exchange group, for example `X25519MLKEM768` or `P-256`. */
  group?: string
  /** Set when the receiver's share of an ephemeral key exchange was seen: forward secrecy. */
  ephemeral?: true
  /** Set up to TLS 1.2 when the session resumed an earlier one, whose key exchange was not seen. */
  resumed?: true
  /** Of the first ClientHello and of the ServerHello, hex: each session has its own. */
  randoms?: Partial<Record<Party, string>>
  serverCertificate?: CertificateFacts
  /** The sender's certificate; absent when none was shown. */
  clientCertificate?: CertificateFacts
  /** Set when a CertificateRequest was seen. TLS 1.3 encrypts it, so absent means nothing there. */
  clientCertificateRequested?: boolean
  /** Why the handshake failed, in the words of the TLS library, when it failed. */
  error?: string
  /** How the handshake failed: a side that gave `no answer` has refused nothing. */
  breakdown?: Breakdown
}

/** A ClientHello in names. Order is the sender's order of preference. */
export interface ClientHello {
  legacyVersion: string
  versions: string[]
  suites: string[]
  groups: string[]
  signatureAlgorithms: string[]
  /** Numbers of the extensions, in their order, and of the compression methods, of which 0 is none. */
  extensions: number[]
  compressions: number[]
  /** Secure renegotiation is offered: as an extension or as a suite that is none; RFC 5746 s3.4. */
  renegotiationInfo: boolean
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
  /** `rsa`, `ec`, `ed25519`, …, with the size of the modulus or the name of the curve. */
  key?: { type: string; bits?: number; curve?: string }
  /** SHA-256 over the SubjectPublicKeyInfo, lower-case hex. */
  keyFingerprint?: string
  /** Name of the algorithm, such as `sha256WithRSAEncryption`. */
  signature?: string
  /** Object identifiers of the extended key usage; absent where the certificate has no such extension. RFC 5280 s4.2.1.12. */
  usages?: string[]
}

/** What an event is about, in the fields that judgements and drawings ask for. */
export type EventDetail =
  | { kind: 'open' | 'content' | 'bytes' | 'close' | 'error' }
  | ({ kind: 'command' } & CommandFields)
  | ({ kind: 'reply' } & ReplyFields)
  /** A ClientHello. */
  | { kind: 'hello'; hello: ClientHello }
  /** A ServerHello, or with `retry` a HelloRetryRequest; RFC 8446 s4.1.3 and s4.1.4. */
  | { kind: 'server-hello'; version: string; suite: string; group?: string; retry: boolean }
  | { kind: 'certificate-request' }
  /** To a crafted answer: the sender sent its share of the key exchange. */
  | { kind: 'key-exchange' }
  /** The handshake is done. */
  | { kind: 'established'; version: string; suite: string }
  /** An alert that is not encrypted, in the numbers of RFC 8446 s6: level 2 is fatal. */
  | { kind: 'alert'; level: number; description: number }

/** One thing that crossed a connection. */
export type WireEvent = {
  /** Milliseconds since the conversation began. */
  at: number
  from: Party
  /** True when it crossed inside TLS. */
  secured: boolean
  /** For people, and never parsed again: the line itself, a summary or a reason. Escaped and bounded: safe to print. */
  text: string
} & EventDetail

/** Whether it is a part of a TLS handshake, alerts aside. */
export const isHandshake = ({ kind }: WireEvent): boolean =>
  ['hello', 'server-hello', 'certificate-request', 'key-exchange', 'established'].includes(kind)

/** One connection from open to close, as the lab's end saw it. JSON only: this is also its evidence file. */
export interface Conversation {
  id: string
  /** Which end is the gateway under test; `neither` between the tap and the second server. */
  gatewayIs: Party | 'neither'
  /** Seen by the tap, which passed TLS on and does not have the keys: what was said inside TLS is not known. */
  overheard?: true
  /** The lab wrote the ClientHello byte by byte, and left at the answer: no session could come of it. */
  crafted?: true
  /** Names for the two lifelines in a drawing. */
  sender: string
  receiver: string
  /** RFC 3339 with milliseconds. */
  startedAt: string
  events: WireEvent[]
  handshake?: Handshake
  /** Everything that crossed unencrypted, escaped: to search in and to read. */
  clear: { fromSender: string; fromReceiver: string }
  closed: boolean
  /** Set when something is missing in `events` or `clear` because there was more than the lab keeps. */
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
