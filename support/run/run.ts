import { setTimeout as pause } from 'node:timers/promises'
import { type Catalogue, loadCatalogue, type Requirement } from '../catalogue/catalogue.ts'
import { type FeatureRule, loadFeatures, placeOf } from '../catalogue/features.ts'
import { within } from '../engine/failure.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { Gateways } from '../gateway/pool.ts'
import type { GatewaySource } from '../gateway/source.ts'
import type { GatewayFailure } from '../gateway-failure.ts'
import type { Lab } from '../lab/lab.ts'
import type { Mailbox } from '../lab/mailbox/mailbox.ts'
import type { Partner } from '../lab/partner/partner.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import type { Pki } from '../pki/pki.ts'
import { Submission } from '../traffic/submission.ts'
import { applicableDeviations, type Deviation, recordedDeviation } from '../verdicts/deviations.ts'
import { broken, type Observation } from '../verdicts/observation.ts'
import type { RecordedVerdict } from '../verdicts/record.ts'
import { ENDED_BY_ITSELF, judge } from '../verdicts/verdict.ts'
import type { Conversation } from '../wire/conversation.ts'
import { until } from '../wire/until.ts'
import type { PlannedExample, RuleExample } from './example.ts'
import { mustKeepContract } from './preflight.ts'
import { type Surroundings, surroundings, surroundingsOnPaper } from './surroundings.ts'
import { Turns } from './turns.ts'

/** What a run tells while it goes; see `support/cli/progress.ts`. */
export interface RunListener {
  /** Something before the first example that takes time. */
  doing?(what: string): void
  /** Something that went otherwise than one would expect, in a sentence. */
  noted?(what: string): void
  began(example: { key: string; requirement: string; title: string }): void
  judged(key: string, verdict: RecordedVerdict): void
}

export interface RunOptions {
  source: GatewaySource
  deviations?: readonly Deviation[]
  listener?: RunListener
  /** Certificates that were made already: keys cost time, and several runs may share them. */
  pki?: Pki
  /** In place of AFTERMATH; less for gateways of our own. */
  aftermath?: number
  /** Aborted before the run has started, it stops what has, and does not start. */
  signal?: AbortSignal
}

/** Read once in a process, however many runs it has. */
let rules: FeatureRule[] | undefined

/** How long after a message was held back, or had arrived, it is listened for still, in ms. */
const AFTERMATH = 1_000
/** How long what has begun by then may take to end, in ms. */
const REST = 5_000

/** How long stopping its gateways may take, and its lab, in ms: longer than the engine has for all containers. */
const END = 90_000

/** So long after an example its gateway may still end because of it, in ms. */
const DELAY = 2_000

/** What became of messages after their example was over. */
export interface Late {
  partners: readonly Partner[]
  /** Between servers: whether something went over TLS that has not come out at the inbox behind. */
  underWay?: { holds: () => boolean; inbox: Partner }
  /** Nothing when it is as it was. */
  observed: () => Observation | undefined
  /** All conversations of the example by then. */
  evidence?: () => Conversation[]
  /**
   * Others wait for what the example had to itself: they get it as soon as the aftermath is over, and no sooner, for
   * what comes late would be taken for theirs. Without it, one look at the end of the run does.
   */
  over?: () => Promise<void>
}

interface Held {
  located: RuleExample
  verdict: RecordedVerdict
  late: Late
}

/** What else is to be known of an example than its verdict. */
export interface Circumstances {
  /** The gateways under test that it had to do with. */
  tested: readonly Gateway[]
  /** And the second server. */
  all: readonly Gateway[]
  /** What became afterwards of messages that were held back or had arrived when the example ended. */
  late?: Late | undefined
}

/** An example and its gateways, up to a time on the clock of `performance`. */
interface Stay {
  located: RuleExample
  verdict: RecordedVerdict
  tested: readonly Gateway[]
  all: readonly Gateway[]
  ended: number
}

/** The end of a gateway that nobody asked for, and the places of what it may have ended of. */
export interface End {
  why: GatewayFailure
  rules: ReadonlySet<string>
  scenarios: ReadonlySet<string>
}

/** One lab, one gateway and all verdicts: what every scenario of a run shares. */
export class Run {
  readonly catalogue: Catalogue = loadCatalogue()
  readonly pki: Pki
  readonly lab: Lab
  readonly flow: MailFlow
  readonly gateways: Gateways
  /** Absent where nobody can look into one. */
  readonly mailbox: Mailbox | undefined
  readonly verdicts: RecordedVerdict[] = []
  readonly listener: RunListener | undefined
  /** Once known, only those that are meant for this version. */
  deviations: readonly Deviation[]
  /** Set in a dry run: nothing is connected to, and this is what would be judged and what not. */
  plan: PlannedExample[] | undefined
  /** By domain of the gateways: whoever leads its mail through a tap has it alone. */
  readonly paths = new Turns()
  readonly #examples = new Map<string, RuleExample>()
  readonly #controls = new Map<FeatureRule, boolean>()
  readonly #submissions = new Map<Gateway, Submission>()
  /** Each example has gateways of its own, with nothing beside it; see `judgeAll`. */
  alone = false
  readonly #stays: Stay[] = []
  readonly #aftermath: number
  #held: Held[] = []
  #lastHeld = 0
  /** At those with others behind them. */
  #looks: Promise<void>[] = []
  #stopped: Promise<void> | undefined

  private constructor(options: RunOptions, { lab, flow, mailbox, network }: Surroundings) {
    this.lab = lab
    this.pki = lab.pki
    this.flow = flow
    this.mailbox = mailbox
    this.listener = options.listener
    this.deviations = options.deviations ?? []
    this.#aftermath = options.aftermath ?? AFTERMATH
    this.gateways = new Gateways(options.source, flow, lab.pki, {
      ...(network ? { network } : {}),
      ended: ({ message }) => {
        if (!this.alone) this.listener?.noted?.(`The gateway is gone, and another one is started: ${message}`)
      },
      ...(lab.resolverOf ? { resolverOf: domain => lab.resolverOf!(domain) } : {}),
    })
    rules ??= loadFeatures(this.catalogue)
    for (const rule of rules)
      for (const { line, name, control } of rule.examples)
        this.#examples.set(`${rule.uri}:${line}`, { rule, title: name, control })
  }

  /** Starts the lab and the gateway as it is. Throws GatewayFailure, and InputError for a gateway file. */
  static async start(options: RunOptions): Promise<Run> {
    const { source, pki, listener, signal } = options
    const doing = (what: string) => listener?.doing?.(what)
    const run = new Run(options, await surroundings(source, pki, { doing, ...(signal ? { signal } : {}) }))
    try {
      signal?.throwIfAborted()
      const { name, version } = await run.gateways.with()
      signal?.throwIfAborted()
      run.deviations = applicableDeviations(run.deviations, { name, version })
      return run
    } catch (error) {
      await run.stop().catch(({ message }) => listener?.noted?.(message))
      throw error
    }
  }

  /**
   * Of a gateway that the suite has set up: throws GatewayFailure unless it and its adapter do what every judgement
   * builds on. What an external one does not do may be as its administrator wants it.
   */
  async mustWork(): Promise<void> {
    const gateway = await this.gateways.with()
    const { lab, mailbox } = this
    if (gateway.kind === 'external' || !mailbox) return
    const { login = false } = this.gateways.source
    await mustKeepContract({ gateway, lab, mailbox, login, submission: this.submission(gateway) })
  }

  /** For a dry run: nothing is connected to, and `plan` fills up with what would be judged. */
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

  submission(gateway: Gateway): Submission {
    let submission = this.#submissions.get(gateway)
    if (!submission) {
      const user = this.gateways.userOf(gateway)
      submission = new Submission(gateway.submission, gateway.flow.hostname, user)
      this.#submissions.set(gateway, submission)
    }
    return submission
  }

  /** What the requirement makes of an observation in an example. */
  judge({ rule, control }: RuleExample, observation: Observation, level?: Requirement['level']) {
    const requirement = this.catalogue.get(rule.requirement)
    const deviation = recordedDeviation(this.deviations, { ...observation, requirement: requirement.id })
    const controlHeld = this.#controls.get(rule)
    return judge({
      level: level ?? requirement.level,
      control,
      observation,
      ...(deviation ? { deviation } : {}),
      ...(controlHeld === undefined ? {} : { controlHeld }),
    })
  }

  record(
    key: string,
    located: RuleExample,
    verdict: RecordedVerdict,
    { tested, all, late }: Circumstances,
  ): void {
    const { rule, control } = located
    if (control) this.#controls.set(rule, verdict.verdict === 'conformant')
    this.verdicts.push(verdict)
    this.#stays.push({
      located,
      verdict,
      tested,
      all,
      ended: performance.now(),
    })
    this.listener?.judged(key, verdict)
    if (!late || verdict.verdict !== 'conformant') return
    const held = { located, verdict, late }
    if (late.over) this.#looks.push(this.#lookAlone(held, late.over))
    else this.#held.push(held)
    this.#lastHeld = performance.now()
  }

  async #lookAlone(held: Held, over: () => Promise<void>): Promise<void> {
    try {
      await pause(this.#aftermath)
      await this.#lookAt([held])
    } finally {
      await over().catch((error: Error) =>
        Object.assign(held.verdict, { verdict: 'lab-error', detail: error.message }),
      )
    }
  }

  /**
   * Each gateway that ended by itself so far, with the examples that were under way with it or had ended just before; if
   * there are none, with the last that it served. Which of them it ended of cannot be seen.
   */
  ends(): End[] {
    return this.gateways.ends.map(({ gateway, why, at }) => {
      const served = this.#stays.filter(({ all }) => all.includes(gateway))
      const recent = served.filter(({ ended }) => ended >= at - DELAY)
      const stays = recent.length > 0 ? recent : served.slice(-1)
      return {
        why,
        rules: new Set(stays.map(({ located }) => placeOf(located.rule))),
        scenarios: new Set(stays.map(({ verdict }) => verdict.scenario)),
      }
    })
  }

  /**
   * Of a Rule whose examples had gateways of their own: waits for ends that come late, and breaks each example whose
   * gateway has ended, whatever the level of its requirement: nobody may bring a mail server down. Returns whether any did.
   */
  async blame(rule: FeatureRule): Promise<boolean> {
    const stays = this.#stays.filter(
      ({ located, tested }) =>
        placeOf(located.rule) === placeOf(rule) && tested.some(gateway => this.gateways.isOwn(gateway)),
    )
    const tested = stays.flatMap(stay => stay.tested)
    await until(() => tested.every(({ end }) => end), tested, DELAY)
    const ended = stays.filter(stay => stay.tested.some(({ end }) => end))
    for (const { located, verdict, tested } of ended) {
      const gateway = tested.find(({ end }) => end)!
      const detail = `${gateway.end!.message} (twice, the second time with this example alone)`
      Object.assign(verdict, this.judge(located, broken(detail, ENDED_BY_ITSELF), 'must'))
      verdict.seen.notes.push(...gateway.log(''))
      this.listener?.judged('', verdict)
    }
    return ended.length > 0
  }

  /** Once all examples are done: nothing must have gone out since that should not. Changes verdicts in place. */
  async settle(aftermath = this.#aftermath): Promise<void> {
    const looks = this.#looks
    this.#looks = []
    await Promise.all(looks)
    if (this.#held.length === 0) return
    const rest = this.#lastHeld + aftermath - performance.now()
    if (rest > 0) await pause(rest)
    const held = this.#held
    this.#held = []
    await this.#lookAt(held)
  }

  async #lookAt(held: readonly Held[]): Promise<void> {
    const partners = held.flatMap(({ late }) => late.partners)
    const underWay = held.flatMap(({ late }) => late.underWay ?? [])
    const over = () =>
      partners.every(({ conversations }) => conversations.every(({ closed }) => closed)) &&
      !underWay.some(({ holds }) => holds())
    await until(over, [...partners, ...underWay.map(({ inbox }) => inbox)], REST)
    for (const { located, verdict, late } of held) {
      const observation = late.observed()
      if (!observation) continue
      Object.assign(verdict, this.judge(located, observation))
      if (late.evidence) verdict.seen.conversations = late.evidence()
    }
  }

  /**
   * Whoever comes second, such as an interrupt or a report that could not be written, awaits the same end. Rejects
   * where something may be left, once all has been tried.
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
    if (failures.length > 0)
      throw new AggregateError(failures, failures.map(({ message }) => message).join('; '))
  }
}
