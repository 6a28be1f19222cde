import { randomBytes } from 'node:crypto'
import type { ContainerRuntimeClient } from 'testcontainers'
import { PID_SCOPE, uniqueProcessId } from '../process-id.ts'
import type { Dockerode, Doing } from './client.ts'
import { findEngine, placeOf } from './connection.ts'
import { ANSWER, ContainerFailure, failure, within } from './failure.ts'
import { build, type ImageSource, tagOf } from './image.ts'
import { type EngineLeftover, LABELS, leftoversAmong } from './labels.ts'
import { RunNetwork } from './run-network.ts'
import { freeSubnets, type Subnet } from './subnet.ts'

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
  readonly #images = new Map<string, Promise<string>>()
  readonly #doing: Doing
  readonly #signal: AbortSignal | undefined

  private constructor(client: ContainerRuntimeClient, doing: Doing, signal: AbortSignal | undefined) {
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
    return new Engine(await findEngine(limit), doing, signal)
  }

  /** `28.2.2 on Debian GNU/Linux 13 (trixie) at unix:///var/run/docker.sock`, in the engine's own words. */
  get description(): string {
    const { serverVersion, operatingSystem } = this.client.info.containerRuntime
    return `${serverVersion} on ${operatingSystem} at ${placeOf(this.docker)}`
  }

  /** Host name or address at which published ports are reached from here. */
  get host(): string {
    const { host } = this.client.info.containerRuntime
    // The engine publishes a port for IPv4 and for IPv6 under different numbers.
    return host === 'localhost' ? '127.0.0.1' : host
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
    const id = randomBytes(6).toString('hex')
    const labels = {
      [LABELS.run]: id,
      [LABELS.pid]: uniqueProcessId(process.pid) ?? String(process.pid),
      [LABELS.host]: PID_SCOPE,
      [LABELS.since]: String(Date.now()),
    }
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

/** Waits for a removal. It does not matter if another process removes the same thing at the same time. */
async function removed(removal: Promise<unknown>): Promise<void> {
  try {
    await removal
  } catch (error) {
    const { statusCode, message } = error as Error & { statusCode?: number }
    if (statusCode !== 404 && !/already in progress/.test(message)) throw failure('removing', error)
  }
}
