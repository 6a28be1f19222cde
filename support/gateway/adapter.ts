import type { DeliveryEvent, SessionWord } from '../evidence/words.ts'
import type { Capability } from '../mailflow/capabilities.ts'
import type { ChangeName } from '../mailflow/changes.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'

export interface RenderedFile {
  /** Relative to the gateway's own folder; absolute in a container. */
  path: string
  content: string
  /** Octal as text; default 0644, keys want 0600. */
  mode?: string
}

/** A mail flow in a product's own files. */
export interface Rendered {
  files: RenderedFile[]
}

/** Data and pure functions: one per product, tested without starting anything. */
export interface Adapter {
  readonly name: string
  readonly capabilities: ReadonlySet<Capability>
  /** Why a capability is missing, in a sentence for the report. */
  readonly reasons: Partial<Record<Capability, string>>
  /** Log line that means: accepting mail. */
  readonly ready: RegExp
  /** Pure: the mail flow in this product's own files. */
  render(flow: MailFlow, place: Place): Rendered
  /** Pure: one line of this product's log as a neutral event, or nothing. */
  read(line: string): DeliveryEvent | undefined
  /** Pure: what one line says about the TLS of a session, or nothing. */
  session(line: string): Omit<SessionWord, 'line'> | undefined
  /** Pure: the session that a line is about, where lines name theirs. Else each line stands for itself. */
  sessionOf?(line: string): string | undefined
}

/** Why a product lacks a capability, or nothing when it has it. */
export function lacking({ name, capabilities, reasons }: Adapter) {
  return (capability: Capability): string | undefined =>
    capabilities.has(capability) ? undefined : (reasons[capability] ?? `${name} does not claim it`)
}

/** Where the product is to listen. */
export interface Place {
  address: string
  inbound: number
  submission: number
}

/** How an embedded product is run from a folder with its rendered files. */
export interface EmbeddedProduct extends Adapter {
  /** File with its recorded deviations, where it has any. */
  readonly deviations?: string
  /** On which it ends in an orderly way: takes no new connections and finishes what is under way. */
  readonly endSignal: NodeJS.Signals
  version(): Promise<{ version: string; library: string }>
  command(folder: string): { program: string; args: string[]; env: Record<string, string> }
  /** Message over the process's IPC channel that makes it try queued mail for a domain now. */
  retry(domain: string): object
}

/** One image of a product. */
export interface Release {
  /** What stands behind the @ in `postfix@bullseye`. */
  name: string
  /** Public name of the image it is built on. */
  base: string
  /** For the Dockerfile's other ARGs, where this release needs them. */
  args?: Record<string, string>
}

/** How a product is run in a container. */
export interface ContainerProduct extends Adapter {
  /**
   * Build context of its images: `Dockerfile`, which takes `BASE` and the `args` of a release, and what that copies.
   */
  readonly context: { folder: string; files: readonly string[] }
  /** File with its recorded deviations, where it has any. */
  readonly deviations?: string
  /** Newest first: the bare name of the product means the first. */
  readonly releases: readonly Release[]
  /** Runs the product in the foreground, once its files are in place. Its log goes to standard output. */
  readonly command: readonly string[]
  /** Makes it read changed files while mail goes on; absent where the product has to be started again. */
  readonly reload?: readonly string[]
  /** Log line that means that it has read them. */
  readonly reloaded?: RegExp
  /** Run in the container; prints what `readVersion` reads. */
  readonly versionCommand: readonly string[]
  /** Pure. Throws when the text does not look as expected. */
  readVersion(text: string): { version: string; library: string }
  /** Run in the container: prints the queue, with every sender and recipient. */
  readonly queue: readonly string[]
  /** Run in the container: tries queued mail for a domain now. */
  retry(domain: string): readonly string[]
  /** It keeps what it saw of a domain's servers, or who they are, for later messages; what, in a sentence. */
  readonly remembers?: string
  /** It takes mail for sending on from users alone, who log in inside TLS. */
  readonly login?: true
  /**
   * Changes of the standard mail flow with which it cannot be run, each with the reason, in a sentence for the
   * report.
   */
  readonly refuses?: Partial<Record<ChangeName, string>>
}
