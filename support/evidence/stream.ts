import type { Message } from './mail.ts'

/** Where the messages of a stream are that are not in the mailbox once. */
export interface Arrivals {
  /** Accepted, and neither in the mailbox nor in the gateway's queue, where that can be looked into. */
  missing: Message[]
  /** In the gateway's queue to the end. */
  queued: Message[]
  doubled: Message[]
}
