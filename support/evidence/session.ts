import type { Conversation } from '../wire/conversation.ts'
import type { Reply } from '../wire/smtp/reply.ts'
import type { Breakdown } from '../wire/wire-error.ts'

/** What crosses in the clear behind STARTTLS, before the go-ahead; each text is a separate write. */
export const SMUGGLED = {
  'a NOOP in mixed case': ['StArTtLs\r\nNoOp\r\n'],
  'blanks and a NOOP': ['STARTTLS  \r\nNOOP\r\n'],
  'a NOOP in a segment of its own': ['STARTTLS\r\n', 'NOOP\r\n'],
  'a bare LF and a NOOP': ['STARTTLS\nNOOP\r\n'],
  'a bare CR and a NOOP': ['STARTTLS\rNOOP\r\n'],
  'a NOOP that ends in a bare LF': ['STARTTLS\r\nNOOP\n'],
  'a NOOP': ['STARTTLS\r\nNOOP\r\n'],
  'the first half of a NOOP': ['STARTTLS\r\nNO'],
  'EHLO and MAIL': ['STARTTLS\r\nEHLO x.test\r\nMAIL FROM:<x@x.test>\r\n'],
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
  /** Absent where the gateway did not greet. */
  greeting?: Reply
  /** Oldest first; the greeting is not among them. */
  exchanges: readonly Exchange[]
  /** The handshake succeeded. */
  secured: boolean
  /** Why the session could not go on. `detail` does not repeat the kind. */
  breakdown?: { kind: Breakdown; detail: string }
  /** Why the gateway's certificate does not lead to a root that clients trust, in OpenSSL's word; absent when it does. */
  chainError?: string
  /** What the gateway showed in the handshake, its own certificate first, in PEM; absent where it showed none. */
  certificates?: readonly string[]
  /** What was smuggled into the session. */
  smuggled?: Smuggled
  /** What refused STARTTLS once a message had begun, and again after RSET: nothing of that message gets into TLS. */
  refusedMidway?: Reply
  /** The part of the client's manner that the gateway lawfully refused or does not offer, as in a Handover. */
  declined?: string
  /** The part of the client's manner that did not come about, as in a Handover. */
  leftOut?: string
  /** Connections before, which the client's manner has, or that the gateway refused for now; nothing in them is judged. */
  earlier?: readonly Conversation[]
  /** Replies beyond those to commands. */
  surplus: readonly Reply[]
}

export const lastReply = ({ exchanges }: Session): Reply | undefined => exchanges.at(-1)?.reply

/** The reply to the last command with this verb. */
export const replyTo = ({ exchanges }: Session, command: string): Reply | undefined =>
  exchanges.findLast(one => one.command === command)?.reply

/** What the last EHLO inside or outside of TLS listed, upper case; undefined where no such EHLO was accepted. */
export function extensionsIn({ exchanges }: Session, secured: boolean): readonly string[] | undefined {
  const ehlo = exchanges.findLast(({ command, reply }) => command === 'EHLO' && reply.secured === secured)
  return ehlo?.reply.code === 250 ? ehlo.reply.lines.slice(1).map(line => line.toUpperCase()) : undefined
}

/** The line in which extensions list STARTTLS, with a parameter or without; RFC 3207 s4. */
export const starttlsIn = (extensions: readonly string[]): string | undefined =>
  extensions.find(extension => /^STARTTLS\b/.test(extension))

/** One attempt of the client to log in; `reply` ended it, absent where the session did not get so far. */
export interface Login {
  mechanism: 'PLAIN' | 'LOGIN'
  password: 'right' | 'wrong'
  reply: Reply | undefined
  /** Why TLS did not begin; without TLS there is no login. */
  failed?: string
  /** Version of the session, as `TLSv1.3`. */
  version?: string
}
