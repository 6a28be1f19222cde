import type { CertificateFacts, Conversation } from '../wire/conversation.ts'
import type { ClientTls } from '../wire/tls/client-tls.ts'
import { opensslName, STATIC_RSA } from '../wire/tls/tls-names.ts'

/** The TLS that one address offers, probe by probe. */
export interface Strength {
  /** `host:port`, an IPv6 address in brackets. */
  address: string
  /** By probe: the TLS that the two sides agreed on, or why they agreed on nothing. */
  outcomes: Readonly<Record<string, string>>
  conversations: readonly Conversation[]
  /** No server accepts connections there. */
  absent?: true
  /** What the server at the address did not answer in time; nothing more was asked then. */
  unanswered?: string
}

export const REFUSED = 'refused'

export const OLD = 'ALL:@SECLEVEL=0'

/** Handshakes that ask for one thing each. `good`: a server that refuses it is weaker than one that accepts it. */
export const PROBES: Readonly<Record<string, { tls: ClientTls; good: boolean }>> = {
  'its own choice': { tls: {}, good: true },
  'TLS 1.3 alone': { tls: { minVersion: 'TLSv1.3' }, good: true },
  'TLS 1.2 alone': { tls: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, good: true },
  'TLS 1.1 alone': { tls: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: OLD }, good: false },
  'TLS 1.0 alone': { tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: OLD }, good: false },
  'key exchange by RSA alone': {
    tls: { maxVersion: 'TLSv1.2', ciphers: `${STATIC_RSA.map(opensslName).join(':')}:@SECLEVEL=0` },
    good: false,
  },
}

export const isRefusal = (outcome: string): boolean => outcome.startsWith(REFUSED)

export const isGood = (probe: string): boolean => PROBES[probe]!.good

/** What a server speaks before TLS; `tls` is nothing at all. */
export type Service = 'smtp' | 'lmtp' | 'tls'

/** Newest first, in the names of the TLS library. */
export const TLS_VERSIONS = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3', 'SSLv2'] as const
export type TlsVersion = (typeof TLS_VERSIONS)[number]

/** An answer to a question about a server. A server that did not answer has said neither yes nor no. */
export type Known = 'yes' | 'no' | 'unknown'

/** What became of one question, with what decides it: the name of a conversation. */
export interface Finding {
  known: Known
  /** For people: the alert, or why nothing is known. */
  said?: string
  /** Of the conversation that shows it. */
  seen: string
}

/** A cipher suite that a server has chosen. */
export interface SuiteOffer {
  /** Of IANA. */
  name: string
  openssl: string
  forwardSecrecy: boolean
  /** Of the ephemeral key exchange, where it could be seen. */
  group?: string
  dhBits?: number
  /** Hex. */
  dhPrime?: string
  signature?: string
  /** SHA-256 of the certificate that came with it, where it was not encrypted. */
  certificate?: string
  seen: string
}

/** What a server accepts of one kind, in the order in which it chose. */
export interface Choices<T> {
  all: readonly T[]
  /** Why there may be more. */
  incomplete?: string
  /** The question that the server refused at the end. */
  end?: string
}

export interface VersionOffer extends Finding {
  version: TlsVersion
  suites: Choices<SuiteOffer>
  /** Whose order decides; absent where there is no choice, or where nothing is known. */
  preference?: 'server' | 'client'
  /** Suites that the server chose, although no handshake with them succeeds; they are not in `suites`. */
  unfinished?: { suites: string[]; said: string; seen: string }
  /** What the server chose when all these suites were offered, the last one first. */
  turned?: { suite: string; seen: string }
}

export interface CertificateOffer extends CertificateFacts {
  key: NonNullable<CertificateFacts['key']>
  signature: string
  /** `good`, or why it does not lead to a root of the prober; absent where that was not looked at. */
  chain?: string
}

/** Questions with yes and no for an answer. One that does not apply to a server has none. */
export const OPTIONS = {
  'secure renegotiation': 'renegotiation_info is acknowledged (RFC 5746)',
  'client-initiated renegotiation': 'a handshake that the client begins inside TLS is answered',
  'extended master secret': 'extended_master_secret is acknowledged (RFC 7627)',
  compression: 'TLS compression is chosen (RFC 3749)',
  'truncated HMAC': 'truncated_hmac is acknowledged (RFC 6066 s7)',
  'encrypt-then-MAC': 'encrypt_then_mac is acknowledged (RFC 7366)',
  heartbeat: 'heartbeat is acknowledged (RFC 6520)',
  'fallback signal': 'a hello with TLS_FALLBACK_SCSV below the highest version is refused (RFC 7507)',
  'downgrade marker': 'the random of a TLS 1.2 session says that TLS 1.3 was possible (RFC 8446 s4.1.3)',
  'old record version': 'a hello in a record of version 3.0 is served (RFC 5246 appendix E.1)',
  'large hello': 'a hello in several records and TCP segments is served',
  'no server name': 'a hello without server name is served (RFC 7672 s8.1)',
  'unknown server name': 'a hello with an unknown server name is served (RFC 7672 s8.1)',
  'odd server name':
    'a hello with an unknown server name with capitals, a long label and an A-label is served',
  'resumption by ticket': 'a TLS 1.2 session is resumed by its ticket (RFC 5077)',
  'resumption by id': 'a TLS 1.2 session is resumed by its id (RFC 5246 s7.3)',
  'resumption in TLS 1.3': 'a TLS 1.3 session is resumed by its ticket (RFC 8446 s2.2)',
  'early ticket': "a session ticket of TLS 1.3 comes before the client's Finished (RFC 8446 s4.6.1)",
  'early data': 'tickets of TLS 1.3 allow early data (RFC 8446 s4.2.10)',
} as const
export type Option = keyof typeof OPTIONS

/** Everything that a server was seen to accept, in JSON. */
export interface TlsOffer {
  /** `host:port`, an IPv6 address in brackets. */
  address: string
  service: Service
  /** In the hellos. */
  serverName?: string
  /** No question was answered, because of this. Nothing else is known then. */
  unreachable?: string
  /** The server put the prober off, or the time was over; what was not asked then is unknown. */
  brokenOff?: string
  versions: readonly VersionOffer[]
  /** The version that the server chose of TLS 1.3 and TLS 1.2; absent where it chose none. */
  best?: { version: string; seen: string }
  /** For TLS 1.3, and for elliptic curves up to TLS 1.2. */
  groups: { tls13: Choices<string>; tls12: Choices<string> }
  /** Of the key exchange in TLS 1.2. */
  signatures: Choices<string>
  certificates: readonly CertificateOffer[]
  /** The certificate (SHA-256) for each server name; `` is none. */
  byName: Readonly<Record<string, string>>
  options: Readonly<Partial<Record<Option, Finding>>>
  connections: number
  milliseconds: number
}

export const versionIn = (offer: TlsOffer, version: TlsVersion): VersionOffer =>
  offer.versions.find(one => one.version === version)!
