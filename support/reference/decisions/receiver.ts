import { decisive, type InboundConnector, requiresTlsOfAll } from '../../mailflow/mail-flow.ts'
import type { Identity } from '../../pki/pki.ts'
import type { ClientHello } from '../../wire/conversation.ts'
import { algorithms, type TlsTerms } from '../tls-options.ts'
import { acceptsName, type CertificateSituation, type Situation, trustsChain } from './situation.ts'

/** A client that delivers mail to the gateway, and what the gateway knows of it. */
export interface ReceiverSituation extends Situation {
  /** `inbound`: servers bring mail for the gateway's own domain; `submission`: users bring mail for everybody. */
  role: 'inbound' | 'submission'
  /** The address is one at which TLS begins with the connection. RFC 8314 s3.3. */
  implicit: boolean
  /** Addresses of the gateway and of the client. */
  localAddress: string
  remoteAddress: string
  /** 1 for the gateway that a run started first, 2 for the next one. */
  server: number
  /** Counts the connections to this gateway, from 0. */
  connection: number
  /** What the gateway was told to show, oldest first; the last one counts now. */
  identities: readonly Identity[]
  /** The client's last greeting, and the name that the client gave with it. */
  greeting: 'EHLO' | 'HELO' | undefined
  helo: string
  /** The client has written a command without waiting for the reply to the one before. RFC 2920. */
  pipelined: boolean
  /** The message has come, or comes, by BDAT. RFC 3030. */
  chunked: boolean
  /** The client's last ClientHello. */
  hello: ClientHello | undefined
  /** The connector that covers the sender's domain. */
  connector: InboundConnector | undefined
  /** How many senders this session has named before. */
  senders: number
  /** How many messages the gateway has taken at this address before. */
  messages: number
  /** Before, a client at the same address has shown the certificate that its connector expects. */
  addressAuthenticated: boolean
}

export interface Command {
  /** In capitals. */
  verb: string
  argument: string
  /** The whole line, as the client wrote it. */
  line: string
}

/** The reply to what nobody may do before TLS. RFC 3207 s4. */
export const TLS_FIRST = '530 5.7.0 Start TLS first'
export const GO_AHEAD = '220 2.0.0 Go ahead'
/** Largest message that the gateway takes, in bytes. RFC 1870. */
export const MAX_SIZE = 32 * 1024 * 1024

/** The gateway requires TLS of every client, and this client has not started TLS. */
export const missesTls = ({ role, tls, flow }: ReceiverSituation): boolean =>
  role === 'inbound' && !tls && requiresTlsOfAll(flow)

/** How the correct gateway receives mail. */
export const CORRECT_RECEIVER = {
  /** Whether the gateway begins with TLS, before its greeting. RFC 8314 s3.3, RFC8314-01. */
  beginsWithTls: ({ implicit, flow }: ReceiverSituation): boolean =>
    implicit && flow.identity.certificate !== '',

  /** The greeting. After any other code than 220 the gateway closes. RFC 5321 s3.1. */
  greeting: ({ flow }: ReceiverSituation): string => `220 ${flow.hostname} ESMTP`,

  /**
   * A reply in place of doing what a command asks for; empty: the gateway does not reply. A gateway that requires TLS of
   * every client allows four commands before TLS. RFC 3207 s4, RFC3207-05.
   */
  replyInstead: (at: ReceiverSituation & Command): string | undefined =>
    missesTls(at) && !/^(EHLO|NOOP|STARTTLS|QUIT)$/.test(at.verb) ? TLS_FIRST : undefined,

  /** Whether the gateway closes after its reply to a command. RFC 5321 s4.1.1.10. */
  endsSession: ({ verb }: ReceiverSituation & Command & { reply: string | undefined }): boolean =>
    verb === 'QUIT',

  /**
   * What EHLO lists: STARTTLS where it can be used, without parameter, and not inside TLS; SMTPUTF8 for users alone.
   * RFC 3207 s4, s4.2, RFC 6531.
   */
  keywords({ role, tls, flow }: ReceiverSituation): string[] {
    const keywords = ['PIPELINING', 'CHUNKING', '8BITMIME', 'ENHANCEDSTATUSCODES', `SIZE ${MAX_SIZE}`]
    if (flow.identity.certificate && !tls) keywords.push('STARTTLS')
    if (role === 'submission') keywords.push('SMTPUTF8')
    if (role === 'submission' && tls) keywords.push('AUTH PLAIN LOGIN')
    return keywords
  },

  /** STARTTLS takes no parameter, is used once, and is refused for now without a certificate. RFC 3207 s4. */
  replyToStarttls({ tls, flow, argument }: ReceiverSituation & Command): string {
    if (tls) return '503 5.5.1 TLS is on already'
    if (argument.trim()) return '501 5.5.4 STARTTLS takes no parameter'
    return flow.identity.certificate ? GO_AHEAD : '454 4.7.0 TLS is not available for now'
  },

  /**
   * Bytes that came unencrypted behind STARTTLS and that the gateway reads as if they had come inside TLS: none, since
   * somebody else may have written them. RFC 3207 s4.2, s6; RFC3207-07.
   */
  earlyBytes: (_at: ReceiverSituation & Command & { bytes: string }): string => '',

  /** Commands among these bytes that the gateway carries out before the handshake, without a reply: none. */
  earlyCommands: (_at: ReceiverSituation & Command & { bytes: string }): readonly string[] => [],

  /**
   * How the gateway answers a ClientHello. One that it does not agree to gets an alert. RFC 8446 s6.2. Bytes: with these,
   * and with the end of the connection.
   */
  answersHello: (_at: ReceiverSituation): 'with TLS' | 'not at all' | 'with a reset' | Buffer => 'with TLS',

  /**
   * Whether the gateway goes on unencrypted on the connection on which TLS has failed or ended: never. What comes after the
   * end of TLS does not count. RFC 8446 s6.1 and s6.2, DGR-05.
   */
  goesOnInClear: (_at: ReceiverSituation): boolean => false,

  /**
   * The gateway's part in the handshake. It asks every client for a certificate. Old versions, where it has any, are for
   * clients without a newer one, because OpenSSL takes weak certificates along with them. EXO-VER-03, EXO-FRC-12.
   */
  tls: ({ flow, hello }: ReceiverSituation): TlsTerms & { asksForCertificate: boolean } => ({
    ...{ identity: flow.identity, trust: flow.trust, asksForCertificate: true },
    minVersion: hello?.versions.some(version => version >= 'TLSv1.2') ? 'TLSv1.2' : flow.minVersion,
    maxVersion: flow.maxVersion,
    ...algorithms(flow),
  }),

  /** Whether the gateway sends a session ticket of TLS 1.3 before it has the client's Finished: no. RFC8446-02. */
  sendsTicketEarly: (_at: ReceiverSituation): boolean => false,

  /** Whether the gateway forgets greeting and envelope. RFC 3207 s4.2, RFC 5321 s4.1.4. */
  forgets: (_at: ReceiverSituation & { event: 'EHLO' | 'handshake' }): boolean => true,

  /** Mechanisms that AUTH may use now: none without TLS. RFC 8314 s4.1, RFC8314-02. */
  mechanisms: ({ tls }: ReceiverSituation): string[] => (tls ? ['PLAIN', 'LOGIN'] : []),

  /** `right`: name and password are. RFC 4954 s6. */
  replyToLogin: ({ right }: ReceiverSituation & { right: boolean }): string =>
    right ? '235 2.7.0 Welcome' : '535 5.7.8 Name or password is wrong',

  /**
   * The connector for mail that a server brings from a domain, `domain` as the client wrote it; `*` is for domains without
   * another connector. EXO-CON-02.
   */
  connector: ({ flow, domain }: ReceiverSituation & { domain: string }): InboundConnector | undefined =>
    decisive(flow.inbound, domain) ?? flow.inbound.find(({ from }) => from === '*'),

  /** Whether the client's certificate leads to a trusted root. EXO-FRC-14. */
  trustsChain: (at: ReceiverSituation & CertificateSituation): boolean => trustsChain(at),

  /** Whether the client's certificate carries the name that the connector expects. EXO-FRC-13. */
  acceptsName: (at: ReceiverSituation & CertificateSituation): boolean => acceptsName(at),

  /** Whether the gateway decides on a sender only after the message: no. A gateway may do so, and answers the message then. */
  decidesLate: (_at: ReceiverSituation): boolean => false,

  /**
   * The reply that refuses a sender. Its connector may require TLS, and a certificate that authenticates the client.
   * EXO-FRC-11, EXO-FRC-12.
   */
  refusalOfSender(at: ReceiverSituation & { authenticated: boolean }): string | undefined {
    if (at.connector?.tls !== 'required') return undefined
    if (!at.tls) return TLS_FIRST
    if (!at.connector.clientCertificate || at.authenticated) return undefined
    return '550 5.7.1 The certificate of the sending server does not authenticate it'
  },

  /**
   * Whether the gateway takes a message for another domain: from a server of the own organisation, with mail of the own
   * domain. `isRelay`: the client has shown a certificate that is accepted and for the expected name. EXO-HYB-01, EXO-HYB-02.
   */
  relays: ({ sender, flow, isRelay }: ReceiverSituation & { isRelay: boolean }): boolean =>
    isRelay && sender.toLowerCase().endsWith(`@${flow.domain}`),

  /**
   * What the gateway stores of a message: all of it, unchanged; undefined: nothing, if its transfer was cut.
   * RFC 5321 s4.2.5, DGR-05, EXO-MSG-04.
   */
  stored: (at: ReceiverSituation & { content: string; complete: boolean }): string | undefined =>
    at.complete ? at.content : undefined,

  /** The reply to a message that the gateway has stored. RFC 5321 s4.2.3. */
  replyToMessage: ({ id }: ReceiverSituation & { id: string }): string => `250 2.0.0 Taken as ${id}`,
}
export type ReceiverDecisions = typeof CORRECT_RECEIVER
