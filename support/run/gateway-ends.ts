import { type FeatureRule, placeOf } from '../catalogue/features.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Gateways } from '../gateway/pool.ts'
import type { GatewayFailure } from '../gateway-failure.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { until } from '../wire/until.ts'
import type { RuleExample } from './example.ts'
import type { VerdictRecord } from './verdict-record.ts'

/** So long after an example its gateway may still end because of it, in ms. */
const DELAY = 2_000

/** The servers that an example had to do with. */
export interface Servers {
  /** Gateways under test. */
  tested: readonly Gateway[]
  /** Gateways under test, and the second server. */
  all: readonly Gateway[]
}

/** An example that is over, with its servers. */
interface Served extends Servers {
  example: RuleExample
  verdict: RecordedVerdict
  /** When the example was over, on the clock of `performance`. */
  at: number
}

/**
 * The end of a gateway that nobody asked to end, with the places of the examples that may be the reason, and of their
 * Rules.
 */
export interface SuspiciousEnd {
  why: GatewayFailure
  rules: ReadonlySet<string>
  scenarios: ReadonlySet<string>
}

/** Finds the examples because of which a gateway ended by itself. */
export class Ends {
  readonly #gateways: Gateways
  readonly #record: VerdictRecord
  readonly #served: Served[] = []

  constructor(gateways: Gateways, record: VerdictRecord) {
    this.#gateways = gateways
    this.#record = record
  }

  /** An example is over. */
  note(example: RuleExample, verdict: RecordedVerdict, { tested, all }: Servers): void {
    this.#served.push({ example, verdict, tested, all, at: performance.now() })
  }

  /**
   * Each gateway that ended by itself so far, with the examples that were under way with it or over just before; if
   * there are none, with the last example that it served. Which of them it ended because of cannot be seen.
   */
  suspicious(): SuspiciousEnd[] {
    return this.#gateways.ends.map(({ gateway, why, at }) => {
      const served = this.#served.filter(({ all }) => all.includes(gateway))
      const recent = served.filter(one => one.at >= at - DELAY)
      const suspects = recent.length > 0 ? recent : served.slice(-1)
      return {
        why,
        rules: new Set(suspects.map(({ example }) => placeOf(example.rule))),
        scenarios: new Set(suspects.map(({ verdict }) => verdict.scenario)),
      }
    })
  }

  /**
   * Of a Rule whose examples had gateways of their own: waits for ends that come late, and breaks each example whose
   * gateway has ended, whatever the level of its requirement: no example may bring a mail server down. Returns
   * whether any did.
   */
  async blame(rule: FeatureRule): Promise<boolean> {
    const alone = this.#served.filter(
      ({ example, tested }) =>
        placeOf(example.rule) === placeOf(rule) && tested.some(gateway => this.#gateways.isOwn(gateway)),
    )
    const tested = alone.flatMap(one => one.tested)
    await until(() => tested.every(({ end }) => end), tested, DELAY)
    const guilty = alone.filter(one => one.tested.some(({ end }) => end))
    for (const { example, verdict, tested } of guilty) {
      const gateway = tested.find(({ end }) => end)!
      const detail = `${gateway.end!.message} (twice, the second time with this example alone)`
      verdict.seen.notes.push(...gateway.log(''))
      this.#record.blame(verdict, example, detail)
    }
    return guilty.length > 0
  }

  /** Stops the gateways that its examples had alone. */
  async stopOwn(): Promise<void> {
    const own = new Set(this.#served.flatMap(({ tested }) => tested))
    await Promise.all(
      [...own].map(gateway => this.#gateways.isOwn(gateway) && this.#gateways.giveBack(gateway)),
    )
  }
}
