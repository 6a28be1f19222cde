import { randomBytes } from 'node:crypto'
import type { ContainerRuntimeClient } from 'testcontainers'
import { isOfThisMachine } from '../own-address.ts'
import { PID_SCOPE, uniqueProcessId } from '../process-id.ts'
import type { Dockerode, Doing } from './client.ts'
import { findEngine, placeOf } from './connection.ts'
import { ANSWER, ContainerFailure, failure, within } from './failure.ts'
import { build, type ImageSource, tagOf } from './image.ts'
import { type EngineLeftover, LABELS, leftoversAmong } from './labels.ts'
import { RunNetwork } from './run-network.ts'
import { freeSubnets, joinedAddresses, type Subnet, UnfitAddresses } from './subnet.ts'

export type { File } from './archive.ts'
export type { Dockerode, Doing } from './client.ts'
export type { Container, ContainerSpec } from './container.ts'
export { ContainerFailure } from './failure.ts'
export { folderFiles, type ImageSource } from './image.ts'
export { RunNetwork } from './run-network.ts'

/**
 * The container engine. All access to the engine goes through this class. An image is found by the hash of what it is
 * built from. Each run has a network of its own, which is removed with all its containers when the run is over.
 *
 * ```ts
 * const engine = await Engine.connect()
 * const image = await engine.image({ name: 'postfix', files: folderFiles(HERE, ['Dockerfile']), args: { SUITE: 'trixie' } }, doing)
 * const network = await engine.network()          // also removes what killed runs have left
 * const container = await network.start({ name: 'postfix', image, ports: [25], files: […], ready: /daemon started/ })
 * container.endpoint(25)                          // where this process reaches it
 * await network.stop()                            // removes every container, volume and the network
 * ```
 */
export class Engine {
  readonly client: ContainerRuntimeClient
  readonly docker: Dockerode
  /** `x86_64`, `aarch64` */
  readonly architecture: string
  /** Host name or address at which published ports are reached from here. */
  readonly host: string
  readonly #images = new Map<string, Promise<string>>()
  readonly #doing: Doing
  readonly #signal: AbortSignal | undefined

  private constructor(
    client: ContainerRuntimeClient,
    host: string,
    doing: Doing,
    signal: AbortSignal | undefined,
  ) {
    this.host = host
    this.#doing = doing
    this.#signal = signal
    this.client = client
    this.docker = client.container.dockerode
    this.architecture = client.info.containerRuntime.architecture
  }

  /**
   * Connects to the engine that `findEngine` finds within `limit` ms. Throws NoEngine. `doing` is told of every image that
   * is built; `signal` ends builds.
   */
  static async connect(doing: Doing = () => {}, signal?: AbortSignal, limit?: number): Promise<Engine> {
    const client = await findEngine(limit)
    const { host } = client.info.containerRuntime
    // The engine publishes a port for IPv4 and for IPv6 under different numbers. Where this process is in a container,
    // testcontainers names the bridge of an engine beside it.
    const isHere = host === 'localhost' || (await isOfThisMachine(host))
    return new Engine(client, isHere ? '127.0.0.1' : host, doing, signal)
  }

  /** `28.2.2 on Debian GNU/Linux 13 (trixie) at unix:///var/run/docker.sock`, in the engine's own words. */
  get description(): string {
    const { serverVersion, operatingSystem } = this.client.info.containerRuntime
    return `${serverVersion} on ${operatingSystem} at ${placeOf(this.docker)}`
  }

  /**
   * The tag of an image. The image is built if the engine does not have an image of exactly this content. Throws
   * ContainerFailure with the last lines of the build, or the reason of the signal if the signal ends the build.
   */
  image(source: ImageSource, doing = this.#doing): Promise<string> {
    const tag = tagOf(source)
    let image = this.#images.get(tag)
    if (!image) {
      image = build(this.docker, { tag, source, doing, signal: this.#signal })
      this.#images.set(tag, image)
      image.catch(() => this.#images.delete(tag))
    }
    return image
  }

  /**
   * Makes the network of a run, with a part of 198.18.0.0/15 (RFC 2544) that no other network of the engine has. For
   * `prefix` see `freeSubnets`.
   */
  async network({ prefix }: { prefix?: number } = {}): Promise<RunNetwork> {
    await this.sweep()
    const { id, labels } = newRun()
    const networks = await within(ANSWER, 'listing networks', this.docker.listNetworks())
    const taken = networks.flatMap(({ IPAM }) => IPAM?.Config ?? []).flatMap(({ Subnet }) => Subnet ?? [])
    let refusal: Error | undefined
    for (const subnet of freeSubnets(taken, undefined, prefix)) {
      try {
        return await this.#network(id, labels, subnet)
      } catch (error) {
        // Another run took the subnet first, or the host has a route for it.
        if (!/overlap|already in use|conflict/i.test((error as Error).message))
          throw failure('making a network', error)
        refusal = error as Error
      }
    }
    throw new ContainerFailure(
      `no network is free in 198.18.0.0/15${refusal ? `: ${refusal.message}` : ''}; is another run under way?`,
    )
  }

  async #network(id: string, labels: Record<string, string>, subnet: Subnet): Promise<RunNetwork> {
    const name = `mail-tls-${id}`
    await within(
      ANSWER,
      'making a network',
      this.docker.createNetwork({
        Name: name,
        CheckDuplicate: true,
        Driver: 'bridge',
        Labels: labels,
        IPAM: {
          Config: [{ Subnet: subnet.cidr, IPRange: subnet.engineRange, Gateway: subnet.gateway }],
        },
        // No traffic may leave the machine. Without masquerading, no answer from outside finds its way back.
        Options: { 'com.docker.network.bridge.enable_ip_masquerade': 'false' },
      }),
    )
    return new RunNetwork({ engine: this, id, name, labels, subnet })
  }

  /**
   * The network `name` of the user's, in which containers of this run will be beside the user's. `resolver`: the address
   * there for the name server of the run. Throws CannotJoin.
   */
  async join(name: string, resolver: string): Promise<RunNetwork> {
    if (this.host !== '127.0.0.1')
      throw new CannotJoin(
        'network',
        `the container engine is on ${this.host}, and the suite cannot reach addresses of its networks`,
      )
    await this.sweep()
    const network = await within(ANSWER, 'looking at a network', this.#networkNamed(name))
    const cidr = network.IPAM?.Config?.map(({ Subnet }) => Subnet).find(one => one && !one.includes(':'))
    if (network.Driver !== 'bridge' || !cidr)
      throw new CannotJoin('network', `${name} is not a bridge network with IPv4 addresses`)
    const { addresses, taken } = await within(
      ANSWER,
      'looking at containers',
      this.#containersIn(network.Name),
    )
    for (const { Gateway } of network.IPAM?.Config ?? []) if (Gateway) taken[Gateway] = 'the bridge'
    try {
      const subnet = joinedAddresses(cidr, resolver, taken)
      return new RunNetwork({ engine: this, ...newRun(), name: network.Name, subnet, addresses })
    } catch (error) {
      if (error instanceof UnfitAddresses) throw new CannotJoin(error.part, error.message)
      throw error
    }
  }

  async #networkNamed(name: string) {
    try {
      return await this.docker.getNetwork(name).inspect()
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode !== 404) throw failure('looking at a network', error)
      throw new CannotJoin('network', `the container engine has no network ${name}; start the gateway first`)
    }
  }

  /** The addresses of the containers in a network by the names that they have there, and whose each address is. */
  async #containersIn(network: string) {
    const listed = await this.docker.listContainers({ filters: { network: [network] } })
    const found = await Promise.all(listed.map(({ Id }) => this.docker.getContainer(Id).inspect()))
    const addresses = new Map<string, string>()
    const taken: Record<string, string> = {}
    for (const { Name, NetworkSettings } of found) {
      const { IPAddress, Aliases } = NetworkSettings.Networks[network] ?? {}
      if (!IPAddress) continue
      const name = Name.replace(/^\//, '')
      taken[IPAddress] = `the container ${name}`
      for (const one of [name, ...(Aliases ?? [])]) addresses.set(one, IPAddress)
    }
    return { addresses, taken }
  }

  /** What killed runs have left on the engine, each with the id of its run. */
  async leftovers(): Promise<EngineLeftover[]> {
    const filters = { label: [LABELS.run] }
    const [containers, networks, { Volumes }] = await within(
      ANSWER,
      'looking for what killed runs left',
      Promise.all([
        this.docker.listContainers({ all: true, filters }),
        this.docker.listNetworks({ filters }),
        this.docker.listVolumes({ filters }),
      ]),
    )
    return leftoversAmong([
      ...containers.map(({ Id, Labels }) => ({ kind: 'container' as const, name: Id.slice(0, 12), Labels })),
      ...networks.map(({ Name, Labels }) => ({ kind: 'network' as const, name: Name, Labels })),
      ...(Volumes ?? []).map(({ Name, Labels }) => ({ kind: 'volume' as const, name: Name, Labels })),
    ])
  }

  /**
   * Removes what killed runs have left: containers with their volumes, networks, volumes. Returns the ids of the runs of
   * which nothing is left any more. The next run tries again to remove what could not be removed.
   */
  async sweep(): Promise<string[]> {
    const dead = [...new Set((await this.leftovers()).map(({ run }) => run))]
    const cleared = await Promise.allSettled(dead.map(run => this.clear(run)))
    return dead.filter((_, at) => cleared[at]!.status === 'fulfilled')
  }

  /** Removes everything of one run, whatever state the run is in. */
  async clear(run: string): Promise<void> {
    await within(60_000, 'removing containers', this.#clear(run))
  }

  async #clear(run: string): Promise<void> {
    const filters = { label: [`${LABELS.run}=${run}`] }
    const containers = await this.docker.listContainers({ all: true, filters })
    await Promise.all(
      containers.map(async ({ Id }) => {
        const container = this.docker.getContainer(Id)
        await removed(container.remove({ force: true, v: true }))
        // If another process is removing the container, the container may still be in the network.
        await removed(within(ANSWER, 'removing a container', container.wait({ condition: 'removed' })))
      }),
    )
    const [networks, { Volumes }] = await Promise.all([
      this.docker.listNetworks({ filters }),
      this.docker.listVolumes({ filters }),
    ])
    await Promise.all([
      ...networks.map(({ Id }) => removed(this.docker.getNetwork(Id).remove())),
      ...(Volumes ?? []).map(({ Name }) => removed(this.docker.getVolume(Name).remove({ force: true }))),
    ])
  }
}

/** The suite cannot be in a network of the user's. `part` tells whether the network or the address there is wrong. */
export class CannotJoin extends ContainerFailure {
  override name = 'CannotJoin'
  readonly part: 'network' | 'resolver'

  constructor(part: 'network' | 'resolver', why: string) {
    super(why)
    this.part = part
  }
}

function newRun(): { id: string; labels: Record<string, string> } {
  const id = randomBytes(6).toString('hex')
  return {
    id,
    labels: {
      [LABELS.run]: id,
      [LABELS.pid]: uniqueProcessId(process.pid) ?? String(process.pid),
      [LABELS.host]: PID_SCOPE,
      [LABELS.since]: String(Date.now()),
    },
  }
}

/** Waits for a removal. It does not matter if another process removes the same thing at the same time. */
async function removed(removal: Promise<unknown>): Promise<void> {
  try {
    await removal
  } catch (error) {
    const { statusCode, message } = error as Error & { statusCode?: number }
    if (statusCode !== 404 && !/already in progress/.test(message)) throw failure('removing', error)
  }
}
