import { cpus } from 'node:os'
import type { CircumstancesSummary } from '../verdicts/circumstances.ts'

/** Measures how long something takes, and how many cores are busy meanwhile. It begins when it is made. */
export class Meter {
  readonly #clock = performance.now()
  readonly #own = process.cpuUsage()
  readonly #all = busy()

  /** Milliseconds; cores, of which two decimals count. */
  read(): Pick<CircumstancesSummary, 'durationMs' | 'cpu'> {
    const ms = performance.now() - this.#clock
    const { user, system } = process.cpuUsage(this.#own)
    const cores = (spent: number) => Math.round((spent / ms) * 100) / 100
    const cpu = {
      suite: cores((user + system) / 1000),
      machine: cores(busy() - this.#all),
      cores: cpus().length,
    }
    return { durationMs: Math.round(ms), cpu }
  }
}

/** What all cores together have computed since the machine started, in ms. */
const busy = (): number =>
  cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
