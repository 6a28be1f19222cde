import { AsyncLocalStorage } from 'node:async_hooks'
import type { Run } from './run.ts'

let current: Run | undefined
const side = new AsyncLocalStorage<Run>()

/** Sets the run of all steps in this process. */
export function useRun(run: Run | undefined): void {
  current = run
}

/** Sets the run of the steps that `work` runs. Several runs can go on side by side. */
export function withRun<T>(run: Run, work: () => Promise<T>): Promise<T> {
  return side.run(run, work)
}

/** The run of the steps that ask. */
export function currentRun(): Run | undefined {
  return side.getStore() ?? current
}
