/** Something that one has at a time, in the order of asking. */
export class Turns {
  #last: Promise<void> = Promise.resolve()

  /** Resolves once nobody has it any more; whoever calls the returned function gives it back. */
  async take(): Promise<() => void> {
    const before = this.#last
    let free = () => {}
    this.#last = new Promise(resolve => {
      free = resolve
    })
    await before
    return free
  }
}
