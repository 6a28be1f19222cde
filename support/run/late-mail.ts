import { setTimeout as pause } from 'node:timers/promises'
import type { Sent } from '../evidence/sent.ts'
import { isStillUnderWay, wasSentAgain, wasSentLater } from '../judgements/outbound.ts'
import type { Partner } from '../lab/partner/partner.ts'
import { levelFor, type MailFlow } from '../mailflow/mail-flow.ts'
import type { WatchedMessage } from '../traffic/sending.ts'
import { broken, type Observation } from '../verdicts/observation.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import type { Conversation } from '../wire/conversation.ts'
import { until } from '../wire/until.ts'
import type { RuleExample } from './example.ts'
import type { VerdictRecord } from './verdict-record.ts'

/** How long after its example a message is watched that was held back or had arrived, in ms. */
const WATCHED = 1_000
/** How long a connection that is still open when the watch ends may take to close, in ms. */
const REST = 5_000

/** A message as it stood before its example concluded. */
interface Standing {
  watched: WatchedMessage
  before: Sent
  /**
   * Mail for the partner goes in the clear where TLS is not offered, and the next partner at its address may not
   * offer it.
   */
  mayGoInClear: boolean
}

/**
 * The messages of one example that stood as they should before the example concluded. What comes afterwards is late.
 */
export class StandingMessages {
  readonly #heldBack: Standing[] = []
  readonly #arrived: Standing[] = []

  /**
   * Looks at messages before any judgement does. `flow` is what the gateway was told that sends them; `external`,
   * where the suite did not start it, because its partners take turns at one address.
   */
  note(
    messages: readonly WatchedMessage[],
    { outbound }: MailFlow,
    { external }: { external: boolean },
  ): void {
    for (const watched of messages.flatMap(one => [one, ...one.copies])) {
      const level = levelFor(outbound, watched.partner.domain)
      const before = watched.seen()
      const [first, ...more] = before.arrivals
      const standing = { watched, before, mayGoInClear: level === 'opportunistic' && external }
      if (!first && level !== 'opportunistic') this.#heldBack.push(standing)
      if (first?.secured && more.length === 0) this.#arrived.push(standing)
    }
  }

  /**
   * What the aftermath watches, or nothing where no message can come late. `inbox`: behind the tap, where the partner
   * is a second server. `between`: the names of both servers, in front of what is seen.
   */
  late(example: {
    inbox?: Partner | undefined
    between: string
    evidence: () => Conversation[]
    giveBack?: (() => Promise<void>) | undefined
  }): LateMail | undefined {
    const all = [...this.#heldBack, ...this.#arrived]
    if (all.length === 0) return undefined
    const now = (messages: readonly Standing[]) =>
      messages.map(one => ({ ...one, after: one.watched.seen() }))
    const { inbox, between, evidence, giveBack } = example
    return {
      partners: all.map(({ watched }) => watched.partner),
      ...(inbox ? { underWay: { inbox, holds: () => now(all).some(isStillUnderWay) } } : {}),
      observed: () => {
        const wrong = wasSentLater(now(this.#heldBack)) ?? wasSentAgain(now(this.#arrived))
        if (wrong?.kind !== 'broken') return wrong
        const { detail, symptom = detail } = wrong
        return broken(`${between}${detail}`, symptom)
      },
      evidence,
      ...(giveBack ? { giveBack } : {}),
    }
  }
}

/** What the aftermath watches of an example that is over. */
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
   * Gives back what the example had to itself, and other examples wait for: not before the messages are watched no
   * more, because what comes late would be taken for theirs. Without it, one look at the end of the run is enough.
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
  /** Of those that were looked at when the examples were over. */
  #seen: Watched[] = []
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
      this.#seen.push(...open)
      await this.#look(open)
    }
    this.#record.recheckRefusals()
  }

  /** Looks once more at what has become of the messages of `settle`, where the run went on for a while. */
  async lookAgain(): Promise<void> {
    await this.#look(this.#seen.filter(({ verdict }) => verdict.verdict === 'conformant'))
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
