import { decisive, type OutboundConnector, type OutboundLevel } from '../../mailflow/mail-flow.ts'
import { SUITES, type TlsTerms, WITH_FORWARD_SECRECY } from '../tls-options.ts'
import type { WithoutTls } from './queue.ts'
import { acceptsName, type CertificateSituation, type Situation, trustsChain } from './situation.ts'

/** A mail exchanger, and what the gateway has seen of it. */
export interface Host {
  hostname: string
  address: string
  /** An earlier session with it had TLS that its connector accepted. */
  hadTls: boolean
  /** It did not offer STARTTLS before, or refused it. */
  lackedTls: boolean
}

/** One attempt to deliver a message to one recipient domain. */
export interface SenderSituation extends Situation {
  /** Of the message. */
  id: string
  /** Recipient domain as it was written. */
  domain: string
  /** Recipients of the message at all partners, and their domains. */
  allRecipients: readonly string[]
  domains: readonly string[]
  content: string
  /** The gateway got the message over TLS. */
  receivedOverTls: boolean
  /** What the connector asks for, and the name that it expects in a certificate. */
  level: OutboundLevel
  expected: string
  /** The transfer of this message was cut before. */
  cutBefore: boolean
  /** How many messages the gateway has delivered before. */
  messages: number
  /** Hosts that the gateway looked at before this delivery. */
  probed: readonly (Host & { offersTls: boolean })[]
}

/** One connection for it. */
export interface ConnectionSituation extends SenderSituation {
  host: Host
  /** Of the host among all, from 0, and how many there are. */
  position: number
  hosts: number
  /** The connection before this one had to be given up for this reason. */
  reconnectsAfter: WithoutTls | undefined
  /** What the partner's last EHLO listed, in capitals. */
  keywords: readonly string[]
}

/** A message that is sent again although nobody asked for it. */
export interface Copy {
  /** Else it goes in the clear. */
  tls: boolean
}

/** How the correct gateway sends mail. */
export const CORRECT_SENDER = {
  /** The connector for a recipient domain. EXO-CON-04, EXO-FRC-05. */
  connector: ({ flow, domain }: Situation & { domain: string }): OutboundConnector | undefined =>
    decisive(flow.outbound, domain),

  /**
   * The TLS that a message needs on its way to a domain; `levels` are those of all its recipients' domains, which are
   * decided for themselves. EXO-OPP-08.
   */
  level: ({
    connector,
  }: Situation & {
    domain: string
    connector: OutboundConnector | undefined
    levels: readonly OutboundLevel[]
  }): OutboundLevel => connector?.tls ?? 'opportunistic',

  /** Domains whose hosts the gateway connects to, before it delivers, only to look whether they offer STARTTLS. */
  domainsToProbe: (_at: SenderSituation & { hosts: readonly Host[] }): readonly string[] => [],

  /** Mail exchangers in the order in which they are tried: that of their preference. RFC 5321 s5.1, RFC5321-01. */
  hosts: ({ hosts }: SenderSituation & { hosts: readonly Host[] }): readonly Host[] => hosts,

  /** Whether STARTTLS is used on a first connection: wherever it is offered. EXO-OPP-01. */
  usesTls: (_at: ConnectionSituation): boolean => true,

  /**
   * Whether a message may cross in the clear after TLS could not be had: only where nothing forces TLS. EXO-FRC-01,
   * EXO-OPP-04, EXO-OPP-06, RFC 3207 s4.1.
   */
  mayGoInClear: ({ level }: ConnectionSituation & { why: WithoutTls }): boolean => level === 'opportunistic',

  /** Whether another handshake is tried on a new connection. EXO-OPP-02. */
  retriesHandshake: (_at: ConnectionSituation & { why: WithoutTls }): boolean => false,

  /** Commands in the clear before STARTTLS, EHLO aside. EXO-MSG-01. */
  commandsBeforeStarttls: (_at: ConnectionSituation): readonly string[] => [],

  /** Commands that follow STARTTLS before it is answered. RFC 3207 s4: STARTTLS is the last of its group. */
  commandsBehindStarttls: (_at: ConnectionSituation): readonly string[] => [],

  /** What is kept of bytes that came in the clear behind the answer to STARTTLS: nothing. RFC 3207 s6, RFC3207-08. */
  earlyBytes: (_at: ConnectionSituation & { bytes: string }): string => '',

  /** How it takes part in a handshake. EXO-VER-04, EXO-OPP-03. */
  tls: ({ flow }: ConnectionSituation): TlsTerms => ({
    identity: flow.identity,
    minVersion: flow.minVersion,
    maxVersion: flow.maxVersion,
    suites: flow.forwardSecrecy ? WITH_FORWARD_SECRECY : SUITES,
    trust: flow.trust,
  }),

  /**
   * Bytes that are written below TLS: when the answer to the ClientHello is no handshake record, and when the gateway
   * leaves a TLS session. RFC3207-06, EXO-MSG-01.
   */
  bytesOutsideTls: (_at: ConnectionSituation & { moment: 'no handshake' | 'end of session' }): string => '',

  /** Whether EHLO is said again inside TLS. RFC 3207 s4.2, RFC3207-09. */
  greetsAgain: (_at: ConnectionSituation): boolean => true,

  /** Commands inside TLS before MAIL, EHLO aside. `reply` is the answer to the last EHLO, `listedInClear` that to the first. */
  commandsInsideTls: (
    _at: ConnectionSituation & { reply: readonly string[]; listedInClear: readonly string[] },
  ): readonly string[] => [],

  /** What is looked at in a partner's certificate. EXO-FRC-06, EXO-FRC-07, EXO-FRC-09, EXO-OPP-05. */
  checks: ({ level }: ConnectionSituation): readonly ('chain' | 'name')[] =>
    ({
      opportunistic: [],
      'encryption-only': [],
      'certificate-validation': ['chain'] as const,
      'domain-validation': ['chain', 'name'] as const,
    })[level],

  /** EXO-FRC-07. `issuers`: those of certificates that led to a trusted root before. */
  trustsChain: (at: ConnectionSituation & CertificateSituation & { issuers: readonly string[] }): boolean =>
    trustsChain(at),

  /** EXO-FRC-09, EXO-FRC-10. */
  acceptsName: (at: ConnectionSituation & CertificateSituation): boolean => acceptsName(at),

  /** Whether the certificate is looked at only after the message has been given away. RFC3207-11. */
  checksTooLate: (_at: ConnectionSituation): boolean => false,

  /** Commands to a host that cannot have the mail, before QUIT. */
  commandsBeforeGivingUp: (_at: ConnectionSituation): readonly string[] => [],

  /** Commands that go over another connection in the clear, beside the one that delivers. EXO-MSG-01. */
  commandsBeside: (_at: ConnectionSituation): readonly string[] => [],

  /** Whom RCPT names to this partner. EXO-OPP-08. */
  recipientsToName: ({ recipients }: ConnectionSituation): readonly string[] => recipients,

  /** The message as it is sent: unchanged. EXO-MSG-04, EXO-MSG-05. */
  contentToSend: ({ content }: ConnectionSituation): string => content,

  /** Whether a message counts as delivered; without a code the connection ended before its reply. RFC 5321 s4.2.5, DGR-05. */
  isDelivered: ({ code }: ConnectionSituation & { code: number | undefined }): boolean =>
    code !== undefined && code < 300,

  /** What the gateway sends once more a moment later, unasked. EXO-MSG-01, EXO-FRC-04. */
  furtherCopies: (_at: SenderSituation & { delivered: boolean }): readonly Copy[] => [],
}
export type SenderDecisions = typeof CORRECT_SENDER
