import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { ContainerRuntimeClient } from 'testcontainers'
import { printable } from '../wire/printable.ts'
import { ContainerFailure, within } from './failure.ts'
import { build, type ImageSource, tagOf } from './image.ts'
import { RunNetwork } from './run-network.ts'
import { freeSubnets, type Subnet } from './subnet.ts'

export type { File } from './archive.ts'
export type { Container, ContainerSpec } from './container.ts'
export { ContainerFailure } from './failure.ts'
export { folderFiles, type ImageSource } from './image.ts'
export { RunNetwork } from './run-network.ts'

/** How long the engine may take for one of its quick answers, in ms. */
export const ANSWER = 20_000

/** Labels on everything that a run makes, so that a later run finds what a killed one left. */
export const LABELS = {
  run: 'mail-tls.run',
  pid: 'mail-tls.pid',
  host: 'mail-tls.host',
  /** In ms since 1970. */
  since: 'mail-tls.since',
} as const

/** Behind every word that there is no engine. */
const ADVICE = '; mail-tls doctor says why'

/** What a run on another host left is taken for dead after this long, in ms. */
const DAY = 24 * 60 * 60 * 1000

export type Dockerode = ContainerRuntimeClient['container']['dockerode']

/** Tells what takes time: `building the image of postfix (step 3 of 7)`. */
export type Doing = (what: string) => void

/**
 * The container engine. All access to it goes through here: images by the hash of what they are built from, one
 * network for each run, and no trace of either when the run is over.
 *
 * ```ts
 * const engine = await Engine.connect()
 * const image = await engine.image({ name: 'postfix', files: folderFiles(HERE, ['Dockerfile']), args: { SUITE: 'trixie' } }, doing)
 * const network = await engine.network()          // sweeps what killed runs left, too
 * const container = await network.start({ name: 'postfix', image, ports: [25], files: […], ready: /daemon started/ })
 * container.endpoint(25)                          // where this process reaches it
 * await network.stop()                            // removes every container, volume and the network
 * ```
 */
export class Engine {
  readonly client: ContainerRuntimeClient
  readonly docker: Dockerode
  /** Version of the engine. */
  readonly version: string
  /** `x86_64`, `aarch64` */
  readonly architecture: string
  readonly #images = new Map<string, Promise<string>>()

  readonly #doing: Doing

  private constructor(client: ContainerRuntimeClient, doing: Doing) {
    this.#doing = doing
    this.client = client
    this.docker = client.container.dockerode
    this.version = String(client.info.containerRuntime.serverVersion)
    this.architecture = client.info.containerRuntime.architecture
  }

  /**
   * Throws ContainerFailure when no engine answers. Where it is comes from DOCKER_HOST and what testcontainers knows.
   * `doing` is told of all images that are built.
   */
  static async connect(doing: Doing = () => {}): Promise<Engine> {
    // Its clean-up container would have to be pulled, and does not survive this process; ours is done by label.
    process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true'
    const { getContainerRuntimeClient } = await import('testcontainers')
    const wanted = process.env['DOCKER_HOST']
    const none = `no container engine answers${wanted ? ` at ${printable(wanted, 100)} (DOCKER_HOST)` : ''}`
    let client: ContainerRuntimeClient
    try {
      client = await within(ANSWER, 'finding a container engine', getContainerRuntimeClient())
    } catch (error) {
      if (error instanceof ContainerFailure) throw error
      throw new ContainerFailure(`${none}: ${(error as Error).message}${ADVICE}`)
    }
    if (wanted && !isAt(client.container.dockerode, wanted)) throw new ContainerFailure(`${none}${ADVICE}`)
    return new Engine(client, doing)
  }

  /** Host name or address at which published ports are reached from here. */
  get host(): string {
    const { host } = this.client.info.containerRuntime
    // The engine publishes on both families under different numbers.
    return host === 'localhost' ? '127.0.0.1' : host
  }

  /**
   * The tag of an image, which is built if the engine does not have it for just this content. Throws ContainerFailure
   * with the build's own last words.
   */
  image(source: ImageSource, doing = this.#doing): Promise<string> {
    const tag = tagOf(source)
    let image = this.#images.get(tag)
    if (!image) {
      image = build(this.docker, { tag, source, doing })
      this.#images.set(tag, image)
      image.catch(() => this.#images.delete(tag))
    }
    return image
  }

  /**
   * A network of one run's own, with a part of 198.18.0.0/15 (RFC 2544) that no other network of the engine has; for
   * `prefix` see `freeSubnets`.
   */
  async network({ prefix }: { prefix?: number } = {}): Promise<RunNetwork> {
    await this.sweep()
    const id = randomBytes(6).toString('hex')
    const labels = {
      [LABELS.run]: id,
      [LABELS.pid]: life(process.pid) ?? String(process.pid),
      [LABELS.host]: hostname(),
      [LABELS.since]: String(Date.now()),
    }
    const networks = await within(ANSWER, 'listing networks', this.docker.listNetworks())
    const taken = networks.flatMap(({ IPAM }) => IPAM?.Config ?? []).flatMap(({ Subnet }) => Subnet ?? [])
    let refusal: Error | undefined
    for (const subnet of freeSubnets(taken, undefined, prefix)) {
      try {
        return await this.#network(id, labels, subnet)
      } catch (error) {
        // Another run was faster, or the host has a route of its own there.
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
    const network = await within(
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
        // Nothing may leave the machine: without masquerading no answer finds its way back.
        Options: { 'com.docker.network.bridge.enable_ip_masquerade': 'false' },
      }),
    )
    return new RunNetwork({ engine: this, id, name, networkId: network.id, labels, subnet })
  }

  /** Removes what runs left that are dead: containers with their volumes, networks, volumes. Returns their run ids. */
  async sweep(): Promise<string[]> {
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
    const all = [...containers, ...networks, ...(Volumes ?? [])].map(({ Labels }) => Labels ?? {})
    const dead = new Set(all.filter(isDead).map(labels => labels[LABELS.run]!))
    await Promise.all([...dead].map(run => this.clear(run)))
    return [...dead]
  }

  /** Removes everything of one run, whatever state it is in. */
  async clear(run: string): Promise<void> {
    await within(60_000, 'removing containers', this.#clear(run))
  }

  async #clear(run: string): Promise<void> {
    const filters = { label: [`${LABELS.run}=${run}`] }
    const containers = await this.docker.listContainers({ all: true, filters })
    await Promise.all(
      containers.map(({ Id }) => gone(this.docker.getContainer(Id).remove({ force: true, v: true }))),
    )
    const [networks, { Volumes }] = await Promise.all([
      this.docker.listNetworks({ filters }),
      this.docker.listVolumes({ filters }),
    ])
    await Promise.all([
      ...networks.map(({ Id }) => gone(this.docker.getNetwork(Id).remove())),
      ...(Volumes ?? []).map(({ Name }) => gone(this.docker.getVolume(Name).remove({ force: true }))),
    ])
  }
}

/** Removal by somebody else at the same time is as good. */
async function gone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal
  } catch (error) {
    const { statusCode, message } = error as Error & { statusCode?: number }
    if (statusCode !== 404 && !/already in progress/.test(message)) throw failure('removing', error)
  }
}

export function failure(what: string, error: unknown): ContainerFailure {
  return error instanceof ContainerFailure
    ? error
    : new ContainerFailure(`the container engine failed at ${what}: ${(error as Error).message}`)
}

function isDead(labels: Record<string, string>): boolean {
  if (labels[LABELS.host] !== hostname()) return Date.now() - Number(labels[LABELS.since] ?? 0) > DAY
  const [pid] = labels[LABELS.pid]?.split('@') ?? []
  const now = life(Number(pid))
  return now === undefined || (now.includes('@') && now !== labels[LABELS.pid])
}

/**
 * What tells a process from a later one with the same id: `PID@START`, where the system tells when it started. Nothing
 * when there is no such process.
 */
export function life(pid: number): string | undefined {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: somebody else's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined
  }
  try {
    // Field 22 of proc_pid_stat(5); the name in parentheses may hold blanks.
    const start = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ')[19]
    return `${pid}@${start}`
  } catch {
    return String(pid)
  }
}

/** testcontainers goes on to the usual socket, without a word, where nothing answers at the place that was named. */
function isAt({ modem }: Dockerode, place: string): boolean {
  const { socketPath, host } = modem as { socketPath?: string; host?: string }
  const { protocol, pathname, hostname } = URL.parse(place) ?? {}
  return protocol === 'unix:' ? socketPath === pathname : host === hostname
}
