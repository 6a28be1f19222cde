import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { GatewayFailure } from '../gateway-failure.ts'
import { runFolder } from '../leftovers.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { shownBy } from '../wire/smtp/certificate-shown.ts'
import { type Endpoint, WireError } from '../wire/smtp/smtp.ts'
import { CommandFailure, runCommand } from './commands/command.ts'
import type { Commands } from './commands/read-commands.ts'

/** The commands that install something. */
const PARTS = ['certificate', 'trust'] as const
type Part = (typeof PARTS)[number]

/** What the commands get in `MAIL_TLS_RESTORE` where they have to put back what the gateway had. */
const RESTORE = 'yes'
/** Pause between two looks at the certificate that the gateway shows, in ms. */
const PAUSE = 100

/** The gateway whose certificate and roots are exchanged. */
interface Installed {
  readonly commands: Commands
  /** Its mail flow as the file describes it: its certificate is not known. */
  readonly original: MailFlow
  /** Where it accepts mail from other servers; absent where the file does not say. */
  readonly inbound?: Endpoint
  /** Runs `commands.reload`, and waits until the gateway has new settings. */
  reload(): Promise<void>
}

/**
 * Installs certificates and roots in a gateway that the suite did not start, with the commands `certificate`, `trust` and
 * `reload` of its file, and puts back what it had. Throws CommandFailure.
 */
export class Installation {
  readonly #of: Installed
  /** What each part has now: `ORIGINAL`, what was installed, or nothing where that is not known. */
  readonly #has: Record<Part, string | undefined> = { certificate: '', trust: '' }
  /** Parts of which it is known that the command can put them back. */
  readonly #canRestore = new Set<Part>()
  /** The certificate that the gateway showed before, and that an installed one was seen afterwards. */
  #own: string | undefined
  #hasShown = false
  #under: Promise<void> = Promise.resolve()
  #isOver = false

  constructor(of: Installed) {
    this.#of = of
  }

  /** The gateway gets the certificate and the roots of a mail flow; those of its own file it gets back. */
  async give(flow: MailFlow): Promise<void> {
    if (this.#isOver) throw new GatewayFailure('the run is over: nothing is installed any more')
    await this.#exclusive(() => this.#give(flow))
  }

  /** Puts back all that may have been exchanged. Nothing is installed afterwards. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#exclusive(() => this.#give(this.#of.original))
  }

  /** One after another: a command is never broken off while it installs something. */
  async #exclusive(work: () => Promise<void>): Promise<void> {
    const before = this.#under
    const done = before.then(work)
    this.#under = done.catch(() => {})
    await done
  }

  async #give(flow: MailFlow): Promise<void> {
    const changed = PARTS.filter(part => this.#has[part] !== this.#wanted(part, flow))
    const [restored, installed] = [true, false].map(isOwn =>
      changed.filter(part => (this.#wanted(part, flow) === '') === isOwn),
    )
    // In this order, because both commands may keep one and the same file.
    for (const part of restored!) {
      this.#has[part] = undefined
      await this.#run(part)
    }
    for (const part of installed!) {
      await this.#mustBeAbleToRestore(part)
      this.#has[part] = undefined
      await this.#run(part, flow)
    }
    if (changed.length === 0) return
    await this.#of.reload()
    if (changed.includes('certificate')) await this.#awaitCertificate(flow)
    for (const part of changed) this.#has[part] = this.#wanted(part, flow)
  }

  /** What a mail flow says about a part, as text; empty for what the gateway had. */
  #wanted(part: Part, { identity, trust }: MailFlow): string {
    if (part === 'certificate') return identity.certificate
    const roots = trust.join('')
    return roots === this.#of.original.trust.join('') ? '' : roots
  }

  /** Tried while there is nothing to put back yet, because a gateway must not keep what the suite installs. */
  async #mustBeAbleToRestore(part: Part): Promise<void> {
    if (this.#canRestore.has(part)) return
    if (part === 'certificate') this.#own = await this.#shown()
    try {
      await this.#run(part)
    } catch (error) {
      const why = 'so nothing is installed: with MAIL_TLS_RESTORE=yes it puts back what the gateway had'
      throw new GatewayFailure(`${(error as Error).message}; ${why}`)
    }
    this.#canRestore.add(part)
  }

  /** Without a mail flow, the command puts back what the gateway had. */
  async #run(part: Part, flow?: MailFlow): Promise<void> {
    const { commands, original } = this.#of
    const { identity, trust } = flow ?? original
    const folder = await mkdtemp(runFolder())
    const file = async (name: string, content: string) => {
      const path = join(folder, name)
      await writeFile(path, content, { mode: 0o600 })
      return path
    }
    try {
      const variables: Record<string, string> =
        part === 'trust'
          ? { MAIL_TLS_ROOTS: await file('roots.pem', trust.join('')) }
          : {
              MAIL_TLS_CHAIN: flow ? await file('chain.pem', identity.certificate) : '',
              MAIL_TLS_KEY: flow ? await file('key.pem', identity.key) : '',
            }
      variables['MAIL_TLS_RESTORE'] = flow ? '' : RESTORE
      await runCommand(commands[part]!, { variables, timeout: commands.timeout })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  /**
   * Waits until new sessions show the certificate. If none ever showed, the command is at fault; afterwards the gateway is
   * judged by what it shows.
   */
  async #awaitCertificate({ identity: { certificate } }: MailFlow): Promise<void> {
    const isOwn = certificate === ''
    const wanted = isOwn ? this.#own : fingerprint(certificate)
    const { commands, inbound } = this.#of
    if (!inbound || wanted === undefined) return
    const deadline = performance.now() + commands.timeout
    while ((await this.#shown()) !== wanted) {
      if (performance.now() < deadline) await pause(PAUSE)
      else if (isOwn) throw this.#notShown('the one that it had before')
      else if (!this.#hasShown) throw this.#notShown('the one that was installed')
      else return
    }
    if (!isOwn) this.#hasShown = true
  }

  #notShown(which: string): CommandFailure {
    return new CommandFailure(
      'commands.certificate',
      `the command has ended, and the gateway still shows another certificate than ${which}`,
    )
  }

  /** Of the certificate that the gateway shows; nothing where it shows none. */
  async #shown(): Promise<string | undefined> {
    const { inbound, original } = this.#of
    if (!inbound) return undefined
    try {
      return (await shownBy(inbound, original.hostname)).certificates[0]?.fingerprint256
    } catch (error) {
      if (error instanceof WireError) return undefined
      throw error
    }
  }
}

/** Of the first certificate. */
const fingerprint = (pem: string): string => new X509Certificate(pem).fingerprint256
