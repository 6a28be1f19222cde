import type { Identity } from '../pki/pki.ts'

/** TLS setting of an outbound connector, weakest first. Names follow Exchange's levels. */
export const OUTBOUND_LEVELS = [
  'opportunistic',
  'encryption-only',
  'certificate-validation',
  'domain-validation',
] as const
export type OutboundLevel = (typeof OUTBOUND_LEVELS)[number]

export interface OutboundConnector {
  /** A recipient domain, or `*.` before one: any name below it. */
  to: string
  tls: OutboundLevel
  /** Name that the certificate must carry in place of the recipient's own (Exchange's TlsDomain). */
  tlsDomain?: string
}

export interface InboundConnector {
  /** A sender domain, or `*.` before one. Senders that match no connector are served opportunistically. */
  from: string
  tls: 'opportunistic' | 'required'
  /** Name that the sender's certificate must carry; a leading `*.` covers one label. */
  clientCertificate?: string
}

/** Everything that a gateway is told, free of any product. */
export interface MailFlow {
  /** The gateway's own name, in its greeting and its certificate. */
  hostname: string
  /** Domain whose mail it takes in; routed on to the mailbox by DNS. */
  domain: string
  /** An address of it at which it accepts mail. */
  recipient: string
  /** Sender of messages that it is asked to send on. */
  sender: string
  identity: Identity
  /** Roots for the certificates of partners and of senders, PEM. */
  trust: string[]
  /** Roots that senders have for the gateway's own certificate, PEM. */
  sendersTrust: readonly string[]
  minVersion: 'TLSv1.2'
  /** Where newer versions are not to be used in either direction, for products that can be told so. */
  maxVersion?: 'TLSv1.2'
  /** Where key exchange without forward secrecy is not to be used in either direction, likewise. */
  forwardSecrecy?: true
  inbound: InboundConnector[]
  outbound: OutboundConnector[]
  /** Who may log in for submission. */
  users: { name: string; password: string }[]
  /** How many attempts a message gets before it is returned to its sender. */
  attempts: number
  /** DNS server that leads to the partners, and the port on which they all listen. */
  network: { resolver: string; partnerPort: number }
}

/** The connector that decides for a domain: exact before wildcard, longer before shorter. */
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

/** Greater for what decides first: a name before patterns, a long pattern before a short one, `*` last. */
export const specificity = (pattern: string): number => pattern.length + (pattern.startsWith('*') ? 0 : 1000)

/** Whether TLS is required of whoever connects, before a sender is named. */
export const requiresTlsOfAll = ({ inbound }: MailFlow): boolean =>
  inbound.some(({ from, tls }) => from === '*' && tls === 'required')

/** Whether `*.example.test` (any name below) or `example.test` (itself) covers a domain. */
export function covers(pattern: string, domain: string): boolean {
  return pattern.startsWith('*.') ? domain.endsWith(pattern.slice(1)) : pattern === domain
}
