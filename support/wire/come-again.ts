import { setTimeout as pause } from 'node:timers/promises'
import { MAX_WAIT } from './patience.ts'
import type { Endpoint } from './smtp/smtp.ts'

/**
 * How long a client that a server has refused for now waits before each further try, in ms. A server that wants to see
 * it no earlier than in some minutes is not waited for.
 */
const PAUSES = [0.01, 0.02, 0.05, 0.1, 0.2].map(share => share * MAX_WAIT)
/** A server to which clients came again in vain so often is not waited for any longer than the first pause. */
const ENOUGH = 5

/** How often in a row clients came again in vain, by server. */
const inVain = new Map<string, number>()

/**
 * Tries, and tries again as long as the server refuses for now, within a bound. Gives the outcomes of all tries; the last
 * one counts.
 */
export async function comeAgain<T>(
  { host, port }: Endpoint,
  attempt: () => Promise<T>,
  isRefusedForNow: (outcome: T) => boolean,
): Promise<{ last: T; earlier: T[] }> {
  const server = `${host} ${port}`
  const earlier: T[] = []
  let last = await attempt()
  for (const wait of PAUSES.slice(0, (inVain.get(server) ?? 0) < ENOUGH ? undefined : 1)) {
    if (!isRefusedForNow(last)) break
    await pause(wait)
    earlier.push(last)
    last = await attempt()
  }
  if (isRefusedForNow(last)) inVain.set(server, (inVain.get(server) ?? 0) + 1)
  else if (earlier.length > 0) inVain.delete(server)
  return { last, earlier }
}
