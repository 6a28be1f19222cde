/** A request that came to a web host of the lab. Texts are printable and bounded. */
export interface SeenRequest {
  /** Milliseconds since 1970. */
  at: number
  method: string
  /** The name that the client asked for, without a port. */
  host: string
  path: string
}
