import { type Catalogue, loadCatalogue } from '../catalogue/catalogue.ts'
import { type FeatureRule, loadFeatures, placeOf } from '../catalogue/features.ts'
import { EXCHANGE_SUITES } from '../catalogue/tls-profiles.ts'
import type { Combination } from '../circumstances/dimensions.ts'
import { within } from '../engine/failure.ts'
import type { TlsOffer } from '../evidence/offer.ts'
import { extensionsIn } from '../evidence/session.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { Gateways } from '../gateway/pool.ts'
import type { GatewaySource } from '../gateway/source.ts'
import type { Lab } from '../lab/lab.ts'
import type { Mailbox } from '../lab/mailbox/mailbox.ts'
import { STRANGERS } from '../mailflow/domains.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { roleOf } from '../mailflow/service.ts'
import type { Pki } from '../pki/pki.ts'
import { ClientSession } from '../traffic/client-session.ts'
import { Submission } from '../traffic/submit-message.ts'
import { applicableDeviations } from '../verdicts/deviations.ts'
import { requirementOf } from '../verdicts/failed-controls.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import type { Deviation } from '../verdicts/verdict.ts'
import { WireError } from '../wire/wire-error.ts'
import type { PlannedExample, RuleExample } from './example.ts'
import { mustPassFirstMail } from './first-mail.ts'
import { Ends, type Servers } from './gateway-ends.ts'
import { Aftermath, type LateMail } from './late-mail.ts'
import { Locks } from './locks.ts'
import { mustPassPreflight } from './preflight.ts'
import { type Surroundings, surroundings, surroundingsOnPaper } from './start-lab.ts'
import { tellStatusOfPeers } from './status-of-peers.ts'
import { Telling } from './tell-verdicts.ts'
import { type Concluded, VerdictRecord } from './verdict-record.ts'

/** What a run reports while it goes on; see `support/cli/progress.ts`. */
export interface RunListener {
  /** Something that takes time, before the first example. */
  doing?(what: string): void
  /** Something unexpected, in a sentence. */
  noted?(what: string): void
  began(example: { key: string; requirement: string; title: string }): void
  /** `held`: the gateway ended meanwhile, so the example is judged again, and what was found may be taken back. */
  judged(key: string, verdict: RecordedVerdict, held?: boolean): void
}

export interface RunOptions {
  source: GatewaySource
  deviations?: readonly Deviation[]
  listener?: RunListener
  /** Certificates that several runs share: keys cost time. Default: new ones. */
  pki?: Pki
  /** How long messages are watched after their example, in ms. */
  aftermath?: number
  /** The Rules among which the run finds its examples; default: those of `features/`. */
  rules?: readonly FeatureRule[]
  /** If it is aborted before the run has started, the run stops what it has started and throws. */
  signal?: AbortSignal
}

/** Read once in a process, for all its runs. */
let rules: FeatureRule[] | undefined

/**
 * How long stopping all gateways may take, and stopping the lab, in ms. The engine has less time for its containers.
 */
const END = 90_000

/** What all examples of a run share: the lab, the gateways and the verdicts. */
export class Run {
  readonly catalogue: Catalogue
  readonly pki: Pki
  readonly lab: Lab
  readonly flow: MailFlow
  readonly gateways: Gateways
  /** Absent where the suite cannot look into a mailbox. */
  readonly mailbox: Mailbox | undefined
  readonly listener: RunListener | undefined
  readonly record: VerdictRecord
  readonly telling: Telling
  readonly aftermath: Aftermath
  readonly ends: Ends
  /** In a pass under circumstances: the circumstances of the examples of a Rule, by the place of the Rule. */
  readonly circumstances: ReadonlyMap<string, Combination> | undefined
  /** Where several connectors fit an example, the one after so many others is chosen; see `connectors.ts`. */
  readonly turn: number
  /** In a dry run: the examples that would be judged, and those that would not. Nothing is started. */
  plan: PlannedExample[] | undefined
  /** One lock for each domain of a gateway: one example at a time leads its mail through a tap. */
  readonly paths: Locks
  readonly #options: RunOptions
  readonly #surroundings: Surroundings
  readonly #examples: Map<string, RuleExample>
  readonly #submissions: Map<Gateway, Submission>
  /** What the gateway accepts of clients, as it is usually told; absent where no example asked. */
  offer: TlsOffer | undefined
  /** The gateway sends mail on that authors at another domain have written, as far as is known. */
  takesAuthors = true
  /** Examples run one at a time, each with a gateway of its own; see `judgeAll`. */
  alone = false
  /** Whether no further example is begun. */
  isOver = (): boolean => false
  #stopped: Promise<void> | undefined

  private constructor(
    options: RunOptions,
    around: Surroundings,
    pass?: { main: Run; circumstances: ReadonlyMap<string, Combination>; turn: number },
  ) {
    const { lab, flow, mailbox } = around
    this.#options = options
    this.#surroundings = around
    this.lab = lab
    this.pki = lab.pki
    const { peersAs } = options.source
    if (!pass) this.pki.peersPlay = peersAs && { ...roleOf(peersAs), suites: EXCHANGE_SUITES }
    this.flow = flow
    this.mailbox = mailbox
    this.listener = pass ? undefined : options.listener
    this.circumstances = pass?.circumstances
    this.turn = pass?.turn ?? 0
    this.catalogue = pass?.main.catalogue ?? loadCatalogue()
    this.record = new VerdictRecord(
      this.catalogue,
      options.deviations ?? [],
      // Of an example that is over, `finish` tells.
      (key, verdict) => key === '' && this.listener?.judged(key, verdict),
      lack => requirementOf(lack, flow),
    )
    this.telling = new Telling((key, verdict, held) => this.listener?.judged(key, verdict, held))
    this.aftermath = new Aftermath(this.record, options.aftermath)
    this.gateways = pass?.main.gateways ?? this.#newGateways()
    this.ends = new Ends(this.gateways, this.record)
    this.paths = pass?.main.paths ?? new Locks()
    if (pass) this.takesAuthors = pass.main.takesAuthors
    this.#submissions = pass ? pass.main.#submissions : new Map()
    this.#examples = pass ? pass.main.#examples : this.#indexed()
  }

  #newGateways(): Gateways {
    const { lab, flow, network } = this.#surroundings
    return new Gateways(this.#options.source, flow, lab.pki, {
      ...(network ? { network } : {}),
      ended: ({ message }) => {
        if (!this.alone)
          this.listener?.noted?.(`The gateway ended, and the suite starts another one: ${message}`)
      },
      ...(lab.resolverOf ? { resolverOf: domain => lab.resolverOf!(domain) } : {}),
    })
  }

  #indexed(): Map<string, RuleExample> {
    rules ??= loadFeatures(this.catalogue)
    const examples = new Map<string, RuleExample>()
    for (const rule of this.#options.rules ?? rules)
      for (const { line, name, control } of rule.examples)
        examples.set(`${rule.uri}:${line}`, { rule, title: name, control })
    return examples
  }

  /**
   * A view of this run in which examples run under circumstances, by the place of their Rule: with the same lab and
   * gateways, and with verdicts of its own. It ends with the run. `turn`: of the connectors.
   */
  pass(circumstances: ReadonlyMap<string, Combination>, turn = 0): Run {
    const pass = new Run(this.#options, this.#surroundings, { main: this, circumstances, turn })
    pass.record.deviations = this.record.deviations
    return pass
  }

  /** Starts the lab and the gateway without changes. Throws GatewayFailure, and InputError for a gateway file. */
  static async start(options: RunOptions): Promise<Run> {
    const { source, pki, listener, signal } = options
    const doing = (what: string) => listener?.doing?.(what)
    const run = new Run(options, await surroundings(source, pki, { doing, ...(signal ? { signal } : {}) }))
    try {
      signal?.throwIfAborted()
      await tellStatusOfPeers(run)
      const { name, version } = await run.gateways.with()
      signal?.throwIfAborted()
      run.record.deviations = applicableDeviations(run.record.deviations, {
        name,
        version,
        standIn: source.name,
      })
      return run
    } catch (error) {
      await run.stop().catch(({ message }) => listener?.noted?.(message))
      throw error
    }
  }

  /**
   * Throws GatewayFailure unless the gateway and its adapter do what every judgement builds on. Of a gateway that the suite
   * has not set up only what is in the way of all mail counts: what else it does not do may be as its administrator wants
   * it. `roles`: those in which it will be judged.
   */
  async mustWork(roles: ReadonlySet<'sender' | 'receiver'> = new Set(['sender', 'receiver'])): Promise<void> {
    const gateway = await this.gateways.with()
    const { lab, mailbox } = this
    if (gateway.kind === 'external') {
      this.listener?.doing?.('letting a first message pass')
      return mustPassFirstMail(this, roles)
    }
    if (!mailbox) return
    const { login = false } = this.gateways.source
    await mustPassPreflight({ gateway, lab, mailbox, login, submission: this.submission(gateway) })
  }

  /** A dry run: nothing is started, and the examples go to `plan`. */
  static async dry(options: RunOptions): Promise<Run> {
    const run = new Run(options, await surroundingsOnPaper(options.source, options.pki))
    run.plan = []
    return run
  }

  /** `place` is `features/….feature:LINE`. */
  example(place: string): RuleExample {
    const example = this.#examples.get(place)
    if (!example) throw new Error(`${place} is no example of the suite`)
    return example
  }

  /**
   * What the gateway offers at EHLO, inside or outside of TLS, to a client where it receives, or to a user where it sends:
   * the keywords in upper case. Empty where the gateway does not have this role.
   */
  async keywords(role: 'receiver' | 'sender'): Promise<Set<string>> {
    if (this.gateways.source.untested?.(role)) return new Set()
    const gateway = await this.gateways.with()
    const offered = new Set<string>()
    try {
      // A gateway file may say nothing about the other role, and then there is no such address.
      const endpoint = role === 'receiver' ? gateway.inbound : gateway.submission
      const domain = this.lab.freshDomain(STRANGERS)
      const session = await ClientSession.open(endpoint, { domain, flow: gateway.flow })
      await session.greet()
      if (session.offersStarttls) {
        await session.startTls()
        await session.greet()
      }
      await session.say('QUIT')
      session.close()
      for (const secured of [false, true])
        for (const line of extensionsIn(session.seen(), secured) ?? []) offered.add(line.split(' ', 1)[0]!)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
    }
    return offered
  }

  submission(gateway: Gateway): Submission {
    let submission = this.#submissions.get(gateway)
    if (!submission) {
      const user = this.gateways.userOf(gateway)
      const { submitTls: tls } = this.gateways.source
      submission = new Submission(gateway.submission, gateway.flow.hostname, {
        ...(user ? { user } : {}),
        ...(tls ? { tls } : {}),
      })
      this.#submissions.set(gateway, submission)
    }
    return submission
  }

  /** An example is over. `late`: its messages that stood as they should, where it has any. */
  finish(key: string, concluded: Concluded, servers: Servers, late?: LateMail): void {
    const verdict = this.record.add(key, concluded)
    this.ends.note(concluded.example, verdict, servers)
    this.telling.judged(key, verdict, () => this.#isJudgedAgain(concluded.example, servers))
    if (late && verdict.verdict === 'conformant') this.aftermath.watch(concluded.example, verdict, late)
  }

  /** Judged alone, an example has a second verdict if its gateway ends: it is blamed. */
  #isJudgedAgain({ rule }: RuleExample, { tested, all }: Servers): boolean {
    const hasEnded = ({ end }: Gateway) => end !== undefined
    if (this.alone) return tested.some(hasEnded)
    const place = placeOf(rule)
    return all.some(hasEnded) || this.ends.suspicious().some(({ rules }) => rules.has(place))
  }

  get verdicts(): RecordedVerdict[] {
    return this.record.verdicts
  }

  /**
   * Stops the gateways and the lab. A second call waits for the same end. Throws where something may be left, after
   * everything was tried.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    for (const submission of this.#submissions.values()) submission.close()
    const failures: Error[] = []
    const ended = (what: string, end: Promise<void>) =>
      within(END, `stopping ${what}`, end).catch(error => failures.push(error))
    await ended('the gateways', this.gateways.stop())
    await ended('the lab', this.lab.stop())
    const { inbox } = this.#surroundings
    if (inbox) await ended('the mailbox', inbox.stop())
    if (failures.length > 0)
      throw new AggregateError(failures, failures.map(({ message }) => message).join('; '))
  }
}
