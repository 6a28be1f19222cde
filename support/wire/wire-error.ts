import { MAX_WAIT } from './patience.ts'
import { printable } from './printable.ts'

/** Why a conversation could not go on. None of these is an SMTP refusal. */
export type Breakdown =
  | 'no connection'
  | 'connection closed'
  | 'no answer'
  | 'unexpected answer'
  | 'handshake failure'

export class WireError extends Error {
  override name = 'WireError'
  readonly breakdown: Breakdown
  /** Without the kind, which `message` begins with. */
  readonly detail: string
  constructor(breakdown: Breakdown, detail: string) {
    super(`${breakdown}: ${detail}`)
    this.breakdown = breakdown
    this.detail = detail
  }
}

/** Rejects with WireError 'no answer' after `wait` ms. */
export async function bounded<T>(promise: Promise<T>, what: string, wait = MAX_WAIT): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new WireError('no answer', `${what} within ${Math.round(wait) / 1000} s`)),
      wait,
    )
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The reason in an error of OpenSSL, without the thread and the source line that OpenSSL puts around it. */
export function reasonOf(error: Error & { reason?: unknown }): string {
  return printable(typeof error.reason === 'string' ? error.reason : error.message, 300)
}
