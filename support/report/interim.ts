import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** How often a run says what it has judged so far, in ms. */
const EVERY = 60_000

/**
 * A verdicts.json of what a run has judged so far, for whoever ends the run by force, as a CI service does when the time of a
 * job is over. The report takes its place at the end. An older report is left alone.
 */
export class Interim {
  readonly #timer: NodeJS.Timeout
  #writing = Promise.resolve()
  #begun = false

  /** `text`: the document as it is now; nothing where nothing was judged yet. `every`: in ms. */
  constructor(dir: string, text: () => string | undefined, every = EVERY) {
    this.#timer = setInterval(() => {
      // What cannot be written now is said at the end.
      this.#writing = this.#writing.then(() => this.#write(dir, text())).catch(() => {})
    }, every).unref()
  }

  /** Nothing is written after this. */
  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#writing
  }

  async #write(dir: string, text: string | undefined): Promise<void> {
    if (text === undefined) return
    await mkdir(dir, { recursive: true })
    if (!this.#begun && (await readdir(dir)).length > 0) return
    this.#begun = true
    const file = join(dir, 'verdicts.json')
    await writeFile(`${file}.new`, text)
    await rename(`${file}.new`, file)
  }
}
