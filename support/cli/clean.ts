import { NoEngine } from '../engine/connection.ts'
import { Engine } from '../engine/engine.ts'
import { type Leftover, leftovers, remove } from '../leftovers.ts'
import { age } from '../quantities.ts'
import { visibleLine } from '../report/visible.ts'
import { complain } from './complain.ts'

/** Longest wait for the first answer of a container engine, in ms. */
export const ENGINE_LIMIT = 5_000

/** `folder /tmp/mail-tls-…, 3 h old` */
export const leftoverText = ({ kind, name, since }: Leftover): string =>
  visibleLine(`${kind} ${name}, ${age(Date.now() - since)} old`)

/**
 * Removes what killed runs left: containers, networks and volumes on the engine, processes and temporary folders of this
 * user. Leaves alone what belongs to a run that goes on, and whatever no run has made. Returns the exit status: 2 where
 * something is still there or the engine could not be asked.
 */
export async function clean(): Promise<0 | 2> {
  let status: 0 | 2 = 0
  let engine: Engine | undefined
  try {
    engine = await Engine.connect(undefined, undefined, ENGINE_LIMIT)
  } catch (error) {
    if (!(error instanceof NoEngine)) throw error
    // Where no engine runs, no container can be left.
    if (error.obstacle !== 'nothing listens') status = 2
    complain(`${error.found}; containers were not looked for`)
  }
  const onEngine = (await engine?.leftovers()) ?? []
  const cleared = (await engine?.sweep()) ?? []
  const onMachine = leftovers()
  const removed = [...onEngine.filter(({ run }) => cleared.includes(run)), ...onMachine.filter(remove)]
  for (const left of removed) process.stdout.write(`removed ${leftoverText(left)}\n`)
  const kept = [...onEngine, ...onMachine].filter(left => !removed.includes(left))
  for (const left of kept) complain(`cannot remove ${leftoverText(left)}`)
  if (removed.length + kept.length === 0) process.stdout.write('Nothing is left of killed runs.\n')
  return kept.length > 0 ? 2 : status
}
