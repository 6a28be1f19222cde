/** Things that one has at a time, by their names and in the order of asking. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  /** Resolves once nobody has it any more; whoever calls the returned function gives it back. */
  async take(name: string): Promise<() => void> {
    const before = this.#last.get(name)
    let free = () => {}
    this.#last.set(
      name,
      new Promise(resolve => {
        free = resolve
      }),
    )
    await before
    return free
  }
}
