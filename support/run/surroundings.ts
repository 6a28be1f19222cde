import { isDeepStrictEqual } from 'node:util'
import type { Doing } from '../engine/engine.ts'
import type { RunNetwork } from '../engine/run-network.ts'
import type { ExternalSource } from '../gateway/external.ts'
import type { OutboundSide } from '../gateway/gateway-file.ts'
import type { GatewaySource } from '../gateway/source.ts'
import { InputError } from '../input-error.ts'
import { CannotListen, FixedLab } from '../lab/fixed-lab.ts'
import type { Lab } from '../lab/lab.ts'
import { LoopbackLab } from '../lab/loopback-lab.ts'
import { type Mailbox, partnerMailbox } from '../lab/mailbox/mailbox.ts'
import { mailhogMailbox } from '../lab/mailbox/mailhog.ts'
import { SERVICE } from '../mailflow/domains.ts'
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
  if (isExternal(source)) return aroundExternal(source)
  return source.kind === 'container' ? aroundContainers(source, pki, start) : aroundEmbedded(source, pki)
}

/** The same for a dry run: nothing listens, and nothing is started. */
export async function surroundingsOnPaper(source: GatewaySource, pki = new Pki()): Promise<Surroundings> {
  const network = { resolver: '', partnerPort: 0 }
  return isExternal(source)
    ? {
        lab: new FixedLab(pki, source.file.outbound?.connectors ?? []),
        flow: source.flow,
        mailbox: undefined,
      }
    : { lab: new LoopbackLab(pki), flow: await standardFlow(source, { pki, network }), mailbox: undefined }
}

function isExternal(source: GatewaySource): source is ExternalSource {
  return source.kind === 'external'
}

async function aroundEmbedded(source: GatewaySource, pki: Pki): Promise<Surroundings> {
  const lab = new LoopbackLab(pki)
  await lab.start()
  const network = { resolver: `127.0.0.1:${lab.dnsPort}`, partnerPort: lab.port }
  const flow = await standardFlow(source, { pki, network })
  const inbox = await lab.partner({
    domain: flow.domain,
    hostnames: [`mailbox.${flow.domain}`],
    // Without TLS, as the mailbox in a container: the hop behind every gateway is unencrypted.
    hosts: [{ starttls: { hides: true } }],
    maxConnections: Number.MAX_SAFE_INTEGER,
  })
  lab.inbox = inbox
  return { lab, flow, mailbox: partnerMailbox(inbox) }
}

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

/** Domains of clients that no connector covers. */
const STRANGERS = '*.stranger.test'

/** The domains of all connectors: clients may be at any of them. */
const sides = ({ inbound, outbound }: MailFlow): string[] => [
  ...inbound.map(({ from }) => from),
  ...outbound.map(({ to }) => to),
]

async function aroundExternal({ file, flow }: ExternalSource): Promise<Surroundings> {
  const lab = new FixedLab(
    new Pki(readAuthorities(file.pki)),
    file.outbound?.connectors ?? [],
    file.outbound?.sender,
  )
  try {
    await lab.start()
  } catch (error) {
    await lab.stop()
    if (!(error instanceof CannotListen)) throw error
    // Another program has the address, or the address is not one of this machine.
    throw new InputError(
      `${file.path}: ${keyOf(error.endpoint, file.outbound!)}: the suite cannot listen there: ${error.message}`,
    )
  }
  const mailbox = file.inbound?.mailbox && mailhogMailbox(file.inbound.mailbox)
  return { lab, flow, mailbox }
}

/** The key of the gateway file that names an address of partners. */
function keyOf(endpoint: Endpoint, { partner, connectors }: OutboundSide): string {
  const among = (addresses: readonly Endpoint[]) => addresses.some(one => isDeepStrictEqual(one, endpoint))
  if (among(partner)) return 'outbound.partner'
  return `outbound.connectors[${connectors.findIndex(connector => among(connector.partner))}].partner`
}
