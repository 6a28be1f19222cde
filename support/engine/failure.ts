import { GatewayFailure } from '../gateway-failure.ts'
import { printable } from '../wire/printable.ts'

/** The container engine or a container failed, so the run can say nothing about a gateway. */
export class ContainerFailure extends GatewayFailure {
  override name = 'ContainerFailure'
}

/** Longest wait for one quick answer of the engine, in ms. */
export const ANSWER = 20_000

/** Longest quote from the engine or a container in a message of the suite, in characters. */
const MAX_WORDS = 2_000

/** The last `max` lines that are not empty, made printable and cut to a length, on one line. */
export function lastWords(lines: readonly string[], max = 12): string {
  const last = lines.filter(line => line.trim()).slice(-max)
  return last.length > 0 ? printable(last.join(' | '), MAX_WORDS) : 'it said nothing'
}

/** Rejects with a ContainerFailure when `work` takes longer than `limit` ms. Nothing waits for `work` after that. */
export async function within<T>(limit: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ContainerFailure(`${what} took longer than ${limit / 1000} s`)),
      limit,
    )
  })
  work.catch(() => {})
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The error as a ContainerFailure; `what` says what the engine was doing. */
export function failure(what: string, error: unknown): ContainerFailure {
  return error instanceof ContainerFailure
    ? error
    : new ContainerFailure(`the container engine failed at ${what}: ${(error as Error).message}`)
}
