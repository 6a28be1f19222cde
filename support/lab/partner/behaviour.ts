import type { StatusAddresses } from '../../pki/certificate.ts'
import type { AuthorityName, CertificateFlaw, CertificateKind } from '../../pki/flaws.ts'
import type { AnswerName } from '../../pki/status-words.ts'
import type { Party } from '../../wire/conversation.ts'
import type { CraftedAnswer } from '../../wire/tls/craft-answer.ts'
import type { TapChanges } from '../tap/tap-changes.ts'
import type { PartnerManner } from './partner-manner.ts'

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

/** What a partner does after its go-ahead to STARTTLS instead of a handshake. */
export type HandshakeFault =
  /** Closes the connection before it reads the ClientHello. */
  | 'closes'
  /** Reads the ClientHello and answers with a TCP reset. */
  | 'resets'
  /** Answers the ClientHello with bytes that are no TLS. */
  | 'talks garbage'
  /** Answers the ClientHello with a fatal handshake_failure alert. */
  | 'alerts'
  /** Reads the ClientHello and never answers. */
  | 'goes silent'
  /** Answers the ClientHello with an SMTP reply in clear: 421. */
  | 'answers in clear'

/**
 * How a partner departs from a well-behaved mail server, as data. Empty: it offers STARTTLS, shows a good
 * certificate and takes the mail. Each field says what changes on the wire.
 */
export interface Behaviour {
  /** The faults below apply to this many connections; then the partner behaves well. Absent: to all. */
  times?: number
  /** The partner behaves well on this many connections; then the faults below apply. */
  spares?: number
  /** What the partner does on the other connections too, where the faults apply to some only. */
  always?: Omit<Behaviour, 'times' | 'spares' | 'always' | 'manner'>
  /** How the partner talks on all connections, whether the faults apply there or not. Default: plainly. */
  manner?: PartnerManner
  greeting?: GreetingFault
  starttls?: StarttlsFault
  handshake?: HandshakeFault
  /** The partner answers the ClientHello byte by byte, and ends the connection when it has seen what the gateway does. */
  crafts?: CraftedAnswer
  /** In TLS 1.3 a session ticket comes before the gateway's Finished: RFC 8446 s4.6.1. */
  ticketsEarly?: true
  tls?: PartnerTls
  transaction?: TransactionFault
  /**
   * The partner answers neither this command nor anything that comes after it; `message`: the end of the message.
   * It closes the connection after `SILENCE`. A gateway may wait longer: RFC 5321 s4.5.3.2.
   */
  silentAt?: 'EHLO' | 'STARTTLS' | 'EHLO inside TLS' | 'MAIL' | 'RCPT' | 'DATA' | 'message'
  /** The partner answers EHLO with 502 and takes HELO: a server without extensions, and so without STARTTLS. */
  knowsNoEhlo?: true
  /**
   * When TLS has failed or ended, or another fault makes the partner close the connection otherwise, the partner
   * stays there and answers unencrypted commands, MAIL too. What the gateway gives away is in the record. A partner
   * that resets the connection cannot stay.
   */
  stays?: true
  /** The partner closes a connection on which no command follows a message soon, so that the gateway cannot keep it. */
  keepsNoConnection?: true
  /** The partner is no server but a tap on the path to one. Of the faults above only `tls` has a meaning then. */
  relay?: Relay
}

/**
 * A tap: passes on all bytes as they are, in both directions, and records both connections. TLS goes from end to end.
 */
export interface Relay extends TapChanges {
  /** The server behind the tap. */
  to: { host: string; port: number }
  /** Which of the two servers is the gateway under test. */
  gatewayIs: Party
  /**
   * Connections from other addresses than `from`, the server that sends through the tap, are forwarded to `to` and not
   * recorded. With them a server of the domain sends mail to its own mailbox: the one behind the tap, or one of another
   * example that has not delivered everything yet.
   */
  others?: { from: string; to: { host: string; port: number } }
}

export type GreetingFault = 'refuses (554)' | 'turns away (421)' | 'closes' | 'goes silent' | 'talks garbage'

/** What happens around the STARTTLS command. */
export interface StarttlsFault {
  /** The keyword is missing from the EHLO reply. */
  hides?: boolean
  /** The keyword is listed, the command is refused with this code. */
  refuses?: 421 | 454 | 500 | 502 | 554
  /** The keyword reaches the sender as XXXXXXXX and the command is answered 500: an old middle box. */
  garbles?: boolean
  /** The connection is closed in answer to the command. */
  closes?: boolean
  /** Unencrypted MAIL, RCPT and DATA are answered with 530: RFC 3207 s4. */
  demands?: true
  /** These clear-text bytes follow the 220 in the same segment (response injection). */
  injects?: string
  /** Inside TLS the reply to EHLO is withheld for this long, in ms, so that an injected one would be used. */
  withholdsEhloReply?: number
  /** Keywords offered before TLS only, and inside TLS only. */
  clearExtensions?: string[]
  tlsExtensions?: string[]
}

export interface PartnerTls {
  /** What is wrong with its certificate; flaws add up. */
  presents?: readonly CertificateFlaw[]
  /** What is special about its certificate, and no flaw. */
  kind?: CertificateKind
  /** Where its certificate says that its status can be had. */
  addresses?: StatusAddresses
  /** What it sends along about the status of its certificate (stapling): RFC 6066 s8, RFC 8446 s4.4.2.1. */
  staples?: AnswerName
  /** DNS names of the certificate in place of the partner's own. */
  names?: string[]
  /** A certificate of the mail service, as it was before or after its change of authority, in place of all that. */
  ofService?: 'before' | 'after'
  /** The authority under which the certificate was issued; default `root`. */
  authority?: AuthorityName
  minVersion?: TlsVersion
  maxVersion?: TlsVersion
  /** Standard suite names, in the partner's order of preference. */
  suites?: string[]
  /** The groups that the partner accepts, in its order; default those of its TLS library. */
  groups?: string[]
  /** Follow the sender's order of suites instead of the partner's own. */
  followsSender?: boolean
  /** Resumes its sessions, also those from before a change of its behaviour, or none of these. Default: none at all. */
  resumes?: 'with the same keys' | 'with new keys'
  /** Asks for the sender's certificate; `requires` refuses with an alert when none comes. */
  clientCertificate?: 'asks' | 'requires'
}

/** What goes wrong in the mail transaction. */
export interface TransactionFault {
  refuses?: { at: 'MAIL' | 'RCPT' | 'DATA' | 'content'; reply: string }
  /** Drops the TCP connection, without close_notify, after this many bytes of content. */
  cutsAfter?: number
}
