/** Locks by name: each has one holder at a time, in the order of asking. */
export class Locks {
  readonly #last = new Map<string, Promise<void>>()

  /** Waits for the lock with a name. The function that it resolves with releases the lock. */
  async take(name: string): Promise<() => void> {
    const before = this.#last.get(name)
    let release = () => {}
    this.#last.set(
      name,
      new Promise(resolve => {
        release = resolve
      }),
    )
    await before
    return release
  }
}
