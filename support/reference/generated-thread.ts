import { parentPort, workerData } from 'node:worker_threads'
import type { Answer, Task } from './generated.ts'
import { type DrawOptions, Workshop } from './try-generated-defect.ts'

const workshop = new Workshop(workerData as DrawOptions)

function does(task: Task): Promise<Answer> {
  return 'clean' in task ? workshop.clean(task.clean) : workshop.trial(workshop.draw(task.trial))
}

parentPort!.on('message', async ({ id, task }: { id: number; task: Task }) => {
  try {
    parentPort!.postMessage({ id, answer: await does(task) })
  } catch (error) {
    parentPort!.postMessage({ id, error })
  }
})
