import type { Endpoint } from '../wire/smtp/smtp.ts'

/** The suite cannot listen at an address; the message is that of the system. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen'
  readonly endpoint: Endpoint
  /** The system's name for the error, such as `EADDRINUSE`. */
  readonly code: string | undefined

  constructor(endpoint: Endpoint, cause: NodeJS.ErrnoException) {
    super(cause.message, { cause })
    this.endpoint = endpoint
    this.code = cause.code
  }
}
