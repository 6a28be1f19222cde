/** Who waits until the gateway has a set of changes. */
interface Waiting {
  readonly key: string
  readonly go: () => void
  readonly fail: (why: unknown) => void
}

/**
 * A gateway that the suite did not start has one set of changes at a time. Examples with the same set have it side by side;
 * another set has its turn when no example has the gateway any more.
 */
export class Turns {
  readonly #change: (key: string) => Promise<void>
  #key: string
  #holders = 0
  #changing = false
  #waiting: Waiting[] = []
  /** Sets that the gateway could not be given: it is not asked again for them. */
  readonly #failures = new Map<string, unknown>()

  /** `change` gives the gateway the set of changes with a key; it has that with the key `first` already. */
  constructor(change: (key: string) => Promise<void>, first: string) {
    this.#change = change
    this.#key = first
  }

  /** Waits for a turn. The function that it resolves with ends the turn. Throws what `change` throws. */
  async take(key: string): Promise<() => void> {
    await new Promise<void>((go, fail) => {
      this.#waiting.push({ key, go, fail })
      this.#next()
    })
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.#holders--
      this.#next()
    }
  }

  /** Lets in who waits for the set that the gateway has. With nobody there, it gets the set for which most wait. */
  #next(): void {
    if (this.#changing) return
    this.#letIn()
    if (this.#waiting.length === 0 || this.#holders > 0) return
    this.#changing = true
    const waiting = Map.groupBy(this.#waiting, ({ key }) => key)
    const [wanted] = [...waiting].reduce((most, one) => (one[1].length > most[1].length ? one : most))
    void this.#changed(wanted).then(() => {
      this.#changing = false
      this.#next()
    })
  }

  #letIn(): void {
    for (const { go } of this.#taken(this.#key)) {
      this.#holders++
      go()
    }
  }

  async #changed(key: string): Promise<void> {
    try {
      if (this.#failures.has(key)) throw this.#failures.get(key)
      await this.#change(key)
      this.#key = key
    } catch (error) {
      this.#failures.set(key, error)
      // What the gateway has now is not known, and no set has this key.
      this.#key = '?'
      for (const { fail } of this.#taken(key)) fail(error)
    }
  }

  /** Takes those who wait for a set out of the queue. */
  #taken(key: string): Waiting[] {
    const { [1]: own = [], [0]: others = [] } = Object.groupBy(this.#waiting, one => Number(one.key === key))
    this.#waiting = others
    return own
  }
}
