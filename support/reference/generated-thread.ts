import { parentPort, workerData } from 'node:worker_threads'
import { type DrawOptions, type Task, Workshop } from './generated.ts'

const workshop = new Workshop(workerData as DrawOptions)

parentPort!.on('message', async ({ id, task }: { id: number; task: Task }) => {
  try {
    const answer =
      'trial' in task ? await workshop.trial(workshop.draw(task.trial)) : await workshop.clean(task.clean)
    parentPort!.postMessage({ id, answer })
  } catch (error) {
    parentPort!.postMessage({ id, error })
  }
})
