import type { Pki } from '../pki/pki.ts'
import type { Capability, SecondServerKind } from './capabilities.ts'
import { DOMAIN, HOSTNAME, pathTo, RELAY, SECOND_SERVERS, SERVICE } from './domains.ts'
import {
  type MailFlow,
  OUTBOUND_LEVELS,
  type OutboundConnector,
  type OutboundLevel,
  PINS,
  type ServiceText,
} from './mail-flow.ts'
import { asService } from './service.ts'

/**
 * The levels that require TLS, the weakest first. An example that asks for TLS and no more gets the first that there
 * is.
 */
export const FORCED_LEVELS = OUTBOUND_LEVELS.slice(1) as Exclude<OutboundLevel, 'opportunistic'>[]

/**
 * The mail flow of every gateway that the suite starts. It has a connector for each behaviour that examples ask for,
 * as far as the product can express it. An example finds a connector by what it does, never by its pattern: see
 * `connectors.ts`.
 */
export async function standardFlow(
  source: { lacks(capability: Capability): string | undefined; service?: ServiceText },
  { pki, network }: { pki: Pki; network: MailFlow['network'] },
): Promise<MailFlow> {
  const has = (capability: Capability) => source.lacks(capability) === undefined
  const forced = FORCED_LEVELS.find(has)
  const outbound: OutboundConnector[] = [{ to: '*.opportunistic.test', tls: 'opportunistic' }]
  if (forced)
    outbound.push(
      { to: '*.forced.test', tls: forced },
      { to: '*.both.test', tls: forced },
      // A name without `*.` is for that domain alone. The last two make TLS optional for some domains of the one before.
      { to: 'parent.test', tls: forced },
      { to: 'exact.test', tls: forced },
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
  for (const attribute of PINS)
    if (has(`pin-${attribute}`)) {
      const value = attribute === 'key' ? await pki.keyPin() : FORMER_PINS[attribute]
      outbound.push({ to: `*.${attribute}.test`, tls: 'certificate-validation', pin: { attribute, value } })
    }
  const inbound: MailFlow['inbound'] = []
  if (has('inbound-required'))
    inbound.push({ from: '*.required.test', tls: 'required' }, { from: '*.both.test', tls: 'required' })
  if (has('client-certificates'))
    inbound.push(
      { from: '*.certified.test', tls: 'required', clientCertificate: 'mail.certified.test' },
      { from: '*.wildcard.test', tls: 'required', clientCertificate: '*.partner.test' },
    )
  const flow: MailFlow = {
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
    ...(has('relay-by-certificate') ? { relay: RELAY } : {}),
    users: [{ name: `probe@${DOMAIN}`, password: 'correct-horse-battery' }],
    attempts: 100,
    network,
  }
  return source.service ? asService(flow, source.service, pki) : flow
}

/** What the certificate of the mail service had before its change, see `hierarchies.ts`. */
const FORMER_PINS = {
  organisation: 'Microsoft Corporation',
  unit: 'Microsoft Corporation',
  issuer: 'Microsoft IT TLS CA 4',
}

/** What the second server with a number is told: to take and send everything, with TLS or without. */
export async function secondServerFlow(
  flow: MailFlow,
  { kind, number }: { kind: SecondServerKind; number: number },
  pki: Pki,
): Promise<MailFlow> {
  return {
    ...(await underDomain(`${SECOND_SERVERS[kind]}${number}.${SERVICE}`, flow, pki)),
    inbound: [],
    outbound: [],
  }
}

/** The same mail flow for a gateway of another domain: its names, its certificate and its user are of that domain. */
export async function underDomain(domain: string, flow: MailFlow, pki: Pki): Promise<MailFlow> {
  const hostname = `mx.${domain}`
  return {
    ...flow,
    hostname,
    domain,
    recipient: `inbox@${domain}`,
    sender: `probe@${domain}`,
    // The first name is the common name as well. Sendmail 8.15 compares with that alone.
    identity: await pki.issue({ names: [domain, hostname, pathTo(domain)], usage: 'server' }),
    users: flow.users.map(({ password }) => ({ name: `probe@${domain}`, password })),
  }
}
