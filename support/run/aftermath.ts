import { setTimeout as pause } from 'node:timers/promises'
import type { Partner } from '../lab/partner/partner.ts'
import type { Observation } from '../verdicts/observation.ts'
import type { RecordedVerdict } from '../verdicts/record.ts'
import type { Conversation } from '../wire/conversation.ts'
import { until } from '../wire/until.ts'
import type { RuleExample } from './example.ts'
import type { VerdictRecord } from './record.ts'

/** How long after its example a message is watched that was held back or had arrived, in ms. */
const WATCHED = 1_000
/** How long a connection that has begun by then may take to end, in ms. */
const REST = 5_000

/** Messages of an example that stood as they should when it concluded, and what may become of them afterwards. */
export interface LateMail {
  /** At which more may arrive. */
  partners: readonly Partner[]
  /** Between two servers: whether something crossed over TLS that has not arrived at the inbox behind the tap. */
  underWay?: { holds: () => boolean; inbox: Partner }
  /** What is wrong by now, or nothing. */
  observed: () => Observation | undefined
  /** All conversations of the example by now. */
  evidence?: () => Conversation[]
  /**
   * Gives back what the example had to itself, and other examples wait for: not before the messages are watched no more,
   * because what comes late would be taken for theirs. Without it, one look at the end of the run is enough.
   */
  giveBack?: () => Promise<void>
}

interface Watched {
  example: RuleExample
  verdict: RecordedVerdict
  mail: LateMail
}

/** Watches messages after their example, and judges the example again where something came late. */
export class Aftermath {
  readonly #record: VerdictRecord
  readonly #watched: number
  #open: Watched[] = []
  #lastAdded = 0
  /** Of those that other examples wait for. */
  #looks: Promise<void>[] = []

  /** `watched`: how long, in ms. */
  constructor(record: VerdictRecord, watched = WATCHED) {
    this.#record = record
    this.#watched = watched
  }

  watch(example: RuleExample, verdict: RecordedVerdict, mail: LateMail): void {
    const one = { example, verdict, mail }
    if (mail.giveBack) this.#looks.push(this.#lookAtOnce(one, mail.giveBack))
    else this.#open.push(one)
    this.#lastAdded = performance.now()
  }

  async #lookAtOnce(one: Watched, giveBack: () => Promise<void>): Promise<void> {
    try {
      await pause(this.#watched)
      await this.#look([one])
    } finally {
      await giveBack().catch(({ message }: Error) =>
        this.#record.change(one.verdict, { verdict: 'lab-error', detail: message }),
      )
    }
  }

  /** Once all examples are over: waits until every message was watched long enough, `watched` ms by default. */
  async settle(watched = this.#watched): Promise<void> {
    const looks = this.#looks
    this.#looks = []
    await Promise.all(looks)
    if (this.#open.length > 0) {
      const rest = this.#lastAdded + watched - performance.now()
      if (rest > 0) await pause(rest)
      const open = this.#open
      this.#open = []
      await this.#look(open)
    }
    this.#record.recheckRefusals()
  }

  async #look(all: readonly Watched[]): Promise<void> {
    const partners = all.flatMap(({ mail }) => mail.partners)
    const underWay = all.flatMap(({ mail }) => mail.underWay ?? [])
    const isQuiet = () =>
      partners.every(({ conversations }) => conversations.every(({ closed }) => closed)) &&
      !underWay.some(({ holds }) => holds())
    await until(isQuiet, [...partners, ...underWay.map(({ inbox }) => inbox)], REST)
    for (const { example, verdict, mail } of all) {
      const observation = mail.observed()
      if (!observation) continue
      this.#record.change(verdict, this.#record.judge(example, observation))
      if (mail.evidence) verdict.seen.conversations = mail.evidence()
    }
  }
}
