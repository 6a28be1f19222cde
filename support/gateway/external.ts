import { X509Certificate } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { basename } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { getCACertificates } from 'node:tls'
import type { RunNetwork } from '../engine/run-network.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import type { Capability } from '../mailflow/capabilities.ts'
import type { Change } from '../mailflow/changes.ts'
import { missingConnector } from '../mailflow/connectors.ts'
import { type MailFlow, PINS } from '../mailflow/mail-flow.ts'
import { readAuthorities } from '../pki/authority-files.ts'
import { isForAnotherTime, whyNoGreeting } from '../wire/smtp/greeting.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'
import {
  type Command,
  CommandFailure,
  type Following,
  followCommand,
  runCommand,
} from './commands/command.ts'
import { followFile } from './commands/log-file.ts'
import type { Commands } from './commands/read-commands.ts'
import type { Gateway } from './gateway.ts'
import type { GatewayFile } from './gateway-file.ts'
import { Installation } from './installation.ts'
import { GatewayWithLog, type LogReader } from './product-log.ts'
import { isServerAddress } from './server-address.ts'
import type { GatewaySource } from './source.ts'

/** The source of a gateway that runs already and that a file describes. */
export interface ExternalSource extends GatewaySource {
  readonly kind: 'external'
  readonly file: GatewayFile
  /** The mail flow that the file describes, in place of the standard one. `start` takes no other. */
  readonly flow: MailFlow
  /** Why the gateway is not tested as a sender or as a receiver, or nothing when it is. */
  untested(role: 'sender' | 'receiver'): string | undefined
}

export const isExternal = (source: GatewaySource): source is ExternalSource => source.kind === 'external'

/** A capability that such a gateway has only with some keys of `commands` in its file, and why it lacks it otherwise. */
const WITH_COMMANDS: Partial<Record<Capability, { keys: (keyof Commands)[]; why: string }>> = {
  retry: { keys: ['retry'], why: 'only the gateway itself knows when it tries queued mail again' },
  expiry: { keys: ['expire'], why: 'only the gateway itself knows when it gives queued mail up' },
  'session-log': {
    keys: ['log', 'reader'],
    why: 'the suite cannot read the log of a gateway that it did not start',
  },
}

/** Capabilities that such a gateway never has, because the suite cannot log in to it or change it. */
const BEYOND_A_FILE: Partial<Record<Capability, string>> = {
  'tls12-only': 'the suite cannot tell a gateway that it did not start which versions to speak',
  'strict-tls': 'the suite cannot tell a gateway that it did not start which algorithms to use',
  'forward-secrecy-only': 'the suite cannot tell a gateway that it did not start which key exchange to use',
  'forced-tls-inbound': 'the suite cannot make a gateway that it did not start require TLS of every client',
  ...Object.fromEntries(
    PINS.map(attribute => [
      `pin-${attribute}`,
      `a gateway file does not say which ${attribute} its connectors pin`,
    ]),
  ),
  'client-certificate-outbound':
    'a gateway file does not say which certificate the gateway shows as a sender',
}

/** The command by which such a gateway is told what a change sets. */
const INSTALLS: Partial<Record<Change['sets'], 'certificate' | 'trust'>> = {
  certificate: 'certificate',
  roots: 'trust',
}

/** Nothing where the gateway can be changed so. */
function whyNotChanged({ sets, words }: Change, { commands, path }: GatewayFile): string | undefined {
  const key = INSTALLS[sets]
  if (!key || words === 'has lost its certificate')
    return 'the suite cannot reconfigure a gateway that it did not start'
  if (commands?.[key]) return undefined
  return `the suite cannot change the ${sets} of a gateway that it did not start; ${wouldMake([`commands.${key}`], path)}`
}

/** Nothing where the gateway has the capability. */
function whyNotAsked(capability: Capability, { commands, path }: GatewayFile): string | undefined {
  const { keys, why } = WITH_COMMANDS[capability]!
  const missing = keys.filter(key => commands?.[key] === undefined).map(key => `commands.${key}`)
  return missing.length === 0 ? undefined : `${why}; ${wouldMake(missing, path)}`
}

/** Names the keys that would make something applicable. */
const wouldMake = (keys: readonly string[], path: string): string =>
  `the ${keys.length > 1 ? 'keys' : 'key'} ${keys.join(' and ')} of ${isServerAddress(path) ? 'a gateway file' : basename(path)} would make it applicable`

/**
 * The source of the one gateway that a file describes. Connects to nothing and starts nothing. Throws InputError when
 * the suite's authorities cannot be read. `readerOf` gives what reads the log of a bundled product.
 */
export function external(
  file: GatewayFile,
  readerOf: (product: string) => LogReader = product => {
    throw new Error(`no reader of ${product} is at hand`)
  },
): ExternalSource {
  const flow = flowOf(file)
  const where = isServerAddress(file.path) ? file.path : basename(file.path)
  const reader = file.commands?.reader === undefined ? undefined : readerOf(file.commands.reader)
  return {
    name: file.name,
    kind: 'external',
    ...(file.deviations === undefined ? {} : { deviations: file.deviations }),
    file,
    flow,
    ...(file.profiles ? { profiles: file.profiles } : {}),
    ...(file.inbound && file.inbound.recipient === undefined
      ? { recipientUnknown: `no recipient is known: give one with --recipient, or write a gateway file` }
      : {}),
    ...(file.outbound?.login ? { login: true } : {}),
    ...(file.outbound?.submitTls ? { submitTls: file.outbound.submitTls } : {}),
    lacks(capability) {
      if (capability === 'submission')
        return file.outbound?.login
          ? undefined
          : `nobody can log in to submit mail; ${wouldMake(['outbound.login'], file.path)}`
      if (capability === 'implicit-tls')
        return file.outbound?.submitTls === 'implicit'
          ? undefined
          : `nobody can begin with TLS to submit mail; ${wouldMake(['outbound.submitTls'], file.path)}`
      if (capability in WITH_COMMANDS) return whyNotAsked(capability, file)
      return BEYOND_A_FILE[capability] ?? missingConnector(flow, capability, where)
    },
    untested(role) {
      const side = role === 'sender' ? 'outbound' : 'inbound'
      return file[side] ? undefined : `no ${side} in ${where}`
    },
    refuses: change => whyNotChanged(change, file),
    changesInPlace: true,
    async start(asked, network) {
      if (asked !== flow)
        throw new GatewayFailure(`${file.name} was not started by the suite, which cannot set it up anew`)
      return ExternalGateway.start(network ? located(file, network) : file, flow, reader)
    },
  }
}

/** The file with the addresses of containers in place of their names in the network of the gateway. */
function located(file: GatewayFile, network: RunNetwork): GatewayFile {
  const at = ({ host, port }: Endpoint): Endpoint => ({ host: network.addressOf(host), port })
  const { inbound, outbound } = file
  return {
    ...file,
    ...(inbound ? { inbound: { ...inbound, address: at(inbound.address) } } : {}),
    ...(outbound ? { outbound: { ...outbound, submit: at(outbound.submit) } } : {}),
  }
}

/** What the file does not say, such as the gateway's key, is empty. */
function flowOf({ inbound, outbound, pki, names, lab }: GatewayFile): MailFlow {
  const domain = (inbound?.recipient ?? outbound?.sender)?.split('@')[1] ?? inbound!.hostname
  return {
    hostname: inbound?.hostname ?? domain,
    domain,
    recipient: inbound?.recipient ?? `nobody@${domain}`,
    sender: outbound?.sender ?? `nobody@${domain}`,
    identity: { key: '', certificate: '' },
    trust: pki === undefined ? [] : [readAuthorities(pki).root.certificate],
    // Reading the roots of the system takes a while.
    sendersTrust: inbound ? (inbound.trust ?? systemRoots()) : [],
    minVersion: 'TLSv1.2',
    inbound: [...(inbound?.connectors ?? [])],
    outbound: (outbound?.connectors ?? []).map(({ partner: _, ...connector }) => connector),
    users: outbound?.login ? [outbound.login] : [],
    attempts: Number.POSITIVE_INFINITY,
    network: { resolver: names ? serverText(names.listen) : lab ? `${lab.resolver}:53` : '', partnerPort: 0 },
  }
}

const serverText = ({ host, port }: Endpoint): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`

/** The roots of the system without intermediates, which would fill a gap in the chain that the gateway shows. */
function systemRoots(): string[] {
  return getCACertificates('system').filter(pem => {
    const certificate = new X509Certificate(pem)
    return certificate.checkIssued(certificate)
  })
}

/** How long the gateway may take to say that it has new settings, in ms. Afterwards the run goes on. */
const MAX_RELOAD = 3_000
/** How long it may take to greet again, in ms: a reload may be a restart. */
const MAX_RESTART = 30_000
/** Pause between two attempts to get a greeting, in ms. */
const PAUSE = 100

/** Reads no log: its lines are evidence all the same. */
const NO_READER: Omit<LogReader, 'name'> = { read: () => undefined, session: () => undefined }

/**
 * A gateway that the suite did not start. What becomes of its mail is seen on the wire and in the mailbox, and in its log
 * and queue as far as the file has commands for them.
 */
class ExternalGateway extends GatewayWithLog implements Gateway {
  readonly kind = 'external'
  readonly version = 'unknown'
  readonly library = 'unknown'
  /** What the gateway has now: `change` exchanges it. */
  readonly flow: MailFlow
  readonly expire?: (recipient: string) => Promise<void>
  readonly holds?: (address: string) => Promise<boolean | undefined>
  readonly #file: GatewayFile
  readonly #installation: Installation | undefined
  /** Ends the commands that still run. */
  readonly #over = new AbortController()
  #log: Following | undefined
  /** Called when the log says that the gateway has new settings; only while `commands.reload` is under way. */
  #reloaded: (() => void) | undefined
  /** The command for the log ended while the gateway was restarted. */
  #lostLog = false
  readonly #reader: LogReader | undefined
  /** The queue command has shown a message of this run: what it does not show is not in the queue. */
  #hasShown = false

  private constructor(file: GatewayFile, flow: MailFlow, reader: LogReader | undefined) {
    super({ ...(reader ?? NO_READER), name: 'commands.log' })
    this.#file = file
    this.#reader = reader
    this.flow = flow
    if (file.commands)
      this.#installation = new Installation({
        ...{ commands: file.commands, original: flow, reload: () => this.#reload() },
        ...(file.inbound ? { inbound: file.inbound.address } : {}),
      })
    const { expire } = file.commands ?? {}
    if (expire)
      this.expire = async recipient => {
        await this.#run(expire, { MAIL_TLS_RECIPIENT: recipient })
      }
    if (file.commands?.queue) this.holds = address => this.#holds(address, reader !== undefined)
  }

  /** Follows its log, if the file has a command for that. Throws CommandFailure where the log or the queue cannot be read. */
  static async start(file: GatewayFile, flow: MailFlow, reader: LogReader | undefined) {
    const gateway = new ExternalGateway(file, flow, reader)
    const { queue } = file.commands ?? {}
    gateway.#followLog()
    try {
      if (queue) await gateway.#run(queue)
    } catch (error) {
      await gateway.stop()
      throw error
    }
    return gateway
  }

  #followLog(): void {
    const { log } = this.#file.commands ?? {}
    if (!log) return
    const told = {
      line: (text: string) => {
        this.said.add(text)
        if (this.#reader?.reloaded?.test(text)) this.#reloaded?.()
        // It says more than is kept.
        if (this.fault) void this.#log?.stop()
      },
      ended: (why: CommandFailure) => {
        if (this.#reloaded) this.#lostLog = true
        else this.said.ended(why)
      },
    }
    this.#log = 'path' in log ? followFile(log, told) : followCommand(log, told)
  }

  #run(command: Command, variables: Record<string, string> = {}): Promise<string> {
    const { timeout } = this.#file.commands!
    return runCommand(command, { variables, timeout, signal: this.#over.signal })
  }

  get name() {
    return this.#file.name
  }

  /** Where its log tells what becomes of mail and its queue can be seen, no silence counts. */
  get settle() {
    const tells = this.#file.commands?.queue && this.#log && this.events.length > 0
    return tells ? undefined : (this.#file.outbound?.settle ?? 0)
  }

  get inbound() {
    return this.#side('inbound').address
  }

  get submission() {
    const { submit, submitTls } = this.#side('outbound')
    return submitTls === 'implicit' ? { ...submit, implicitTls: { servername: this.flow.hostname } } : submit
  }

  get submissions() {
    return this.#file.outbound?.submitTls === 'implicit' ? this.submission : undefined
  }

  /** Throws where the file leaves a side out, which `untested` tells before. */
  #side<S extends 'inbound' | 'outbound'>(side: S): NonNullable<GatewayFile[S]> {
    const found = this.#file[side]
    if (!found) throw new Error(`${this.#file.path} says nothing about ${side} mail`)
    return found
  }

  /** The end of its log is not the end of the gateway; see `fault`. */
  override get end() {
    return undefined
  }

  get fault() {
    return this.said.end
  }

  override sessions(text: string) {
    if (this.fault) throw this.fault
    return super.sessions(text)
  }

  /** Only with its log is it known that a message that is not in the queue was not returned. */
  async #holds(address: string, hasLog: boolean): Promise<boolean | undefined> {
    // Some products write a domain in small letters.
    const shows = (await this.#run(this.#file.commands!.queue!)).toLowerCase().includes(address.toLowerCase())
    this.#hasShown ||= shows
    return shows || (this.#hasShown && hasLog ? false : undefined)
  }

  /** Without a command for it, the gateway tries again by itself. */
  async retry(domain: string) {
    const { retry } = this.#file.commands ?? {}
    if (retry) await this.#run(retry, { MAIL_TLS_DOMAIN: domain })
  }

  /** The certificate and the roots alone. Throws CommandFailure. */
  async change(flow: MailFlow) {
    if (this.#installation) await this.#installation.give(flow)
    else if (flow !== this.flow)
      throw new GatewayFailure(`${this.name} was not started by the suite, which cannot change it`)
    Object.assign(this, { flow })
  }

  /** Waits until the log tells that the gateway has new settings, if it does, and until the gateway greets. */
  async #reload(): Promise<void> {
    const { reload, timeout } = this.#file.commands!
    const told = Promise.withResolvers<void>()
    this.#reloaded = told.resolve
    const tells = reload && this.#log && this.#reader?.reloaded
    try {
      if (reload) await runCommand(reload, { timeout })
      const timer = setTimeout(told.resolve, tells ? MAX_RELOAD : 0)
      await told.promise
      clearTimeout(timer)
      const { inbound, outbound } = this.#file
      if (inbound) await this.#greets(inbound.address)
      if (outbound) await this.#greets(this.submission)
    } finally {
      this.#reloaded = undefined
      if (this.#lostLog) await this.#followLogAnew()
      this.#lostLog = false
    }
  }

  /** A command such as `docker logs` misses what is said before it is up, so this waits for a line, for a bounded time. */
  async #followLogAnew(): Promise<void> {
    const before = this.said.size
    this.#followLog()
    const deadline = performance.now() + MAX_RELOAD
    const { inbound } = this.#file
    while (this.said.size === before && performance.now() < deadline) {
      if (inbound) await whyNoGreeting(inbound.address)
      await pause(PAUSE)
    }
  }

  async #greets(endpoint: Endpoint): Promise<void> {
    const deadline = performance.now() + MAX_RESTART
    for (;;) {
      const why = await whyNoGreeting(endpoint)
      if (why === undefined || isForAnotherTime(why)) return
      if (performance.now() > deadline)
        throw new CommandFailure('commands.reload', `afterwards no mail server greets: ${why}`)
      await pause(PAUSE)
    }
  }

  async stop() {
    this.#over.abort()
    try {
      await this.#installation?.end()
    } finally {
      await this.#log?.stop()
    }
  }
}
