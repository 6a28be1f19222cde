import { decisive, type OutboundConnector, type OutboundLevel, type Pin } from '../../mailflow/mail-flow.ts'
import { withALabels } from '../../wire/smtp/a-labels.ts'
import { algorithms, type TlsTerms } from '../tls-options.ts'
import type { TlsFailure } from './queue.ts'
import {
  acceptsName,
  acceptsPin,
  type CertificateSituation,
  type Situation,
  trustsChain,
} from './situation.ts'

/** A mail exchanger, and what the gateway has seen of it. */
export interface Host {
  hostname: string
  address: string
  /** An earlier session had TLS that the connector accepted. */
  hadTls: boolean
  /** It did not offer STARTTLS before, or refused it. */
  lackedTls: boolean
  /** An earlier handshake with it failed. */
  brokeTls: boolean
}

/** What is known of the status of one certificate, and what came of each source; see `revocation-check.ts`. */
export interface StatusSaid {
  status: 'good' | 'revoked' | 'undetermined'
  sources: readonly { kind: 'list' | 'responder' | 'issuer' | 'stapled'; outcome: string; address?: string }[]
}

/** One attempt to deliver a message to one recipient domain. */
export interface SenderSituation extends Situation {
  /** Of the message. */
  id: string
  content: string
  /** The recipients' domain, as it was written; letters that are not in ASCII as in the log. */
  domain: string
  /** Recipients of the message at all partners, and their domains. */
  allRecipients: readonly string[]
  domains: readonly string[]
  /** The gateway got the message over TLS. */
  receivedOverTls: boolean
  /** What the connector asks for, and the name that it expects in a certificate. */
  level: OutboundLevel
  expected: string
  /** What the connector pins, if it does. */
  pin: Pin | undefined
  /** A certificate whose status cannot be learned is refused, for all connectors or for this one. */
  requiresStatus: boolean
  /** The level asks for a certificate that is verified. */
  validates: boolean
  /** The transfer of this message was cut before. */
  cutBefore: boolean
  /** How many messages the gateway has delivered before. */
  messages: number
  /** Hosts that the gateway has looked at before this delivery. */
  probed: readonly (Host & { offersTls: boolean })[]
  /** As `holds`, from the message alone. */
  ofMessage: Situation['holds']
  /** Called with what a connection shows. */
  noted: (holds: Situation['holds']) => void
}

/** One connection of this attempt. */
export interface ConnectionSituation extends SenderSituation {
  host: Host
  /** Of this host among all, from 0. */
  position: number
  isLast: boolean
  /** TLS failed on the connection before this one. */
  reconnects: boolean
  /** Other connections to this host that are open. */
  besides: number
  /** The code of the reply with which the partner refused STARTTLS on this connection. */
  refusedWith?: number
  /** What the partner's last EHLO listed, in capitals. */
  keywords: readonly string[]
}

/** How the correct gateway sends mail. */
export const CORRECT_SENDER = {
  /** The connector for a recipient domain, by its A-labels. EXO-CON-04, EXO-FRC-05, ID-03. */
  connector: ({ flow, domain }: Situation & { domain: string }): OutboundConnector | undefined =>
    decisive(flow.outbound, withALabels(domain)),

  /** What a message needs on its way to this domain. `levels`: those of all its recipients' connectors. EXO-OPP-08. */
  level: (
    at: Situation & { domain: string; connector?: OutboundConnector; levels: readonly OutboundLevel[] },
  ): OutboundLevel => at.connector?.tls ?? 'opportunistic',

  /** Domains whose hosts the gateway asks, before the delivery, whether they offer STARTTLS: none. */
  domainsToProbe: (_at: SenderSituation & { hosts: readonly Host[] }): readonly string[] => [],

  /** The mail exchangers, in the order in which the gateway tries them: by preference. RFC 5321 s5.1, RFC5321-01. */
  hosts: ({ hosts }: SenderSituation & { hosts: readonly Host[] }): readonly Host[] => hosts,

  /** Whether the gateway wants TLS on its first connection to a host, once the host has answered EHLO: always. EXO-OPP-01. */
  usesTls: (_at: ConnectionSituation): boolean => true,

  /**
   * Whether a message may be sent unencrypted after TLS has failed: only where its connector does not force TLS and no
   * session began. RFC 3207 s4.1, EXO-FRC-01, EXO-OPP-04, EXO-OPP-06.
   */
  mayGoInClear: ({ level, why }: ConnectionSituation & { why: TlsFailure }): boolean =>
    level === 'opportunistic' && why !== 'session ended',

  /**
   * Whether the gateway goes on unencrypted on the connection on which TLS has failed, or ends there a session that its
   * connector does not accept and then goes on: never. RFC 3207 s4, EXO-FRC-02, RFC3207-06.
   */
  goesOnInClear: (_at: ConnectionSituation & { why: TlsFailure }): boolean => false,

  /** Whether the gateway then tries another handshake on a new connection: never. EXO-OPP-02. */
  retriesHandshake: (_at: ConnectionSituation & { why: TlsFailure }): boolean => false,

  /** Commands between EHLO and STARTTLS: none. EXO-MSG-01. */
  commandsBeforeStarttls: (_at: ConnectionSituation): readonly string[] => [],

  /** Commands that follow STARTTLS before the partner has replied: none. RFC 3207 s4.1, EXO-MSG-01. */
  commandsBehindStarttls: (_at: ConnectionSituation): readonly string[] => [],

  /**
   * Bytes that came unencrypted behind the reply to STARTTLS and that the gateway reads as if they had come inside TLS:
   * none. RFC 3207 s6, RFC3207-08.
   */
  earlyBytes: (_at: ConnectionSituation & { bytes: string }): string => '',

  /** The gateway's part in the handshake. With old versions it would take weak certificates. EXO-VER-04, EXO-OPP-03. */
  tls: ({ flow, validates }: ConnectionSituation): TlsTerms => ({
    ...{ identity: flow.identity, trust: flow.trust },
    ...{ minVersion: validates ? 'TLSv1.2' : flow.minVersion, maxVersion: flow.maxVersion },
    ...algorithms(flow),
  }),

  /** The server that the gateway names in its ClientHello: the host to which it connects. RFC 6066 s3, ID-05. */
  serverName: ({ host }: ConnectionSituation): string => host.hostname,

  /** Whether the gateway offers to resume the last session with the host, whatever it was for: never. BCP-06. */
  resumes: (_at: ConnectionSituation): boolean => false,

  /** Whether the gateway leaves right after the handshake: never. `records`: lengths of those that came in it. RFC8446-02. */
  leavesAfterHandshake: (_at: ConnectionSituation & { records: readonly number[] }): boolean => false,

  /** A ClientHello that the gateway sends in place of its library's: none. EXO-VER-07, EXO-VER-08, BCP-02. */
  helloInstead: (_at: ConnectionSituation): Buffer | undefined => undefined,

  /** What the gateway does not see in the partner's answer to its ClientHello: nothing. RFC 8446 s4.1.3, RFC8996-02. */
  overlooks: (_at: ConnectionSituation): string => '',

  /**
   * Bytes that the gateway writes outside of TLS: when the partner answers the ClientHello with something else, and when
   * the gateway leaves a TLS session. RFC3207-06, EXO-MSG-01.
   */
  bytesOutsideTls: (_at: ConnectionSituation & { moment: 'no handshake' | 'end of session' }): string => '',

  /** Whether the gateway says EHLO again inside TLS. RFC 3207 s4.2, RFC3207-09. */
  greetsAgain: (_at: ConnectionSituation): boolean => true,

  /** Commands between EHLO inside TLS and MAIL: none. `listedInClear`: what EHLO listed before STARTTLS. RFC3207-09. */
  commandsInsideTls: (
    _at: ConnectionSituation & { listedInClear: readonly string[]; reply: readonly string[] },
  ): readonly string[] => [],

  /** What the gateway checks of a partner's certificate. EXO-FRC-06, EXO-FRC-07, EXO-FRC-09, EXO-OPP-05. */
  checks: ({ level, validates }: ConnectionSituation): readonly ('chain' | 'name')[] =>
    level === 'domain-validation' ? ['chain', 'name'] : validates ? ['chain'] : [],

  /** Whether it leads to a trusted root. `issuers`: those of certificates that did so before. EXO-FRC-07. */
  trustsChain: (at: ConnectionSituation & CertificateSituation & { issuers: readonly string[] }): boolean =>
    trustsChain(at),

  /**
   * Whether the gateway asks the authority of a partner's certificate for its status: where it checks the certificate.
   * EXO-FRC-08, EXO-REV-01.
   */
  asksForStatus: ({ validates }: ConnectionSituation): boolean => validates,

  /** What it makes of what the partner sends along about the status of its certificate. OCSP-03. */
  usesStapled: (_at: ConnectionSituation): 'in place of asking' | 'beside asking' | 'not at all' =>
    'in place of asking',

  /** Whether it accepts a certificate that promises a stapled answer where none came: RFC 7633 s4.2.3.1, OCSP-04. */
  acceptsBrokenPromise: (_at: ConnectionSituation): boolean => false,

  /**
   * Whether it accepts a certificate of which this is known, and of its issuers: not if one is revoked; nor if the status is
   * required and not known. EXO-FRC-08, EXO-REV-02, PKIX-05, OCSP-01.
   */
  acceptsStatus: ({
    statuses,
    requiresStatus,
  }: ConnectionSituation & { statuses: readonly StatusSaid[] }): boolean =>
    !statuses.some(({ status }) => status === 'revoked') &&
    !(requiresStatus && statuses.some(({ status }) => status !== 'good')),

  /** Whether it warns in its log where it accepts a certificate without knowing its status. EXO-REV-02. */
  warnsOfStatus: (_at: ConnectionSituation): boolean => true,

  /** Whether it fetches the certificate of an issuer that the partner left out: where it checks the certificate. EXO-REV-03. */
  fetchesIssuers: ({ validates }: ConnectionSituation): boolean => validates,

  /** Whether it carries the name that the connector expects. EXO-FRC-09, EXO-FRC-10. */
  acceptsName: (at: ConnectionSituation & CertificateSituation): boolean => acceptsName(at),

  /** Whether it has what the connector pins. EXO-TRN-05. */
  acceptsPin: (at: ConnectionSituation & CertificateSituation & { pin: Pin }): boolean => acceptsPin(at),

  /** Whether the gateway checks only after it has sent the message: never. RFC3207-11. */
  checksAfterMessage: (_at: ConnectionSituation): boolean => false,

  /** Commands to a host that cannot have the mail, before QUIT: none. EXO-FRC-01. */
  commandsBeforeGivingUp: (_at: ConnectionSituation): readonly string[] => [],

  /**
   * Whether the gateway says QUIT before it closes: always. `why`: TLS that it wants was not had. RFC 5321 s4.1.1.10,
   * RFC3207-11.
   */
  saysQuit: (_at: ConnectionSituation & { why: TlsFailure | undefined }): boolean => true,

  /** Commands on another, unencrypted connection during the delivery: none. EXO-MSG-01. */
  commandsBeside: (_at: ConnectionSituation): readonly string[] => [],

  /** How long the gateway waits before MAIL, in ms: not at all. EXO-OPP-04. */
  delayBeforeMail: (_at: ConnectionSituation): number => 0,

  /** Whom RCPT names to this partner. EXO-OPP-08. */
  recipientsToName: ({ recipients }: ConnectionSituation): readonly string[] => recipients,

  /** The message as the gateway sends it: unchanged. EXO-MSG-04, EXO-MSG-05. */
  contentToSend: ({ content }: ConnectionSituation): string => content,

  /** Whether a message counts as delivered. No code: the connection ended before the reply. RFC 5321 s4.2.5, DGR-05. */
  isDelivered: ({ code = 0 }: ConnectionSituation & { code: number | undefined }): boolean =>
    code >= 200 && code < 300,

  /** Whether the gateway sends the message once more a moment later, unencrypted: never. EXO-MSG-01, EXO-FRC-01. */
  sendsAgainInClear: (_at: SenderSituation & { delivered: boolean }): boolean => false,

  /** Whether it does so over TLS: never. EXO-FRC-04. */
  sendsAgainOverTls: (_at: SenderSituation & { delivered: boolean }): boolean => false,
}
export type SenderDecisions = typeof CORRECT_SENDER
