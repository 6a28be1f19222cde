import type { ExpectedAttributes } from '../pki/expected-certificate.ts'
import type { Identity } from '../pki/pki.ts'

/** TLS settings of an outbound connector, the weakest first. The names follow Exchange's levels. */
export const OUTBOUND_LEVELS = [
  'opportunistic',
  'encryption-only',
  'certificate-validation',
  'domain-validation',
] as const
export type OutboundLevel = (typeof OUTBOUND_LEVELS)[number]

/** The weakest first. */
export const STATUS_DEMANDS = ['asked', 'required'] as const

export interface OutboundConnector {
  /** A recipient domain, or with `*.` before it all domains below it. */
  to: string
  tls: OutboundLevel
  /** Name that the certificate must carry in place of the recipient's own (Exchange's TlsDomain). */
  tlsDomain?: string
  /**
   * What a gateway file says about the status of the partner's certificate: the gateway asks the authority for it, and
   * refuses one that is revoked; or also one whose status it cannot learn. Absent: nothing is said.
   */
  status?: (typeof STATUS_DEMANDS)[number]
  /** An attribute that the certificate must have besides. The name is then not compared. */
  pin?: Pin
}

/** What an administrator may pin of a partner's certificate, beside its name. EXO-TRN-05. */
export const PINS = ['organisation', 'unit', 'issuer', 'key'] as const

/** `issuer`: its common name; `key`: SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
export interface Pin {
  attribute: (typeof PINS)[number]
  value: string
}

export interface InboundConnector {
  /** A sender domain, or with `*.` before it all domains below it. For all other senders TLS is opportunistic. */
  from: string
  tls: 'opportunistic' | 'required'
  /** Name that the sender's certificate must carry; a leading `*.` covers one label. */
  clientCertificate?: string
}

/** The mail service of Microsoft's documents, as one of its texts describes it. The texts are profiles of the catalogue. */
export const SERVICE_TEXTS = [
  'exchange-online-2018',
  'exchange-online-2021',
  'exchange-online-current',
] as const
export type ServiceText = (typeof SERVICE_TEXTS)[number]

/** What a gateway is told that stands in for the service, and what its certificate is compared with. */
export interface Service {
  text: ServiceText
  /** Attributes of the certificate as the text has them, and of the one before. Roots are those of the lab. */
  published: ExpectedAttributes
  former: ExpectedAttributes
}

/** The whole configuration of a gateway, without anything that belongs to one product. */
export interface MailFlow {
  /** The gateway's own name, in its greeting and its certificate. */
  hostname: string
  /** Domain whose mail the gateway accepts. The DNS leads that mail on to the mailbox. */
  domain: string
  /** An address at that domain for which the gateway accepts mail. */
  recipient: string
  /** Sender of the messages that the suite hands to the gateway. */
  sender: string
  identity: Identity
  /** Roots for the certificates of partners and of senders, PEM. */
  trust: string[]
  /** Roots that senders have for the gateway's own certificate, PEM. */
  sendersTrust: readonly string[]
  minVersion: 'TLSv1.2' | 'TLSv1'
  /** The gateway must use no newer version, in either direction. */
  maxVersion?: 'TLSv1.2'
  /** The gateway must use no key exchange without forward secrecy, in either direction. */
  forwardSecrecy?: true
  /** The gateway must use what every guideline of a government allows, and nothing else, in either direction. */
  strict?: true
  /** The gateway must refuse a certificate whose status it cannot learn, where it validates (hard-fail). */
  requiresStatus?: true
  /** The gateway stands in for the mail service: it has the suites and the certificate of the service. */
  service?: Service
  inbound: InboundConnector[]
  outbound: OutboundConnector[]
  /**
   * Who shows a certificate for this name may send mail of the gateway's own domain to everybody: a server of the same
   * organisation. Absent: nobody may.
   */
  relay?: string
  /** The users who may log in to hand messages to the gateway. */
  users: { name: string; password: string }[]
  /** How many attempts a message gets before it is returned to its sender. */
  attempts: number
  /** The DNS server that leads to the partners, and the port on which all partners listen. */
  network: { resolver: string; partnerPort: number }
}

/**
 * The connector that applies to a domain: one for just that domain before a pattern, a long pattern before a short
 * one.
 */
export function decisive<C extends { to: string } | { from: string }>(
  connectors: readonly C[],
  domain: string,
): C | undefined {
  const name = domain.toLowerCase()
  const pattern = (c: C): string => ('to' in c ? c.to : c.from).toLowerCase()
  return connectors
    .filter(c => covers(pattern(c), name))
    .sort((a, b) => specificity(pattern(b)) - specificity(pattern(a)))[0]
}

/** What mail for a domain demands; without a connector, TLS is optional. */
export const levelFor = (
  connectors: readonly { to: string; tls: OutboundLevel }[],
  domain: string,
): OutboundLevel => decisive(connectors, domain)?.tls ?? 'opportunistic'

/** The order in which connectors apply, greatest first: a name, a long pattern, a short one, `*`. */
export const specificity = (pattern: string): number => pattern.length + (pattern.startsWith('*') ? 0 : 1000)

/** Whether the gateway requires TLS of every client, before it knows the sender. */
export const requiresTlsOfAll = ({ inbound }: MailFlow): boolean =>
  inbound.some(({ from, tls }) => from === '*' && tls === 'required')

/** Whether `*.example.test` (any name below) or `example.test` (itself) covers a domain. */
export function covers(pattern: string, domain: string): boolean {
  return pattern.startsWith('*.') ? domain.endsWith(pattern.slice(1)) : pattern === domain
}
