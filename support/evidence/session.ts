import type { Breakdown } from '../wire/breakdown.ts'
import type { Conversation } from '../wire/conversation.ts'
import type { Reply } from '../wire/smtp/reply.ts'

/** What crosses in the clear behind STARTTLS, before the go-ahead; each text is a separate write. */
export const SMUGGLED = {
  'a NOOP behind STARTTLS in mixed case': ['StArTtLs\r\nNoOp\r\n'],
  'a NOOP behind STARTTLS with blanks at its end': ['STARTTLS  \r\nNOOP\r\n'],
  'a NOOP behind STARTTLS in a segment of its own': ['STARTTLS\r\n', 'NOOP\r\n'],
  'a NOOP behind STARTTLS': ['STARTTLS\r\nNOOP\r\n'],
  'half a command behind STARTTLS': ['STARTTLS\r\nNO'],
  'a greeting and a sender behind STARTTLS': ['STARTTLS\r\nEHLO x.test\r\nMAIL FROM:<x@x.test>\r\n'],
} as const satisfies Record<string, readonly string[]>
export type Smuggled = keyof typeof SMUGGLED

/** One command of the client and the gateway's reply to it. */
export interface Exchange {
  /** The command's verb in upper case; `.` for the end of a message, `base64` for an answer within AUTH. */
  command: string
  reply: Reply
}

/** A session with the gateway that an example led command by command, up to one moment. */
export interface Session {
  conversation: Conversation
  /** Oldest first; the greeting is not among them. */
  exchanges: readonly Exchange[]
  /** What the last EHLO listed, upper case; nothing where that EHLO was refused. */
  extensions: readonly string[]
  /** The handshake succeeded. */
  secured: boolean
  /** Why the session could not go on. `detail` does not repeat the kind. */
  breakdown?: { kind: Breakdown; detail: string }
  /** Why the gateway's certificate does not lead to a root that clients trust, in OpenSSL's word; absent when it does. */
  chainError?: string
  /** What was smuggled into the session. */
  smuggled?: Smuggled
  /** What refused STARTTLS once a message had begun, and again after RSET: nothing of that message gets into TLS. */
  refusedMidway?: Reply
  /** Replies beyond those to commands. */
  surplus: readonly Reply[]
}

export const lastReply = ({ exchanges }: Session): Reply | undefined => exchanges.at(-1)?.reply

/** The reply to the last command with this verb. */
export const replyTo = ({ exchanges }: Session, command: string): Reply | undefined =>
  exchanges.findLast(one => one.command === command)?.reply

/** Whether the last EHLO listed STARTTLS, with a parameter or without; RFC 3207 s4. */
export const listsStarttls = ({ extensions }: Session): boolean =>
  extensions.some(extension => /^STARTTLS\b/.test(extension))
