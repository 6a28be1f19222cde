import type { Readable } from 'node:stream'
import type { ContainerRuntimeClient } from 'testcontainers'
import { printable } from '../wire/printable.ts'
import { until } from '../wire/until.ts'
import { archive, type File } from './archive.ts'
import type { Dockerode } from './client.ts'
import { ContainerFailure, failure, lastWords, within } from './failure.ts'
import { LABELS } from './labels.ts'

/**
 * The folder into which the engine unpacks files for a running container, and the script that moves them from there.
 */
const STAGE = '/.new'
const MOVE = 'for file; do mkdir -p "$(dirname "$file")"; mv -f "$0$file" "$file"; done; rm -rf "$0"'

/** How a container of a run is started. */
export interface ContainerSpec {
  /** The name of the container in errors: `postfix`. */
  name: string
  /** A tag that `Engine.image` returned. */
  image: string
  /** The command, in place of that of the image. */
  command?: string[]
  environment?: Record<string, string>
  /** TCP ports that this process must reach; see `Container.endpoint`. They are published unless the network is joined. */
  ports?: readonly number[]
  /** Files that the container gets before it starts. */
  files?: readonly File[]
  /** Linux capabilities beside the engine's default ones, such as `NET_ADMIN`. */
  capabilities?: string[]
  /** Folders that are kept in memory. */
  tmpfs?: readonly string[]
  /** A fixed address, from `RunNetwork.subnet.fixed`. */
  address?: string
  /** The DNS server; default: the DNS server of the run, which knows the names of the lab and no others. */
  resolver?: string
  /** A line of the log that means that the container is up. Without `ready`, a container that runs is up. */
  ready?: RegExp
  /** Longest time until the container is up, in ms; default 30 s. */
  limit?: number
  /** Gets every line of the log, from the first on. */
  onLine?: (line: string) => void
}

const START_LIMIT = 30_000
/** Default limit of `exec`, in ms. */
const EXEC_LIMIT = 30_000
/** How many lines of a log are kept for error messages. */
const KEPT_LINES = 200
/** A line that is longer is cut, in characters. */
const MAX_LINE = 64 * 1024

/** What a command in a container has returned. */
export interface CommandResult {
  exitCode: number
  /** Both streams together, in the order in which their parts came. */
  output: string
  stdout: string
  stderr: string
}

type RawContainer = ReturnType<ContainerRuntimeClient['container']['getById']>

/** The network of a run, as far as its containers need it. */
export interface ContainerNetwork {
  readonly engine: {
    readonly client: ContainerRuntimeClient
    readonly docker: Dockerode
    readonly host: string
  }
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** The suite did not make this network: nothing is published, and this process reaches containers at their addresses. */
  readonly joined: boolean
  /** Address of the DNS server for containers that name no other. */
  readonly resolver: string
  /** The container is gone. */
  forget(container: Container): void
}

/** A container of a run. It is removed with the network of the run at the latest. */
export class Container {
  readonly name: string
  readonly #network: ContainerNetwork
  readonly #spec: ContainerSpec
  readonly #lines: string[] = []
  readonly #watchers = new Set<() => void>()
  #raw!: RawContainer
  #ports = new Map<number, number>()
  #up = false
  /** Why the container ended by itself, if it did. */
  #end: ContainerFailure | undefined
  /** The suite is ending the container. */
  #ours = false
  address = ''

  private constructor(network: ContainerNetwork, spec: ContainerSpec) {
    this.name = spec.name
    this.#network = network
    this.#spec = spec
  }

  /**
   * Called by `RunNetwork.start`. Throws ContainerFailure with the last lines of the log if the container does not
   * come up.
   */
  static async start(network: ContainerNetwork, spec: ContainerSpec): Promise<Container> {
    const container = new Container(network, spec)
    try {
      await within(spec.limit ?? START_LIMIT, `starting ${spec.name}`, container.#start())
      return container
    } catch (error) {
      const failure = container.#failed(error)
      // If the removal fails, the container is removed with the network.
      await container.stop().catch(() => {})
      throw failure
    }
  }

  async #start(): Promise<void> {
    const { client, docker } = this.#network.engine
    const made = await definition(this.#network, this.#spec, async id => {
      this.#raw = docker.getContainer(id)
      // Before the container starts, because testcontainers reads the log only after all ports are published.
      this.#follow(await client.container.attach(this.#raw))
    })
    // A container that ends at once never gets its published ports, and this would wait for them.
    await this.whileRunning(made.start())
    await this.#look()
    await this.#comesUp()
  }

  async #look(): Promise<void> {
    const { NetworkSettings } = await this.#raw.inspect()
    this.address = NetworkSettings.Networks[this.#network.name]?.IPAddress ?? ''
    for (const port of this.#spec.ports ?? []) {
      const bindings = NetworkSettings.Ports[`${port}/tcp`] ?? []
      const binding = bindings.find(({ HostIp }) => !HostIp.includes(':')) ?? bindings[0]
      if (binding) this.#ports.set(port, Number(binding.HostPort))
    }
  }

  async #comesUp(): Promise<void> {
    if (!this.#spec.ready) this.#up = true
    await until(() => this.#up || this.#end !== undefined, [this], this.#spec.limit ?? START_LIMIT)
    if (this.#end) throw this.#end
  }

  #follow(stream: Readable): void {
    let rest = ''
    stream.on('data', (chunk: string) => {
      const lines = (rest + chunk).split(/\r?\n/)
      rest = lines.pop()!.slice(0, MAX_LINE)
      for (const line of lines) this.#line(line)
    })
    stream.once('close', () => {
      if (rest) this.#line(rest)
      void this.#ended()
    })
    stream.on('error', () => {})
  }

  #line(line: string): void {
    this.#lines.push(line)
    if (this.#lines.length > KEPT_LINES) this.#lines.shift()
    if (this.#spec.ready?.test(line)) this.#up = true
    this.#spec.onLine?.(line)
    this.#changed()
  }

  async #ended(): Promise<void> {
    if (this.#ours) return
    const state = await this.#raw?.inspect().catch(() => undefined)
    if (this.#ours) return
    const { Running, ExitCode, Error: why } = state?.State ?? {}
    const status = ExitCode === undefined ? '' : ` (exit status ${ExitCode})`
    // If the engine could not run the command, its own words. Of a container that was up, the last line is enough.
    const words = why ? printable(why, 500) : lastWords(this.#lines, this.#up ? 1 : undefined)
    this.#end = new ContainerFailure(
      Running
        ? `the log of ${this.name} ended while it runs: ${words}`
        : `${this.name} ended by itself${status}: ${words}`,
    )
    this.#changed()
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher()
  }

  #failed(error: unknown): ContainerFailure {
    if (error === this.#end) return this.#end as ContainerFailure
    if (error instanceof ContainerFailure)
      return new ContainerFailure(`${error.message}; its log ends with: ${this.lastWords()}`)
    return failure(`starting ${this.name}`, error)
  }

  get id(): string {
    return this.#raw.id
  }

  /** Why the container is not running any more, if it ended by itself. */
  get end(): ContainerFailure | undefined {
    return this.#end
  }

  /** Calls `watcher` after each line of the log and when the container ends, until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** The result of `work`. Throws the ContainerFailure of the container if the container ends first. */
  async whileRunning<T>(work: Promise<T>): Promise<T> {
    let unwatch = () => {}
    const ended = new Promise<never>((_, reject) => {
      const look = () => this.#end && reject(this.#end)
      unwatch = this.watch(look)
      look()
    })
    try {
      return await Promise.race([work, ended])
    } finally {
      unwatch()
    }
  }

  /** Where this process reaches one of `ports`. A restart changes it. */
  endpoint(port: number): { host: string; port: number } {
    if (this.#network.joined) return { host: this.address, port }
    const published = this.#ports.get(port)
    if (published === undefined) throw new Error(`port ${port} of ${this.name} is not published`)
    return { host: this.#network.engine.host, port: published }
  }

  /** The last lines of the log, for an error message. */
  lastWords(): string {
    return lastWords(this.#lines)
  }

  /**
   * Runs a command in the container, and returns also if the command fails. Throws ContainerFailure if the command
   * does not end in time.
   */
  async exec(
    command: string[],
    { limit = EXEC_LIMIT, user }: { limit?: number; user?: string } = {},
  ): Promise<CommandResult> {
    const what = `${command[0]} in ${this.name}`
    const work = this.#network.engine.client.container.exec(
      this.#raw,
      command,
      user === undefined ? {} : { user },
    )
    return this.#within(what, work, limit)
  }

  /**
   * Replaces files while the container runs. A process in the container that reads such a file finds the whole old or the
   * whole new one. If the engine unpacked a file in its place, the file would be away for a moment, and then incomplete.
   */
  async copy(files: readonly File[]): Promise<void> {
    const what = `copying files to ${this.name}`
    const staged = files.map(file => ({ ...file, path: `${STAGE}${file.path}` }))
    const work = this.#raw.putArchive(archive(staged) as never, { path: '/' })
    await this.#within(what, work)
    const move = ['sh', '-ec', MOVE, STAGE, ...files.map(({ path }) => path)]
    const { exitCode, output } = await this.exec(move, { user: '0' })
    if (exitCode !== 0) throw failure(what, new Error(printable(output, 500)))
  }

  /** Sends a signal to the first process of the container. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    await this.#within(`sending ${signal} to ${this.name}`, this.#raw.kill({ signal }))
  }

  async #within<T>(what: string, work: Promise<T>, limit = EXEC_LIMIT): Promise<T> {
    return within(limit, what, work).catch(error => {
      throw failure(what, error)
    })
  }

  /**
   * Stops the container, by force after `grace` ms, and starts it again. Its published ports change: see `endpoint`.
   */
  async restart({ grace = 5_000 } = {}): Promise<void> {
    await within(
      (this.#spec.limit ?? START_LIMIT) + grace,
      `restarting ${this.name}`,
      this.#restart(grace),
    ).catch(error => {
      throw this.#failed(error)
    })
  }

  async #restart(grace: number): Promise<void> {
    this.#ours = true
    try {
      await this.#raw.stop({ t: Math.ceil(grace / 1000) }).catch(error => {
        if (error.statusCode !== 304) throw error
      })
      this.#up = false
      this.#end = undefined
      this.#follow(await this.#network.engine.client.container.attach(this.#raw))
      await this.#raw.start()
    } finally {
      this.#ours = false
    }
    await this.#look()
    await this.#comesUp()
  }

  /** Removes the container with its volumes. */
  async stop(): Promise<void> {
    this.#ours = true
    const removal = this.#raw?.remove({ force: true, v: true }).catch(error => {
      if (error.statusCode !== 404 && error.statusCode !== 409) throw error
    })
    await this.#within(`removing ${this.name}`, Promise.resolve(removal))
    this.#network.forget(this)
  }

  /** Called before the network removes the container. */
  abandon(): void {
    this.#ours = true
  }
}

/**
 * A subclass, because testcontainers can set neither fixed addresses, nor DNS servers, nor where ports are published.
 */
async function definition(
  network: ContainerNetwork,
  spec: ContainerSpec,
  created: (id: string) => Promise<void>,
) {
  const { GenericContainer, PullPolicy } = await import('testcontainers')
  const local = network.engine.host === '127.0.0.1'
  class Definition extends GenericContainer {
    constructor() {
      super(spec.image)
      const { address, resolver = network.resolver } = spec
      this.networkMode = network.name
      // The suite reads the log as it comes, so the engine need not keep the log.
      this.hostConfig.LogConfig = { Type: 'none', Config: {} }
      this.hostConfig.Dns = [resolver]
      // Without this, the C library removes the AD flag from the answers, and DANE never applies.
      this.hostConfig.DnsOptions = ['trust-ad']
      // Without this, programs would try the search domain of the host for every name.
      this.hostConfig.DnsSearch = ['.']
      if (address)
        this.createOpts.NetworkingConfig = {
          EndpointsConfig: { [network.name]: { IPAMConfig: { IPv4Address: address } } },
        }
      if (spec.ports && !network.joined) this.withExposedPorts(...spec.ports)
      if (local)
        for (const bindings of Object.values(this.hostConfig.PortBindings ?? {}))
          for (const binding of bindings as { HostIp?: string }[]) binding.HostIp = '127.0.0.1'
    }

    override async containerCreated(id: string) {
      await created(id)
    }
  }
  const made = new Definition()
    .withLabels({ ...network.labels, [LABELS.name]: spec.name })
    .withWaitStrategy(AT_ONCE)
    // Engine.sweep cleans up by label. The clean-up of testcontainers takes a file lock, for which a second start
    // waits 0.5 s.
    .withAutoCleanup(false)
    // Somebody else may own the name of an image of the suite at a registry.
    .withPullPolicy(PullPolicy.neverPull())
  if (spec.command) made.withCommand(spec.command)
  if (spec.environment) made.withEnvironment(spec.environment)
  if (spec.capabilities) made.withAddedCapabilities(...spec.capabilities)
  if (spec.files?.length) made.withCopyArchivesToContainer([{ tar: archive(spec.files), target: '/' }])
  if (spec.tmpfs) made.withTmpFs(Object.fromEntries(spec.tmpfs.map(path => [path, 'rw'])))
  return made
}

/**
 * The waits of testcontainers connect to ports, which a mail server logs, or do not see that a container has ended.
 * `#comesUp` waits instead.
 */
const AT_ONCE = {
  waitUntilReady: async () => {},
  withStartupTimeout: () => AT_ONCE,
  isStartupTimeoutSet: () => true,
  getStartupTimeout: () => 0,
}
