import { isDeepStrictEqual } from 'node:util'
import type { Doing } from '../engine/engine.ts'
import type { RunNetwork } from '../engine/run-network.ts'
import { type ExternalSource, isExternal } from '../gateway/external.ts'
import type { GatewayFile, LabSide, OutboundSide } from '../gateway/gateway-file.ts'
import type { GatewaySource } from '../gateway/source.ts'
import { InputError } from '../input-error.ts'
import { CannotListen } from '../lab/cannot-listen.ts'
import { FixedLab } from '../lab/fixed-lab.ts'
import type { Lab, PartnerOptions } from '../lab/lab.ts'
import { LoopbackLab } from '../lab/loopback-lab.ts'
import { type Mailbox, partnerMailbox } from '../lab/mailbox/mailbox.ts'
import { usersMailbox } from '../lab/mailbox/users-mailbox.ts'
import { AddressRange } from '../lab/partner/address-range.ts'
import { SERVICE, STRANGERS } from '../mailflow/domains.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { standardFlow } from '../mailflow/standard-flow.ts'
import { readAuthorities } from '../pki/authority-files.ts'
import { Pki } from '../pki/pki.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'

/** What a run needs before it starts a gateway: the lab, and what the gateway is told. */
export interface Surroundings {
  lab: Lab
  flow: MailFlow
  /** Absent where the suite cannot look into a mailbox. */
  mailbox: Mailbox | undefined
  /** Where the suite itself takes the mail of the mailbox, beside the lab. */
  inbox?: { stop(): Promise<void> }
  /** The network for gateways in containers. */
  network?: RunNetwork
}

/** `doing` is called for everything that takes time; `signal` ends it. */
interface Start {
  doing?: Doing
  signal?: AbortSignal
}

/** Starts the lab for the kind of gateway. `pki` is used unless the gateway's file names authorities. */
export async function surroundings(
  source: GatewaySource,
  pki = new Pki(),
  start: Start = {},
): Promise<Surroundings> {
  if (isExternal(source)) return aroundExternal(source, pki, start)
  return source.kind === 'container' ? aroundContainers(source, pki, start) : aroundEmbedded(source, pki)
}

/** The same for a dry run: nothing listens, and nothing is started. */
export async function surroundingsOnPaper(source: GatewaySource, pki = new Pki()): Promise<Surroundings> {
  const network = { resolver: '', partnerPort: 0 }
  return isExternal(source)
    ? { lab: labAround(source, pki), flow: source.flow, mailbox: undefined }
    : { lab: new LoopbackLab(pki), flow: await standardFlow(source, { pki, network }), mailbox: undefined }
}

async function aroundEmbedded(source: GatewaySource, pki: Pki): Promise<Surroundings> {
  const lab = new LoopbackLab(pki)
  await lab.start()
  const network = { resolver: `127.0.0.1:${lab.dnsPort}`, partnerPort: lab.port }
  const flow = await standardFlow(source, { pki, network })
  const inbox = await lab.partner(inboxOf(flow))
  lab.inbox = inbox
  return { lab, flow, mailbox: partnerMailbox(inbox) }
}

/** Without TLS, as the mailbox in a container: the hop behind every gateway is unencrypted. */
const inboxOf = ({ domain }: MailFlow): PartnerOptions => ({
  domain,
  hostnames: [`mailbox.${domain}`],
  hosts: [{ starttls: { hides: true } }],
  maxConnections: Number.MAX_SAFE_INTEGER,
})

async function aroundContainers(
  source: GatewaySource,
  pki: Pki,
  { doing, ...options }: Start,
): Promise<Surroundings> {
  // Loaded only here: loading the engine's client takes time.
  const { ContainerLab } = await import('../lab/container-lab.ts')
  const lab = await ContainerLab.start(pki, doing, options)
  try {
    const flow = await standardFlow(source, { pki, network: lab.network })
    await lab.leadToMailbox(flow.domain)
    await lab.admitSenders([
      STRANGERS,
      `*.${SERVICE}`,
      ...sides(flow).filter(domain => domain.startsWith('*.')),
    ])
    return { lab, flow, mailbox: lab.mailbox, network: lab.containers }
  } catch (error) {
    // The next run removes what is left. The first error matters.
    await lab.stop().catch(() => {})
    throw error
  }
}

/** The domains of all connectors: clients may be at any of them. */
const sides = ({ inbound, outbound }: MailFlow): string[] => [
  ...inbound.map(({ from }) => from),
  ...outbound.map(({ to }) => to),
]

async function aroundExternal(source: ExternalSource, given: Pki, start: Start): Promise<Surroundings> {
  const { file, flow } = source
  const pki = file.pki === undefined ? given : new Pki(readAuthorities(file.pki))
  if (file.lab) return inNetwork(source, file.lab, pki, start)
  const lab = labAround(source, pki)
  try {
    await lab.start()
  } catch (error) {
    await lab.stop()
    if (!(error instanceof CannotListen)) throw error
    throw new InputError(`${file.path}: ${whyNot(error, file)}`)
  }
  try {
    return { lab, flow, ...(await mailboxOf(source, pki, at => at)) }
  } catch (error) {
    await lab.stop()
    throw error
  }
}

/** The mailbox that the gateway file names; `place` gives the URL at which the suite reaches it. */
async function mailboxOf(
  { file, flow }: ExternalSource,
  pki: Pki,
  place: (url: string) => string,
): Promise<Pick<Surroundings, 'mailbox' | 'inbox'>> {
  const address = file.inbound?.mailbox
  if (!address) return { mailbox: undefined }
  if (!('listen' in address)) return { mailbox: usersMailbox({ ...address, url: place(address.url) }) }
  const inbox = new FixedLab(pki, [{ to: flow.domain, tls: 'opportunistic', partner: [address.listen] }])
  try {
    await inbox.start()
    const [partner] = await inbox.partners([inboxOf(flow)])
    return { mailbox: partnerMailbox(partner!), inbox }
  } catch (error) {
    await inbox.stop()
    if (!(error instanceof CannotListen)) throw error
    throw new InputError(
      `${file.path}: inbound.mailbox: the suite cannot listen there: ${error.message}${error.code === 'EACCES' ? PRIVILEGE : ''}`,
    )
  }
}

const PRIVILEGE = '; it needs a privilege (CAP_NET_BIND_SERVICE), or a port from 1024 on'

/** The lab joins the container network of a gateway of the user's. */
async function inNetwork(
  source: ExternalSource,
  { network, resolver, problem }: LabSide,
  pki: Pki,
  start: Start,
): Promise<Surroundings> {
  const { file, flow } = source
  // Loaded only here: loading the engine's client takes time.
  const { ContainerLab } = await import('../lab/container-lab.ts')
  const { CannotJoin } = await import('../engine/engine.ts')
  const { NoEngine } = await import('../engine/connection.ts')
  try {
    const connectors = file.outbound?.connectors ?? []
    const place = { network, resolver, connectors, admitted: admitted(source) }
    const lab = await ContainerLab.join(pki, place, start)
    try {
      const seen = await mailboxOf(source, pki, url => withHost(url, lab.containers))
      return { lab, flow, ...seen, network: lab.containers }
    } catch (error) {
      await lab.stop()
      throw error
    }
  } catch (error) {
    if (error instanceof NoEngine) throw problem('network', error.message)
    if (error instanceof CannotJoin) throw problem(error.part, error.message)
    throw error
  }
}

/** A URL with the address of a container in place of its name. */
function withHost(text: string, containers: RunNetwork): string {
  const url = new URL(text)
  url.hostname = containers.addressOf(url.hostname)
  return url.href.replace(/\/+$/, '')
}

/** Domains of senders that must exist in the DNS. */
const admitted = ({ file: { inbound, outbound }, flow }: ExternalSource): string[] => [
  ...[STRANGERS, `*.${SERVICE}`, ...sides(flow)],
  ...[inbound?.recipient, outbound?.sender].flatMap(address => address?.split('@')[1] ?? []),
]

/** With the key `lab`, for a dry run only: that lab has as many addresses, and is not started. */
function labAround(source: ExternalSource, pki: Pki) {
  const { names, outbound, lab } = source.file
  const { sender, connectors = [] } = outbound ?? {}
  if (lab) return new LoopbackLab(pki)
  if (!names) return new FixedLab(pki, connectors, sender)
  return new LoopbackLab(pki, {
    ...{ partners: names.partners, port: names.port, dns: names.listen, connectors },
    ...(sender === undefined ? {} : { sender }),
    admitted: admitted(source),
  })
}

/** Another program has the address, the address is not one of this machine, or the port is only for others. */
function whyNot({ endpoint, code, message }: CannotListen, { names, outbound }: GatewayFile): string {
  const cannot = (key: string, advice = '') => `${key}: the suite cannot listen there: ${message}${advice}`
  if (!names) return cannot(keyOf(endpoint, outbound!))
  if (isDeepStrictEqual(endpoint, names.listen)) return cannot('names.listen')
  if (code === 'EACCES') return cannot('names.port', PRIVILEGE)
  const index = names.partners.findIndex(range => range.overlaps(new AddressRange(endpoint.host)))
  const missing = code === 'EADDRNOTAVAIL' ? '; this machine must have every address of the range' : ''
  return cannot(`names.partners[${index}]`, missing)
}

/** The key of the gateway file that names an address of partners. */
function keyOf(endpoint: Endpoint, { partner, connectors }: OutboundSide): string {
  const among = (addresses: readonly Endpoint[]) => addresses.some(one => isDeepStrictEqual(one, endpoint))
  if (among(partner)) return 'outbound.partner'
  return `outbound.connectors[${connectors.findIndex(connector => among(connector.partner))}].partner`
}
