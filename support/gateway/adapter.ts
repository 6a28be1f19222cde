import type { DeliveryEvent, SessionWord } from '../evidence/gateway-words.ts'
import type { Capability } from '../mailflow/capabilities.ts'
import type { ChangeName } from '../mailflow/changes.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'

export interface RenderedFile {
  /** Relative to the folder of an embedded gateway; absolute in a container. */
  path: string
  content: string
  /** Octal, as text. Default: 0644. Private keys need 0600. */
  mode?: string
}

/** A mail flow as the configuration files of a product. */
export interface Rendered {
  files: RenderedFile[]
}

/** What the suite knows about one product, as data and pure functions. It can be tested without starting anything. */
export interface Adapter {
  readonly name: string
  readonly capabilities: ReadonlySet<Capability>
  /** Why the product lacks a capability, in a sentence for the report. */
  readonly reasons: Partial<Record<Capability, string>>
  /** It can stand in for the mail service: it takes a list of suites and uses their order. Absent: it cannot. */
  readonly standsIn?: true
  /** The log line with which the product says that it accepts mail. */
  readonly ready: RegExp
  /** The log line with which the product says that it has read changed files. */
  readonly reloaded?: RegExp
  /** Pure: a mail flow as files of this product. */
  render(flow: MailFlow, place: Place): Rendered
  /** Pure: what a log line says about one recipient or several, or nothing. */
  read(line: string): DeliveryEvent | readonly DeliveryEvent[] | undefined
  /** Pure: what a log line says about the TLS of a session, or nothing. */
  session(line: string): Omit<SessionWord, 'line'> | undefined
  /** Pure: the session that a log line belongs to, where the product names it. Without it, each line is a session. */
  sessionOf?(line: string): string | undefined
}

/** Why a product lacks a capability, or nothing when it has it. */
export function lacking({ name, capabilities, reasons }: Adapter) {
  return (capability: Capability): string | undefined =>
    capabilities.has(capability) ? undefined : (reasons[capability] ?? `${name} does not claim it`)
}

/** Whether TLS begins with the connection at a listener of the product: without a certificate there is none to begin with. */
export const hasImplicitTls = ({ capabilities }: Adapter, { identity }: MailFlow): boolean =>
  capabilities.has('implicit-tls') && identity.certificate !== ''

/** Where the product has to listen. */
export interface Place {
  address: string
  inbound: number
  submission: number
  /** For users whose TLS begins with the connection: RFC 8314 s3.3. */
  submissions: number
}

/** A product that runs as a process of this machine, in a folder with its rendered files. */
export interface EmbeddedProduct extends Adapter {
  /** File with its recorded deviations, where it has any. */
  readonly deviations?: string
  /** The signal on which the product takes no new connections, finishes the open ones, and ends. */
  readonly endSignal: NodeJS.Signals
  version(): Promise<{ version: string; library: string }>
  command(folder: string): { program: string; args: string[]; env: Record<string, string> }
  /** The message over the IPC channel of the process that makes it try queued mail for a domain now. */
  retry(domain: string): object
}

/** One image of a product. */
export interface Release {
  /** The part after the @ in `postfix@bullseye`. */
  name: string
  /** Name of the public image on which the release is built. */
  base: string
  /** For the Dockerfile's other ARGs, where this release needs them. */
  args?: Record<string, string>
}

/** A product that runs in a container. */
export interface ContainerProduct extends Adapter {
  /**
   * Build context of the images: a `Dockerfile`, which gets `BASE` and the `args` of a release, and all that it
   * copies.
   */
  readonly context: { folder: string; files: readonly string[] }
  /** File with its recorded deviations, where it has any. */
  readonly deviations?: string
  /** The newest first. The name of the product without a release means the first. */
  readonly releases: readonly Release[]
  /** Command that runs the product in the foreground, with its log on standard output. */
  readonly command: readonly string[]
  /** Command that makes the product read changed files while it runs. Absent where it has to be started again. */
  readonly reload?: readonly string[]
  /** Command whose output `readVersion` reads. */
  readonly versionCommand: readonly string[]
  /** Pure. Throws when the text does not look as expected. */
  readVersion(text: string): { version: string; library: string }
  /** Command that prints the queue, with every sender and recipient. */
  readonly queue: readonly string[]
  /** Command that makes the product try queued mail for a domain now. */
  retry(domain: string): readonly string[]
  /** Command that makes the product give up queued mail for a recipient now, as if its time were over. */
  expire?(recipient: string): readonly string[]
  /** What the product remembers of a domain's servers for later messages, in a sentence. Absent: nothing. */
  readonly remembers?: string
  /** The product accepts mail for other domains from users alone, who log in inside TLS. */
  readonly login?: true
  /**
   * Changes of the standard mail flow with which it cannot be run, each with the reason, in a sentence for the
   * report.
   */
  readonly refuses?: Partial<Record<ChangeName, string>>
}
