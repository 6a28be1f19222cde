import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'

/** The end of a gateway may become known so long after an example has failed because of it, in ms. */
const LATER = 500

/** Tells of a verdict; `held`: it is not known yet whether the gateway or its end is to blame. */
export type Tell = (key: string, verdict: RecordedVerdict, held: boolean) => void

/**
 * Tells of the verdicts of a run while it goes on. What an example found whose gateway ended by itself is held: the
 * example is judged again.
 */
export class Telling {
  readonly #tell: Tell
  readonly #waiting = new Map<NodeJS.Timeout, () => void>()

  constructor(tell: Tell) {
    this.#tell = tell
  }

  /** `ended`: whether the example is judged again because a gateway has ended, as far as is known now. */
  judged(key: string, verdict: RecordedVerdict, ended: () => boolean): void {
    const now = () => this.#tell(key, verdict, ended())
    const isFine = verdict.verdict === 'conformant' || verdict.verdict === 'inapplicable'
    if (isFine || ended()) {
      now()
      return
    }
    const timer = setTimeout(() => this.#over(timer), LATER)
    timer.unref()
    this.#waiting.set(timer, now)
  }

  /** Tells of everything that still waits, once all ends of gateways are known. */
  flush(): void {
    for (const timer of this.#waiting.keys()) this.#over(timer)
  }

  #over(timer: NodeJS.Timeout): void {
    clearTimeout(timer)
    const now = this.#waiting.get(timer)
    this.#waiting.delete(timer)
    now?.()
  }
}
