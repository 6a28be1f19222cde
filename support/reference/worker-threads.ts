import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

/** Threads that do tasks, one for each core. A thread does several tasks side by side. */
export class Crew<Task, Answer> {
  readonly #threads: { worker: Worker; busy: number }[]
  readonly #waiting = new Map<number, { done: (answer: Answer) => void; failed: (error: Error) => void }>()
  #last = 0

  /** `file` answers each message `{ id, task }` with `{ id, answer }` or `{ id, error }`. */
  constructor(file: URL, workerData: unknown) {
    this.#threads = Array.from({ length: availableParallelism() }, () => {
      const worker = new Worker(file, { workerData })
      // Each run listens on it, and many go on side by side.
      worker.setMaxListeners(0)
      worker.on('message', ({ id, answer, error }: { id: number; answer: Answer; error?: Error }) => {
        const { done, failed } = this.#waiting.get(id)!
        this.#waiting.delete(id)
        if (error) failed(error)
        else done(answer)
      })
      worker.on('error', error => {
        for (const { failed } of this.#waiting.values()) failed(error as Error)
      })
      return { worker, busy: 0 }
    })
  }

  /** Gives a task to the thread that has the fewest. Throws what the thread throws. */
  async does(task: Task): Promise<Answer> {
    const thread = this.#threads.reduce((best, one) => (one.busy < best.busy ? one : best))
    const id = ++this.#last
    thread.busy++
    try {
      return await new Promise<Answer>((done, failed) => {
        this.#waiting.set(id, { done, failed })
        thread.worker.postMessage({ id, task })
      })
    } finally {
      thread.busy--
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()))
  }
}
