import type { Capability } from '../gateway/adapter.ts'
import type { GatewaySource, PeerKind } from '../gateway/gateway.ts'
import { pathTo } from '../lab/lab.ts'
import type { Pki } from '../pki/pki.ts'
import { type MailFlow, OUTBOUND_LEVELS, type OutboundConnector, type OutboundLevel } from './mail-flow.ts'

/** Forced levels, weakest first: what a scenario gets that asks for TLS and not for more. */
export const FORCED_LEVELS = OUTBOUND_LEVELS.slice(1) as Exclude<OutboundLevel, 'opportunistic'>[]

/** How a gateway departs from the standard flow; scenarios about change and policy ask for these. */
export const FLOW_VARIANTS = [
  'as it is',
  'trusts the former root',
  'trusts both roots',
  'trusts the new root',
  'shows a certificate of the former authority',
  'gives up after 3 attempts',
  'requires TLS of every sender',
  'has lost its certificate',
  'belongs to a service',
] as const
export type FlowVariant = (typeof FLOW_VARIANTS)[number]

const HOSTNAME = 'mx.gateway.test'
const DOMAIN = 'gateway.test'
/** Servers of one service, each with a domain of its own. No connector of the standard flow covers these names. */
export const SERVICE = 'service.test'
const HERE = `here.${SERVICE}`
const PEERS: Record<PeerKind, string> = { 'the same kind': 'there', 'another kind': 'elsewhere' }

/**
 * What every gateway that the suite starts is told: a connector for each behaviour that scenarios ask for, as far as
 * the product can say it. A scenario finds its connector by what it does, never by its pattern.
 */
export async function standardFlow(
  source: GatewaySource,
  { pki, network }: { pki: Pki; network: MailFlow['network'] },
): Promise<MailFlow> {
  const has = (capability: Capability) => source.lacks(capability) === undefined
  const forced = FORCED_LEVELS.find(has)
  const outbound: OutboundConnector[] = [{ to: '*.opportunistic.test', tls: 'opportunistic' }]
  if (forced)
    outbound.push(
      { to: '*.forced.test', tls: forced },
      { to: '*.both.test', tls: forced },
      // A name without wildcard binds that domain alone; another exempts some of what a general one covers.
      { to: 'parent.test', tls: forced },
      { to: '*.general.test', tls: forced },
      { to: 'exempt.general.test', tls: 'opportunistic' },
      { to: '*.exempt.general.test', tls: 'opportunistic' },
    )
  if (has('encryption-only')) outbound.push({ to: '*.encrypted.test', tls: 'encryption-only' })
  if (has('certificate-validation')) outbound.push({ to: '*.trusted.test', tls: 'certificate-validation' })
  if (has('domain-validation')) outbound.push({ to: '*.verified.test', tls: 'domain-validation' })
  if (has('tls-domain'))
    outbound.push(
      { to: '*.named.test', tls: 'domain-validation', tlsDomain: 'mail.partner.test' },
      { to: '*.wildcard.test', tls: 'domain-validation', tlsDomain: '*.partner.test' },
    )
  const inbound: MailFlow['inbound'] = []
  if (has('inbound-required'))
    inbound.push({ from: '*.required.test', tls: 'required' }, { from: '*.both.test', tls: 'required' })
  if (has('client-certificates'))
    inbound.push(
      { from: '*.certified.test', tls: 'required', clientCertificate: 'mail.certified.test' },
      { from: '*.wildcard.test', tls: 'required', clientCertificate: '*.partner.test' },
    )
  return {
    hostname: HOSTNAME,
    domain: DOMAIN,
    recipient: `inbox@${DOMAIN}`,
    sender: `probe@${DOMAIN}`,
    identity: await pki.issue({ names: [HOSTNAME, DOMAIN], usage: 'server' }),
    trust: [await pki.root()],
    sendersTrust: [await pki.root()],
    minVersion: 'TLSv1.2',
    inbound,
    outbound,
    users: [{ name: `probe@${DOMAIN}`, password: 'correct-horse-battery' }],
    attempts: 100,
    network,
  }
}

/** The standard flow with one thing changed. */
export async function variantOf(flow: MailFlow, variant: FlowVariant, pki: Pki): Promise<MailFlow> {
  const roots = (...names: ('root' | 'former' | 'new')[]) => Promise.all(names.map(name => pki.root(name)))
  switch (variant) {
    case 'as it is':
      return flow
    case 'trusts the former root':
      return { ...flow, trust: await roots('former') }
    case 'trusts both roots':
      return { ...flow, trust: await roots('former', 'new') }
    case 'trusts the new root':
      return { ...flow, trust: await roots('new') }
    case 'shows a certificate of the former authority':
      return {
        ...flow,
        identity: await gatewayIdentity(flow, pki, 'former'),
        sendersTrust: await roots('former'),
      }
    case 'gives up after 3 attempts':
      return { ...flow, attempts: 3 }
    case 'requires TLS of every sender':
      return { ...flow, inbound: [{ from: '*', tls: 'required' }] }
    case 'has lost its certificate':
      return { ...flow, identity: { key: flow.identity.key, certificate: '' } }
    case 'belongs to a service':
      return ofService(flow, pki)
  }
}

/** As one of several servers: among them TLS is required in both directions, at the highest level that there is. */
async function ofService(flow: MailFlow, pki: Pki): Promise<MailFlow> {
  const levels = new Set(flow.outbound.map(({ tls }) => tls))
  const tls = FORCED_LEVELS.findLast(level => levels.has(level))
  return {
    ...(await at(HERE, flow, pki)),
    maxVersion: 'TLSv1.2',
    forwardSecrecy: true,
    inbound: flow.inbound.some(({ tls }) => tls === 'required')
      ? [...flow.inbound, { from: `*.${SERVICE}`, tls: 'required' }]
      : flow.inbound,
    outbound: tls
      ? [...flow.outbound, { to: `*.${SERVICE}`, tls }, { to: HERE, tls: 'opportunistic' }]
      : flow.outbound,
  }
}

/** What a second server is told, one of several: it takes and sends everything, with TLS or without. */
export async function peerFlow(
  flow: MailFlow,
  { kind, number }: { kind: PeerKind; number: number },
  pki: Pki,
): Promise<MailFlow> {
  return { ...(await at(`${PEERS[kind]}${number}.${SERVICE}`, flow, pki)), inbound: [], outbound: [] }
}

/** The same flow under other names. */
async function at(domain: string, flow: MailFlow, pki: Pki): Promise<MailFlow> {
  const hostname = `mx.${domain}`
  return {
    ...flow,
    hostname,
    domain,
    recipient: `inbox@${domain}`,
    sender: `probe@${domain}`,
    // The first is the common name as well, with which Sendmail 8.15 compares, and with nothing else.
    identity: await pki.issue({ names: [domain, hostname, pathTo(domain)], usage: 'server' }),
    users: flow.users.map(({ password }) => ({ name: `probe@${domain}`, password })),
  }
}

/** The gateway's own certificate under another authority. */
export function gatewayIdentity(flow: MailFlow, pki: Pki, authority: 'former' | 'new') {
  return pki.issue({ names: [flow.hostname, flow.domain], usage: 'server', authority })
}
