import type { Readable } from 'node:stream'
import type { ContainerRuntimeClient, StartedTestContainer } from 'testcontainers'
import { printable } from '../wire/printable.ts'
import { until } from '../wire/until.ts'
import { archive, type File } from './archive.ts'
import { failure, LABELS } from './engine.ts'
import { ContainerFailure, lastWords, within } from './failure.ts'
import type { RunNetwork } from './run-network.ts'

/** Where files wait in a container until they take their places, and what moves them there from it. */
const STAGE = '/.new'
const MOVE = 'for file; do mkdir -p "$(dirname "$file")"; mv -f "$0$file" "$file"; done; rm -rf "$0"'

/** What a container of a run is started from. */
export interface ContainerSpec {
  /** What it is, in errors: `postfix`. */
  name: string
  /** A tag as `Engine.image` gives it. */
  image: string
  /** Default: the engine's random one. Not a name below `test.`: the engine would answer for it in place of the lab. */
  hostname?: string
  /** In place of the image's own command. */
  command?: string[]
  environment?: Record<string, string>
  /** TCP ports that this process must reach; see `Container.endpoint`. */
  ports?: readonly number[]
  /** Put there before it starts. */
  files?: readonly File[]
  /** Linux capabilities on top of the engine's default, such as `NET_ADMIN`. */
  capabilities?: string[]
  /** Paths that are kept in memory. */
  tmpfs?: readonly string[]
  /** A fixed address, from `RunNetwork.subnet.fixed`. */
  address?: string
  /** DNS server; default: the names of the run, which lead to its partners and nowhere else. */
  resolver?: string
  /** A line of its log that means that it is up. Without it, running is enough. */
  ready?: RegExp
  /** How long that may take, in ms; default 30 s. */
  limit?: number
  /** Every line of its log, from the first on. */
  onLine?: (line: string) => void
}

const START_LIMIT = 30_000
/** For `exec`, unless told otherwise, in ms. */
const EXEC_LIMIT = 30_000
/** Lines of its log that are kept for error messages. */
const KEPT_LINES = 200
/** A line without an end is cut here. */
const MAX_LINE = 64 * 1024

export interface Outcome {
  exitCode: number
  /** Both streams, mixed as they came. */
  output: string
  stdout: string
  stderr: string
}

type RawContainer = ReturnType<ContainerRuntimeClient['container']['getById']>

/** A container of a run. It goes with its network at the latest. */
export class Container {
  readonly name: string
  readonly #network: RunNetwork
  readonly #spec: ContainerSpec
  readonly #lines: string[] = []
  readonly #watchers = new Set<() => void>()
  #raw!: RawContainer
  #ports = new Map<number, number>()
  #up = false
  /** Why it is no longer there. */
  #end: ContainerFailure | undefined
  /** Its end is our own doing. */
  #ours = false
  address = ''

  private constructor(network: RunNetwork, spec: ContainerSpec) {
    this.name = spec.name
    this.#network = network
    this.#spec = spec
  }

  /** Called by `RunNetwork.start`. Throws ContainerFailure with its last log lines when it does not come up. */
  static async start(network: RunNetwork, spec: ContainerSpec): Promise<Container> {
    const container = new Container(network, spec)
    await within(spec.limit ?? START_LIMIT, `starting ${spec.name}`, container.#start()).catch(error => {
      throw container.#failed(error)
    })
    return container
  }

  async #start(): Promise<void> {
    const { client, docker } = this.#network.engine
    const made = await definition(this.#network, this.#spec, async id => {
      this.#raw = docker.getContainer(id)
      // Before it starts: testcontainers looks at the log only once all ports are there.
      this.#follow(await client.container.attach(this.#raw))
    })
    // For published ports, too, which a container that ends at once never gets.
    this.#look(await this.whileRunning(made.start()))
    await this.#comesUp()
  }

  #look(started: StartedTestContainer): void {
    this.address = started.getIpAddress(this.#network.name)
    for (const port of this.#spec.ports ?? []) this.#ports.set(port, started.getMappedPort(port))
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
    stream.once('end', () => {
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
    if (this.#ours || state?.State.Running) return
    const { ExitCode, Error: why } = state?.State ?? {}
    const status = ExitCode === undefined ? '' : ` (exit status ${ExitCode})`
    // The engine's own words where it could not run the command at all. Of a log of work the end is enough.
    const words = why ? printable(why, 500) : lastWords(this.#lines, this.#up ? 1 : undefined)
    this.#end = new ContainerFailure(`${this.name} ended by itself${status}: ${words}`)
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

  /** Why it is not running any more, if it is not and nobody asked it to end. */
  get end(): ContainerFailure | undefined {
    return this.#end
  }

  /** Calls `watcher` after each line of its log and when it ends. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** `work`, unless the container ends first: then its ContainerFailure. */
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

  /** Where this process reaches one of the published ports. Changes with a restart. */
  endpoint(port: number): { host: string; port: number } {
    const published = this.#ports.get(port)
    if (published === undefined) throw new Error(`port ${port} of ${this.name} is not published`)
    return { host: this.#network.engine.host, port: published }
  }

  /** The last lines of its log, for an error message. */
  lastWords(): string {
    return lastWords(this.#lines)
  }

  /** Runs a command in it. Its exit status is the caller's to judge; throws ContainerFailure when it does not end. */
  async exec(
    command: string[],
    { limit = EXEC_LIMIT, user }: { limit?: number; user?: string } = {},
  ): Promise<Outcome> {
    const what = `${command[0]} in ${this.name}`
    const work = this.#network.engine.client.container.exec(
      this.#raw,
      command,
      user === undefined ? {} : { user },
    )
    return within(limit, what, work).catch(error => {
      throw failure(what, error)
    })
  }

  /**
   * Puts files there while it runs, in place of what is there. Whoever reads one meanwhile finds the former or the new
   * one whole: what the engine unpacks is away for a moment, and then there in part.
   */
  async copy(files: readonly File[]): Promise<void> {
    const what = `copying files to ${this.name}`
    const staged = files.map(file => ({ ...file, path: `${STAGE}${file.path}` }))
    const work = this.#raw.putArchive(archive(staged) as never, { path: '/' })
    await within(EXEC_LIMIT, what, work).catch(error => {
      throw failure(what, error)
    })
    const move = ['sh', '-ec', MOVE, STAGE, ...files.map(({ path }) => path)]
    const { exitCode, output } = await this.exec(move, { user: '0' })
    if (exitCode !== 0) throw failure(what, new Error(output))
  }

  /** A signal for its first process. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    await this.#raw.kill({ signal }).catch(error => {
      throw failure(`sending ${signal} to ${this.name}`, error)
    })
  }

  /** Stops it, after `grace` ms by force, and starts it again. Ports are published anew: ask for the endpoint again. */
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
    await this.#raw.stop({ t: Math.ceil(grace / 1000) }).catch(error => {
      if (error.statusCode !== 304) throw error
    })
    this.#up = false
    this.#end = undefined
    this.#follow(await this.#network.engine.client.container.attach(this.#raw))
    await this.#raw.start()
    this.#ours = false
    const { NetworkSettings } = await this.#raw.inspect()
    for (const port of this.#spec.ports ?? []) {
      const bindings = NetworkSettings.Ports[`${port}/tcp`] ?? []
      const binding = bindings.find(({ HostIp }) => !HostIp.includes(':')) ?? bindings[0]
      if (binding) this.#ports.set(port, Number(binding.HostPort))
    }
    await this.#comesUp()
  }

  /** Removes it with its volumes. `grace` in ms lets it end in an orderly way first. */
  async stop({ grace = 0 } = {}): Promise<void> {
    this.#ours = true
    if (grace > 0) await this.#raw.stop({ t: Math.ceil(grace / 1000) }).catch(() => {})
    await this.#raw.remove({ force: true, v: true }).catch(error => {
      if (error.statusCode !== 404 && error.statusCode !== 409) throw failure(`removing ${this.name}`, error)
    })
    this.#network.forget(this)
  }

  /** Its network is about to remove it. */
  abandon(): void {
    this.#ours = true
  }
}

/** testcontainers knows neither fixed addresses, nor DNS servers, nor the address on which ports are published. */
async function definition(network: RunNetwork, spec: ContainerSpec, created: (id: string) => Promise<void>) {
  const { GenericContainer } = await import('testcontainers')
  const local = network.engine.host === '127.0.0.1'
  class Definition extends GenericContainer {
    constructor() {
      super(spec.image)
      const { address, resolver = network.resolver } = spec
      this.networkMode = network.name
      this.hostConfig.Dns = [resolver]
      // Else the C library takes the AD flag off the answers, and DANE never applies.
      this.hostConfig.DnsOptions = ['trust-ad']
      // The host's search domain would be tried for every name.
      this.hostConfig.DnsSearch = ['.']
      if (address)
        this.createOpts.NetworkingConfig = {
          EndpointsConfig: { [network.name]: { IPAMConfig: { IPv4Address: address } } },
        }
      if (spec.ports) this.withExposedPorts(...spec.ports)
      if (local)
        for (const bindings of Object.values(this.hostConfig.PortBindings ?? {}))
          for (const binding of bindings as { HostIp?: string }[]) binding.HostIp = '127.0.0.1'
    }

    override async containerCreated(id: string) {
      await created(id)
    }
  }
  const made = new Definition()
    .withLabels({ ...network.labels, [`${LABELS.run}.name`]: spec.name })
    .withDefaultLogDriver()
    .withWaitStrategy(AT_ONCE)
  if (spec.hostname) made.withHostname(spec.hostname)
  if (spec.command) made.withCommand(spec.command)
  if (spec.environment) made.withEnvironment(spec.environment)
  if (spec.capabilities) made.withAddedCapabilities(...spec.capabilities)
  if (spec.tmpfs) made.withTmpFs(Object.fromEntries(spec.tmpfs.map(path => [path, 'rw'])))
  if (spec.files?.length) made.withCopyArchivesToContainer([{ tar: archive(spec.files), target: '/' }])
  return made
}

/** Its waits either dial ports, which a mail server logs, or do not see that a container has ended. Ours is above. */
const AT_ONCE = {
  waitUntilReady: async () => {},
  withStartupTimeout: () => AT_ONCE,
  isStartupTimeoutSet: () => true,
  getStartupTimeout: () => 0,
}
