import { GatewayFailure } from '../gateway-failure.ts'
import { printable } from '../wire/printable.ts'

/** The container engine, or something in a container, did not do its part: the run can say nothing about a gateway. */
export class ContainerFailure extends GatewayFailure {
  override name = 'ContainerFailure'
}

/** How long the engine may take for one of its quick answers, in ms. */
export const ANSWER = 20_000

/** Longest part of an engine's or a container's own words in a message of ours. */
const MAX_WORDS = 2_000

/** The last of what somebody said, printable, bounded and one line each. */
export function lastWords(lines: readonly string[], max = 12): string {
  const last = lines.filter(line => line.trim()).slice(-max)
  return last.length > 0 ? printable(last.join(' | '), MAX_WORDS) : 'it said nothing'
}

/** Rejects with a ContainerFailure when `work` takes longer than `limit` ms. What it then still does is nobody's. */
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
