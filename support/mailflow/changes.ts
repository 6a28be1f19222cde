import type { Pki } from '../pki/pki.ts'
import { HERE, SERVICE } from './domains.ts'
import type { MailFlow } from './mail-flow.ts'
import { at, FORCED_LEVELS } from './standard-flow.ts'

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

/** The gateway's own certificate under another authority. */
export function gatewayIdentity(flow: MailFlow, pki: Pki, authority: 'former' | 'new') {
  return pki.issue({ names: [flow.hostname, flow.domain], usage: 'server', authority })
}
