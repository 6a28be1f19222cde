import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type Container, ContainerFailure, type Doing, Engine, type RunNetwork } from '../engine/engine.ts'
import { FIXED } from '../engine/subnet.ts'
import { freshDomain } from '../mailflow/domains.ts'
import type { Pki } from '../pki/pki.ts'
import { Zone } from './dns/signed-zone.ts'
import {
  changedSpecs,
  exchangersOf,
  hostSpecs,
  type Lab,
  type LabWeb,
  type PartnerOptions,
  type TapRequest,
  tapOptions,
} from './lab.ts'
import type { Mailbox } from './mailbox/mailbox.ts'
import { labMailbox } from './mailbox/mailhog.ts'
import type { Behaviour } from './partner/behaviour.ts'
import { addResident, type OwnersOptions } from './partner/owners.ts'
import { Partner } from './partner/partner.ts'
import { type PartnerSpec, RemotePartners } from './remote/feed.ts'
import { LabClient } from './remote/lab-client.ts'
import { labImages } from './remote/lab-images.ts'

/** Ports inside the containers. */
const CONTROL_PORT = 8080
const UPDATE_PORT = 5300
const MAILBOX_PORT = 8025
/** How long each of the lab's containers may take to come up, in ms. */
const START_LIMIT = 30_000
/** Number of an address, as in FIXED, at which the lab container drops each connection. */
const DROPS = 7
/** Pause between two attempts to ask the mailbox, in ms. */
const PAUSE = 20

/** A network of the user's. */
interface JoinOptions {
  network: string
  /** Where the lab's resolver is to be. */
  resolver: string
  /** As in `OwnAddresses`. */
  admitted: readonly string[]
  connectors: NonNullable<OwnersOptions['connectors']>
}

interface Start {
  engine: Engine
  doing: Doing
  signal: AbortSignal | undefined
  network: () => Promise<RunNetwork>
}

/**
 * The lab in containers, in a network of the run's own or of the user's: partners on half of the addresses, a signed zone
 * and a validating resolver that lead to them, and a mailbox. Gateways are in the same network.
 */
export class ContainerLab implements Lab {
  readonly pki: Pki
  readonly room = Number.POSITIVE_INFINITY
  /** The network of a run has IPv4 addresses only. */
  readonly places = ['at its second mail exchanger'] as const
  readonly port = 25
  readonly leadsAll = true
  readonly leadsTogether = () => true
  readonly freshDomain = freshDomain
  /** The network in which gateways are started. */
  readonly containers: RunNetwork
  /** For records beside those of partners. */
  readonly zone: Zone
  /** Receives the mail for all domains of `leadToMailbox`. Absent in a network of the user's. */
  readonly mailbox: Mailbox | undefined
  /** As in `LoopbackLab`. */
  author: Partner | undefined
  readonly #client: LabClient
  readonly #remote: RemotePartners
  /** Of partners in the container. */
  readonly #ids = new WeakMap<Partner, string>()
  #nextPartner = 1
  #nextAddress = 1
  #nextMark = 1

  private constructor(
    pki: Pki,
    made: { network: RunNetwork; client: LabClient; remote: RemotePartners; mailbox?: Mailbox },
  ) {
    this.pki = pki
    this.containers = made.network
    this.mailbox = made.mailbox
    this.#client = made.client
    this.#remote = made.remote
    this.zone = new Zone(message => made.client.dns(message))
  }

  /**
   * Builds what the engine does not have yet. `prefix`: of a network for more partners than usual, see `freeSubnets`.
   * Throws ContainerFailure, or the reason of `signal`, and leaves nothing then.
   */
  static async start(
    pki: Pki,
    doing: Doing = () => {},
    { prefix, signal }: { prefix?: number; signal?: AbortSignal } = {},
  ): Promise<ContainerLab> {
    const engine = await Engine.connect(doing, signal)
    return ContainerLab.#start(pki, {
      ...{ engine, doing, signal },
      network: () => engine.network(prefix === undefined ? {} : { prefix }),
    })
  }

  /**
   * The same in a network that the user made, without a mailbox. Throws CannotJoin, NoEngine, ContainerFailure, or the reason
   * of `signal`, and leaves nothing then.
   */
  static async join(
    pki: Pki,
    { network, resolver, admitted, connectors }: JoinOptions,
    { doing = () => {}, signal }: { doing?: Doing; signal?: AbortSignal } = {},
  ): Promise<ContainerLab> {
    const engine = await Engine.connect(doing, signal)
    const joining = () => engine.join(network, resolver)
    const lab = await ContainerLab.#start(pki, { engine, doing, signal, network: joining })
    try {
      await lab.admitSenders(admitted, await addResident(lab, connectors))
      return lab
    } catch (error) {
      await lab.stop().catch(() => {})
      throw error
    }
  }

  static async #start(pki: Pki, { engine, doing, signal, network: making }: Start): Promise<ContainerLab> {
    const images = labImages(engine)
    images.catch(() => {})
    const network = await making()
    try {
      const [lab, names, mailbox] = await images
      signal?.throwIfAborted()
      doing('starting the lab')
      const remote = new RemotePartners()
      const [labServer, nameServer, mailServer] = await all([
        startLab(network, lab, remote),
        startNames(network, names),
        network.joined ? Promise.resolve(undefined) : startMailbox(network, mailbox),
      ])
      const { client } = labServer
      // Without any of them, mail is deferred through no fault of a gateway.
      for (const container of [labServer.container, nameServer, mailServer?.container]) {
        const look = () => container?.end && client.lose(container.end)
        container?.watch(look)
        look()
      }
      return new ContainerLab(pki, {
        network,
        client,
        remote,
        ...(mailServer ? { mailbox: mailServer.mailbox } : {}),
      })
    } catch (error) {
      await network.stop().catch(() => {})
      throw error
    }
  }

  get network() {
    return { resolver: `${this.containers.resolver}:53`, partnerPort: this.port }
  }

  get strays(): number {
    return this.#remote.strays
  }

  async partners(options: readonly PartnerOptions[]): Promise<Partner[]> {
    return Promise.all(options.map(one => this.partner(one)))
  }

  async partner(options: PartnerOptions): Promise<Partner> {
    const partner = await this.#play(options)
    // The name servers have no port 25.
    const exchangers = exchangersOf(partner, () => this.containers.subnet.fixed(FIXED.names))
    const domains = [partner.domain, ...partner.alsoFor]
    // A record that is twice in an update is there once: RFC 2136 s3.4.2.2.
    await this.zone.set(
      exchangers.flatMap(({ hostname, address, preference }) => [
        ...domains.map(name => ({ name, type: 'MX' as const, data: { preference, exchange: hostname } })),
        { name: hostname, type: 'A', data: address },
      ]),
    )
    return partner
  }

  async change(partner: Partner, hosts: readonly Behaviour[]): Promise<void> {
    partner.behave(await changedSpecs(this.pki, partner, hosts))
    await this.#client.play(this.#ids.get(partner)!, specOf(partner))
  }

  /** Makes a partner without names in the DNS. */
  async #play(options: PartnerOptions): Promise<Partner> {
    const { domain } = options
    const hosts = await hostSpecs(this.pki, options, () => this.containers.subnet.lab(this.#nextAddress++))
    const partner = new Partner(domain, hosts, options.alsoFor)
    const id = String(this.#nextPartner++)
    this.#remote.add(id, partner)
    this.#ids.set(partner, id)
    partner.upToDate = () => this.#upToDate()
    await this.#client.play(id, specOf(partner))
    return partner
  }

  /** The same for all: the tap itself knows the server that sends through it by its address. */
  async resolverOf(): Promise<string> {
    return this.network.resolver
  }

  /** The inbox is a partner and not MailHog, which accepts no mail with a null return path. */
  async tap(request: TapRequest): Promise<{ tap: Partner; inbox: Partner }> {
    const { domain } = request
    // A server that is greeted with its own name says that mail loops back to it.
    const hostnames = [`mailbox.${domain}`]
    const inbox = await this.#play({ domain, hostnames, hosts: [{ starttls: { hides: true } }] })
    // For gateways that send mail for their own domain to this host by its name.
    await this.zone.set([{ name: hostnames[0]!, type: 'A', data: inbox.hosts[0]!.address }])
    const others = { from: request.from, to: { host: inbox.hosts[0]!.address, port: this.port } }
    const tap = await this.partner(tapOptions(request, others))
    return { tap, inbox }
  }

  async #upToDate(): Promise<void> {
    const mark = String(this.#nextMark++)
    const seen = this.#remote.awaitMark(mark)
    await this.#client.mark(mark)
    await seen
  }

  /** There are enough addresses: each partner keeps its own, so what comes late is still seen. */
  release(): void {}

  readonly web: LabWeb = {
    at: async (host, path) => {
      await this.zone.set([{ name: host, type: 'A', data: this.containers.subnet.fixed(FIXED.lab) }])
      return `http://${host}${path}`
    },
    named: true,
    way: async (url, is) => {
      const host = new URL(url).hostname
      if (is === 'without a name') return this.zone.clear([{ name: host, type: 'A' }])
      const { subnet } = this.containers
      // The name servers have no web host.
      const addresses = { open: FIXED.lab, refused: FIXED.names, dropped: DROPS }
      await this.zone.set([{ name: host, type: 'A', data: subnet.fixed(addresses[is]) }])
    },
    serve: answers =>
      this.#client.serve(
        [...answers].map(([url, { body = Buffer.alloc(0), ...answer }]) => ({
          ...answer,
          path: new URL(url).pathname,
          body: Buffer.from(body).toString('base64'),
        })),
      ),
    requests: async domain =>
      (await this.#client.requests()).filter(({ host }) => host.endsWith(`.${domain}`)),
  }

  /** From now on the DNS leads mail for a domain to the mailbox. */
  async leadToMailbox(domain: string): Promise<void> {
    const exchange = `mailbox.${domain}`
    await this.zone.set([
      { name: domain, type: 'MX', data: { preference: 10, exchange } },
      { name: exchange, type: 'A', data: this.containers.subnet.fixed(FIXED.mailbox) },
    ])
  }

  /**
   * Gives domains of senders an address in the DNS, for gateways that accept no others: names, or `*.` before one. Default:
   * the mailbox's address.
   */
  async admitSenders(
    domains: readonly string[],
    data = this.containers.subnet.fixed(FIXED.mailbox),
  ): Promise<void> {
    await this.zone.set([...new Set(domains)].map(name => ({ name, type: 'A', data })))
  }

  /** Removes everything of the run in the network, also the gateways that the suite started. */
  async stop(): Promise<void> {
    this.#client.close()
    await this.containers.stop()
  }
}

const specOf = ({ domain, hosts, alsoFor }: Partner): PartnerSpec => ({
  domain,
  hosts: hosts.map(({ spec }) => spec),
  alsoFor,
})

async function startLab(
  network: RunNetwork,
  image: string,
  remote: RemotePartners,
): Promise<{ container: Container; client: LabClient }> {
  const token = randomBytes(24).toString('base64url')
  const container = await network.start({
    name: 'lab',
    image,
    address: network.subnet.fixed(FIXED.lab),
    capabilities: ['NET_ADMIN'],
    environment: {
      LAB_TOKEN: token,
      LAB_RANGE: network.subnet.labRange,
      LAB_DROPS: network.subnet.fixed(DROPS),
      LAB_NAMES: `${network.subnet.fixed(FIXED.names)}:${UPDATE_PORT}`,
    },
    ports: [CONTROL_PORT],
    ready: /^the lab is listening/,
    limit: START_LIMIT,
  })
  const client = await LabClient.open(container.endpoint(CONTROL_PORT), token, {
    onLine: line => remote.tell(line),
    onLost: why => remote.lost(why.message),
  })
  return { container, client }
}

async function startNames(network: RunNetwork, image: string): Promise<Container> {
  return network.start({
    name: 'names',
    image,
    address: network.subnet.fixed(FIXED.names),
    environment: { LAB_ADDRESS: network.subnet.fixed(FIXED.lab) },
    tmpfs: ['/run'],
    // This resolver asks no other server.
    resolver: '127.0.0.1',
    ready: /start of service/,
    limit: START_LIMIT,
  })
}

async function startMailbox(
  network: RunNetwork,
  image: string,
): Promise<{ container: Container; mailbox: Mailbox }> {
  const password = randomBytes(24).toString('base64url')
  const container = await network.start({
    name: 'mailbox',
    image,
    address: network.subnet.fixed(FIXED.mailbox),
    environment: { MAILBOX_PASSWORD: password, MAILBOX_HOSTNAME: 'mailbox.gateway.test' },
    ports: [MAILBOX_PORT],
    ready: /\[HTTP\] Binding to address/,
    limit: START_LIMIT,
  })
  const { host, port } = container.endpoint(MAILBOX_PORT)
  const mailbox = labMailbox({ host, port, auth: `lab:${password}` })
  // MailHog writes the line before it listens.
  const deadline = performance.now() + START_LIMIT
  for (;;) {
    if (container.end) throw container.end
    try {
      await mailbox.find('nothing')
      return { container, mailbox }
    } catch (error) {
      if (performance.now() > deadline)
        throw new ContainerFailure(`${(error as Error).message}: ${container.lastWords()}`)
      await pause(PAUSE)
    }
  }
}

/** As Promise.all, but waits until all are settled before it rejects. */
async function all<T extends readonly unknown[]>(
  work: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  const results = await Promise.allSettled(work)
  for (const result of results) if (result.status === 'rejected') throw result.reason
  return results.map(result => (result as PromiseFulfilledResult<unknown>).value) as unknown as T
}
