import { decisive, type InboundConnector, requiresTlsOfAll } from '../../mailflow/mail-flow.ts'
import type { Identity } from '../../pki/pki.ts'
import type { ClientHello } from '../../wire/conversation.ts'
import { LIBRARY_SUITES, type TlsTerms, WITH_FORWARD_SECRECY } from '../tls-options.ts'
import { acceptsName, type CertificateSituation, type Situation, trustsChain } from './situation.ts'

/** A client that delivers mail to the gateway, and what the gateway knows of it. */
export interface ReceiverSituation extends Situation {
  /** `inbound` takes mail for the gateway's own domain; `submission` takes mail from users and relays it. */
  role: 'inbound' | 'submission'
  /** Addresses of the gateway and of the client. */
  localAddress: string
  remoteAddress: string
  /** 1 for the gateway that the run started first, 2 for the next one. */
  server: number
  /** Counts the connections to this gateway, from 0. */
  connection: number
  /** The client's last greeting and the name that the client gave with it. */
  greeting: 'EHLO' | 'HELO' | undefined
  helo: string
  /** How many MAIL commands of this session the gateway has looked at before. */
  senders: number
  /** How many messages the gateway has taken at this address before. */
  messages: number
  /** A client at the same remote address has shown the certificate that its connector expects. */
  addressAuthenticated: boolean
}

export interface Command {
  /** In capitals. */
  verb: string
  argument: string
  /** The whole line, as the client wrote it. */
  line: string
  /** The client had written more before it could have the reply. */
  pipelined: boolean
}

/** RFC 3207 s4: the reply to what is open to nobody before TLS. */
export const TLS_FIRST = '530 5.7.0 Start TLS first'
export const GO_AHEAD = '220 2.0.0 Go ahead'
/** Largest message that the gateway takes, in bytes; RFC 1870. */
export const MAX_SIZE = 32 * 1024 * 1024

/** The gateway requires TLS of every client, and this client is still in the clear. */
export const missesTls = ({ role, tls, flow }: ReceiverSituation): boolean =>
  role === 'inbound' && !tls && requiresTlsOfAll(flow)

/** How the correct gateway receives mail. */
export const CORRECT_RECEIVER = {
  /** The first reply of a session; with another code than 220 the gateway closes. RFC 5321 s3.1. */
  greeting: ({ flow }: ReceiverSituation): string => `220 ${flow.hostname} ESMTP`,

  /**
   * A reply that the gateway gives in place of doing what a command asks; empty: it says nothing. Where TLS is required
   * of every client, four commands are open before TLS. RFC 3207 s4, RFC3207-05.
   */
  replyInstead: (at: ReceiverSituation & Command): string | undefined =>
    missesTls(at) && !/^(EHLO|NOOP|STARTTLS|QUIT)$/.test(at.verb) ? TLS_FIRST : undefined,

  /** Whether a command ends the session. RFC 5321 s4.1.1.10: QUIT alone. */
  endsSession: ({ verb }: ReceiverSituation & Command & { reply: string | undefined }): boolean =>
    verb === 'QUIT',

  /** What EHLO lists. STARTTLS without parameter, where it can be used, and not inside TLS: RFC 3207 s4, s4.2. */
  keywords({ role, tls, flow }: ReceiverSituation): string[] {
    const keywords = ['8BITMIME', 'ENHANCEDSTATUSCODES', `SIZE ${MAX_SIZE}`]
    if (flow.identity.certificate && !tls) keywords.push('STARTTLS')
    if (role === 'submission' && tls) keywords.push('AUTH PLAIN LOGIN')
    return keywords
  },

  /** RFC 3207 s4: STARTTLS takes no parameter, is used once, and is refused for now without a certificate. */
  replyToStarttls({ tls, flow, argument }: ReceiverSituation & Command): string {
    if (tls) return '503 5.5.1 TLS is on already'
    if (argument.trim()) return '501 5.5.4 STARTTLS takes no parameter'
    if (!flow.identity.certificate) return '454 4.7.0 TLS is not available for now'
    return GO_AHEAD
  },

  /**
   * What becomes of bytes that came in the clear behind STARTTLS. They may be another's: nothing of them is kept for
   * the session inside TLS, and no command among them is carried out. RFC 3207 s4.2, s6; RFC3207-07.
   */
  earlyBytes: (
    _at: ReceiverSituation & Command & { bytes: string },
  ): { kept: string; carriedOut: string[] } => ({
    kept: '',
    carriedOut: [],
  }),

  /** What the gateway does with a ClientHello; undefined: the client sent none. Those that it refuses get an alert. */
  answersHello: (
    _at: ReceiverSituation & { hello: ClientHello | undefined },
  ): 'with TLS' | 'not at all' | 'with a reset' => 'with TLS',

  /** How it takes part in the handshake. Every client is asked for a certificate. `identities`: oldest first. */
  tls: ({
    flow,
  }: ReceiverSituation & { identities: readonly Identity[] }): TlsTerms & {
    asksForCertificate: boolean
  } => ({
    identity: flow.identity,
    minVersion: flow.minVersion,
    maxVersion: flow.maxVersion,
    suites: flow.forwardSecrecy ? WITH_FORWARD_SECRECY : LIBRARY_SUITES,
    trust: flow.trust,
    asksForCertificate: true,
  }),

  /** Whether greeting and envelope are forgotten, at each EHLO and at the handshake. RFC 3207 s4.2, RFC 5321 s4.1.4. */
  forgets: (_at: ReceiverSituation & { event: 'EHLO' | 'handshake' }): boolean => true,

  /** Mechanisms of AUTH that are open now. No password crosses in the clear: RFC 8314 s4.1, RFC8314-02. */
  mechanisms: ({ tls }: ReceiverSituation): string[] => (tls ? ['PLAIN', 'LOGIN'] : []),

  /** RFC 4954 s6. `right`: name and password are. */
  replyToLogin: ({ right }: ReceiverSituation & { right: boolean }): string =>
    right ? '235 2.7.0 Welcome' : '535 5.7.8 Name or password is wrong',

  /** The connector for mail from a domain; `*` stands for every sender that no other covers. EXO-CON-01, EXO-CON-02. */
  connector: ({ role, flow: { inbound }, domain }: ReceiverSituation & { domain: string }) =>
    role === 'inbound'
      ? (decisive(inbound, domain) ?? inbound.find(({ from }): boolean => from === '*'))
      : undefined,

  /** EXO-FRC-14. */
  trustsChain: (at: ReceiverSituation & CertificateSituation): boolean => trustsChain(at),

  /** EXO-FRC-13. */
  acceptsName: (at: ReceiverSituation & CertificateSituation): boolean => acceptsName(at),

  /**
   * The reply that refuses a sender at MAIL. A connector may require TLS (EXO-FRC-11) and a certificate with a certain
   * name (EXO-FRC-12); `authenticated`: the client has shown that one.
   */
  refusalOfSender({
    tls,
    connector,
    authenticated,
  }: ReceiverSituation & {
    connector: InboundConnector | undefined
    authenticated: boolean
  }): string | undefined {
    if (connector?.tls !== 'required') return undefined
    if (!tls) return TLS_FIRST
    if (!connector.clientCertificate || authenticated) return undefined
    return '550 5.7.1 The certificate of the sending server does not authenticate it'
  },

  /**
   * What is stored of a message; undefined: nothing. One whose transfer was cut is still its client's: RFC 5321 s4.2.5,
   * DGR-05. Nobody changes a message on its way: EXO-MSG-04.
   */
  stored: ({
    content,
    complete,
  }: ReceiverSituation & {
    content: string
    complete: boolean
    connector: InboundConnector | undefined
  }): string | undefined => (complete ? content : undefined),

  /** The reply to a message that was stored. RFC 5321 s4.2.3. */
  replyToMessage: ({
    id,
  }: ReceiverSituation & { id: string; connector: InboundConnector | undefined }): string =>
    `250 2.0.0 Taken as ${id}`,
}
export type ReceiverDecisions = typeof CORRECT_RECEIVER
