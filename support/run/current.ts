import { AsyncLocalStorage } from 'node:async_hooks'
import type { Run } from './run.ts'

let current: Run | undefined
const side = new AsyncLocalStorage<Run>()

/** The run that the steps of this process belong to. */
export function useRun(run: Run | undefined): void {
  current = run
}

/** The run for the steps that `work` runs: several can go side by side. */
export function withRun<T>(run: Run, work: () => Promise<T>): Promise<T> {
  return side.run(run, work)
}

export function currentRun(): Run | undefined {
  return side.getStore() ?? current
}
