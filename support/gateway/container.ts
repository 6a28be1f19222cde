import {
  type Container,
  type File,
  folderFiles,
  type ImageSource,
  type RunNetwork,
} from '../engine/engine.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import type { ChangeName } from '../mailflow/changes.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { printable } from '../wire/printable.ts'
import { whyNoGreeting } from '../wire/smtp/greeting.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'
import { until } from '../wire/until.ts'
import {
  type ContainerProduct,
  hasImplicitTls,
  lacking,
  type Place,
  type Release,
  type RenderedFile,
} from './adapter.ts'
import type { Gateway } from './gateway.ts'
import { GatewayWithLog } from './product-log.ts'
import type { GatewaySource } from './source.ts'

/** The same in every container, where nothing else listens. */
const PLACE: Place = { address: '0.0.0.0', inbound: 25, submission: 587, submissions: 465 }
/** How long a product may take until its log line and its first 220, in ms. */
const START_LIMIT = 30_000
/** So many characters of the output of a command are shown. */
const MAX_WORDS = 500
/** How long the product may take to end before a restart, in ms. */
const GRACE = 5_000
/** Pause between two attempts to get a greeting, in ms. */
const PAUSE = 20

/** Exit status of the program below where the answer holds no roots. */
const NO_ROOTS = 3
/**
 * In Perl, which is in every image of Debian: fetches roots over HTTP into a file. Arguments: host, port, path, file. The
 * file keeps its owner and its mode.
 */
const FETCH_ROOTS = `
use IO::Socket::INET;
my ($host, $port, $path, $file) = @ARGV;
my $socket = IO::Socket::INET->new(PeerHost => $host, PeerPort => $port, Timeout => 10) or die "no connection: $@\\n";
print $socket "GET $path HTTP/1.0\\r\\nHost: $host\\r\\n\\r\\n";
local $/;
my ($head, $roots) = split /\\r\\n\\r\\n/, <$socket>, 2;
my $certificate = qr/-----BEGIN CERTIFICATE-----\\n[^-]+-----END CERTIFICATE-----\\n/;
exit ${NO_ROOTS} unless $head =~ m{^HTTP/\\S+ 200 } && $roots =~ /^(?:$certificate)+$/;
open my $out, '>', $file or die "$file: $!\\n";
print $out $roots;`

/** The version of a product and of its TLS library, as the product says. */
type Versions = ReturnType<ContainerProduct['readVersion']>
/** By image: each image is asked once in a process. */
const VERSIONS = new Map<string, Versions>()

/** A real mail server in a container of its own, in the network of a run. */
export class ContainerGateway extends GatewayWithLog implements Gateway {
  readonly kind = 'container'
  readonly name: string
  readonly version: string = ''
  readonly library: string = ''
  readonly flow: MailFlow
  readonly expire?: (recipient: string) => Promise<void>
  readonly #product: ContainerProduct
  #container!: Container
  #rendered: readonly RenderedFile[] = []
  #image = ''
  #reloads = 0

  private constructor(product: ContainerProduct, name: string, flow: MailFlow) {
    super(product)
    this.name = name
    this.flow = flow
    this.#product = product
    if (product.expire)
      this.expire = async recipient => {
        await this.#run(product.expire!(recipient))
      }
  }

  /** Builds the image where the engine does not have it. Throws GatewayFailure when the product does not start. */
  static async start(
    { product, release, name }: { product: ContainerProduct; release: Release; name: string },
    flow: MailFlow,
    network: RunNetwork,
  ): Promise<ContainerGateway> {
    const image = await network.engine.image(imageOf(product, release))
    const gateway = new ContainerGateway(product, name, flow)
    gateway.#image = image
    gateway.#rendered = product.render(flow, PLACE).files
    gateway.#container = await network.start({
      name,
      image,
      command: [...product.command],
      ports: [PLACE.inbound, PLACE.submission, PLACE.submissions],
      files: gateway.#rendered.map(asFile),
      ready: product.ready,
      limit: START_LIMIT,
      onLine: line => gateway.#line(line),
    })
    const look = () => gateway.#container.end && gateway.said.ended(gateway.#container.end)
    gateway.#container.watch(look)
    look()
    try {
      await gateway.#greets()
      Object.assign(gateway, await gateway.#versions())
    } catch (error) {
      await gateway.stop()
      throw error
    }
    return gateway
  }

  #line(line: string): void {
    this.said.add(line)
    if (this.#product.reloaded?.test(line)) this.#reloads++
  }

  /**
   * Waits for a greeting at both ports. A log line does not yet mean that the product accepts mail, and a published
   * port is open before anything listens behind it. Each port may have its own daemon (Courier).
   */
  async #greets(): Promise<void> {
    const deadline = performance.now() + START_LIMIT
    await Promise.all([
      this.#greetsAt(() => this.inbound, deadline),
      this.#greetsAt(() => this.submission, deadline),
      ...(this.submissions ? [this.#greetsAt(() => this.submissions!, deadline)] : []),
    ])
  }

  async #greetsAt(port: () => Endpoint, deadline: number): Promise<void> {
    for (;;) {
      const why = await whyNoGreeting(port())
      if (why === undefined) return
      if (this.end) throw this.end
      if (performance.now() > deadline)
        throw new GatewayFailure(`${this.name} takes no mail: ${why}; ${this.#container.lastWords()}`)
      await new Promise(resolve => setTimeout(resolve, PAUSE))
    }
  }

  async #versions(): Promise<Versions> {
    const known = VERSIONS.get(this.#image)
    if (known) return known
    const text = await this.#run(this.#product.versionCommand)
    try {
      const versions = this.#product.readVersion(text)
      VERSIONS.set(this.#image, versions)
      return versions
    } catch (error) {
      throw new GatewayFailure(printable((error as Error).message, MAX_WORDS))
    }
  }

  async #run(command: readonly string[]): Promise<string> {
    const { exitCode, stdout, output } = await this.#container.exec([...command])
    if (exitCode !== 0)
      throw new GatewayFailure(
        `${command.join(' ')} ended with ${exitCode} in ${this.name}: ${printable(output, MAX_WORDS)}`,
      )
    return stdout
  }

  /** Changes with every restart, because the engine publishes the port anew. */
  get inbound() {
    return this.#container.endpoint(PLACE.inbound)
  }

  get inside() {
    return { host: this.#container.address, port: PLACE.inbound }
  }

  get submission() {
    return this.#container.endpoint(PLACE.submission)
  }

  get submissions() {
    if (!hasImplicitTls(this.#product, this.flow)) return undefined
    return { ...this.#container.endpoint(PLACE.submissions), implicitTls: {} }
  }

  async holds(address: string): Promise<boolean> {
    // Some products write a domain in small letters.
    return (await this.#run(this.#product.queue)).toLowerCase().includes(address.toLowerCase())
  }

  async trusted(): Promise<string> {
    return this.#run(['cat', this.#rootsFile])
  }

  /** A product may have the issuers of its own certificate behind them. */
  get #rootsFile(): string {
    const all = this.flow.trust.join('')
    const file = this.#rendered.find(({ content }) => content.startsWith(all))
    if (!file) throw new GatewayFailure(`${this.name} has no file of trusted roots`)
    return file.path
  }

  async refreshRoots(url: string): Promise<void> {
    const { hostname, port, pathname } = new URL(url)
    const command = ['perl', '-e', FETCH_ROOTS, hostname, port || '80', pathname, this.#rootsFile]
    const { exitCode, output } = await this.#container.exec(command)
    if (exitCode === NO_ROOTS) return
    if (exitCode !== 0)
      throw new GatewayFailure(`${this.name} cannot fetch its roots: ${printable(output, MAX_WORDS)}`)
    const roots = (await this.trusted()).split(/(?=-----BEGIN)/)
    await this.#reread()
    Object.assign(this, { flow: { ...this.flow, trust: roots } })
    await this.#greets()
  }

  async retry(domain: string): Promise<void> {
    await this.#run(this.#product.retry(domain))
  }

  async change(flow: MailFlow): Promise<void> {
    if (this.end) throw this.end
    const { files } = this.#product.render(flow, PLACE)
    const removed = this.#rendered.filter(({ path }) => !files.some(file => file.path === path))
    if (removed.length > 0) await this.#run(['rm', '-f', ...removed.map(({ path }) => path)])
    await this.#container.copy(files.map(asFile))
    this.#rendered = files
    Object.assign(this, { flow })
    await this.#reread()
    await this.#greets()
  }

  async #reread(): Promise<void> {
    const { reload, reloaded } = this.#product
    if (!reload) return this.#container.restart({ grace: GRACE })
    const before = this.#reloads
    await this.#run(reload)
    if (!reloaded) return
    await until(() => this.#reloads > before || this.end !== undefined, [this.#container], START_LIMIT)
    if (this.end) throw this.end
    if (this.#reloads === before)
      throw new GatewayFailure(`${this.name} does not read its files again: ${this.#container.lastWords()}`)
  }

  async stop(): Promise<void> {
    await this.#container.stop()
  }
}

/** What the image of a release is built from. */
function imageOf({ name, context: { folder, files } }: ContainerProduct, release: Release): ImageSource {
  return {
    name: `${name}-${release.name}`,
    files: folderFiles(folder, files),
    args: { BASE: release.base, ...release.args },
  }
}

/** The source of gateways of a product in containers. `release`: by its name; default: the newest. */
export function container(product: ContainerProduct, release?: string): GatewaySource {
  const chosen = release ? product.releases.find(({ name }) => name === release) : product.releases[0]
  if (!chosen) throw new Error(`${product.name} has no release ${release}`)
  const name = release ? `${product.name}@${release}` : product.name
  const source: GatewaySource = {
    name,
    kind: 'container',
    secondServers: { 'the same kind': () => source },
    ...(product.deviations === undefined ? {} : { deviations: product.deviations }),
    image: () => imageOf(product, chosen),
    standsIn: product.standsIn ?? false,
    expires: product.expire !== undefined,
    lacks: lacking(product),
    login: product.login ?? false,
    remembers: product.remembers !== undefined,
    refuses: ({ words }) => product.refuses?.[words as ChangeName],
    start(flow, network) {
      if (!network) throw new Error(`${name} runs in the network of a run, and there is none`)
      return ContainerGateway.start({ product, release: chosen, name }, flow, network)
    },
  }
  return source
}

function asFile({ path, content, mode = '0644' }: RenderedFile): File {
  return { path, content, mode: Number.parseInt(mode, 8) }
}
