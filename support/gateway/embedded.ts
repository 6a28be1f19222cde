import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '../free-port.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import { RUN_MARK, RUN_VARIABLE, runFolder } from '../leftovers.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { whyNoGreeting } from '../wire/smtp/greeting.ts'
import { type EmbeddedProduct, hasImplicitTls, lacking, type Place } from './adapter.ts'
import type { Gateway } from './gateway.ts'
import { GatewayWithLog } from './product-log.ts'
import type { GatewaySource } from './source.ts'

/** How long a product may take until its first 220, in ms. */
const START_LIMIT = 20_000
/** How long the product may take to end, in ms. */
const END_LIMIT = 5_000

/**
 * A real mail server as a child process on a loopback address of its own. It always ends with this process: the IPC
 * channel closes then, and the product's plugin notices that.
 */
export class EmbeddedGateway extends GatewayWithLog implements Gateway {
  readonly kind = 'embedded'
  readonly name: string
  readonly version: string
  readonly library: string
  readonly flow: MailFlow
  readonly inbound
  readonly submission
  readonly submissions
  readonly #product: EmbeddedProduct
  readonly #folder: string
  readonly #place: Place
  readonly #startLimit: number
  #rendered: string[] = []
  #child: ChildProcess | undefined

  private constructor(
    product: EmbeddedProduct,
    flow: MailFlow,
    made: { folder: string; place: Place; version: string; library: string; startLimit: number },
  ) {
    super(product)
    this.name = product.name
    this.version = made.version
    this.library = made.library
    this.flow = flow
    this.inbound = { host: made.place.address, port: made.place.inbound }
    this.submission = { host: made.place.address, port: made.place.submission }
    this.submissions = hasImplicitTls(product, flow)
      ? { host: made.place.address, port: made.place.submissions, implicitTls: {} }
      : undefined
    this.#product = product
    this.#folder = made.folder
    this.#place = made.place
    this.#startLimit = made.startLimit
  }

  /** Throws GatewayFailure when the product does not start. `startLimit` in ms. */
  static async start(
    product: EmbeddedProduct,
    flow: MailFlow,
    { startLimit = START_LIMIT } = {},
  ): Promise<EmbeddedGateway> {
    const address = `127.${randomInt(1, 63)}.${randomInt(256)}.${randomInt(1, 255)}`
    const folder = await mkdtemp(runFolder())
    const [inbound, submission, submissions] = [
      await freePort(address),
      await freePort(address),
      await freePort(address),
    ]
    const place = { address, inbound, submission, submissions }
    const { version, library } = await product.version()
    const gateway = new EmbeddedGateway(product, flow, { folder, place, version, library, startLimit })
    try {
      await gateway.#configure(flow)
      await gateway.#spawn()
    } catch (error) {
      await gateway.stop()
      throw error
    }
    return gateway
  }

  async #configure(flow: MailFlow): Promise<void> {
    const { files } = this.#product.render(flow, this.#place)
    for (const path of this.#rendered)
      if (!files.some(file => file.path === path)) await rm(join(this.#folder, path), { force: true })
    this.#rendered = files.map(({ path }) => path)
    for (const { path, content } of files) {
      await mkdir(dirname(join(this.#folder, path)), { recursive: true })
      await writeFile(join(this.#folder, path), content, { mode: 0o600 })
    }
  }

  async #spawn(): Promise<void> {
    const { program, args, env } = this.#product.command(this.#folder)
    const child = spawn(program, args, {
      cwd: this.#folder,
      env: { PATH: process.env['PATH'], [RUN_VARIABLE]: RUN_MARK, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // In a group of its own: Ctrl-C is a signal to the group of the suite, and the suite then stops its gateways.
      detached: true,
    })
    this.#child = child
    const ended = new Promise<never>((_, reject) => {
      child.once('error', error =>
        reject(new GatewayFailure(`${this.name} cannot be started: ${error.message}`)),
      )
      // Not `exit`: at that time the last lines of the product may not have been read.
      child.once('close', code => {
        const end = new GatewayFailure(
          `${this.name} ended by itself (exit status ${code}): ${this.said.lastWords()}`,
        )
        reject(end)
        if (this.#child === child) this.said.ended(end)
      })
    })
    ended.catch(() => {})
    const ready = new Promise<void>(resolve => {
      for (const stream of [child.stdout!, child.stderr!])
        createInterface({ input: stream }).on('line', line => {
          this.said.add(line)
          if (this.#product.ready.test(line)) resolve()
        })
    })
    const late = AbortSignal.timeout(this.#startLimit)
    const limit = new Promise<never>((_, reject) =>
      late.addEventListener('abort', () =>
        reject(
          new GatewayFailure(
            `${this.name} took no mail after ${this.#startLimit / 1000} s: ${this.said.lastWords()}`,
          ),
        ),
      ),
    )
    limit.catch(() => {})
    await Promise.race([ready, ended, limit])
    // A log line or an open port does not yet mean that the product accepts mail.
    const greeted = whyNoGreeting(this.inbound).then(why => {
      if (why !== undefined) throw new GatewayFailure(`${this.name} takes no mail: ${why}`)
    })
    await Promise.race([greeted, ended, limit])
  }

  async retry(domain: string): Promise<void> {
    this.#child?.send(this.#product.retry(domain))
  }

  async change(flow: MailFlow): Promise<void> {
    if (this.end) throw this.end
    await this.#end()
    await this.#configure(flow)
    Object.assign(this, { flow })
    await this.#spawn()
  }

  async #end(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    // On this signal the product finishes its transactions. If it does not end, it is killed.
    child.kill(this.#product.endSignal)
    const timer = setTimeout(() => child.kill('SIGKILL'), END_LIMIT)
    await ended
    clearTimeout(timer)
  }

  async stop(): Promise<void> {
    const child = this.#child
    const end = this.#end()
    child?.kill('SIGKILL')
    await end
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** The source of gateways of a product that runs as a process of this machine. */
export function embedded(product: EmbeddedProduct): GatewaySource {
  const source: GatewaySource = {
    name: product.name,
    kind: 'embedded',
    secondServers: { 'the same kind': () => source },
    ...(product.deviations === undefined ? {} : { deviations: product.deviations }),
    lacks: lacking(product),
    standsIn: product.standsIn ?? false,
    start: flow => EmbeddedGateway.start(product, flow),
  }
  return source
}
