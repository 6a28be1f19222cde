import type { Conversation } from '../wire/conversation.ts'
import type { Reply } from '../wire/smtp/reply.ts'
import type { Breakdown } from '../wire/wire-error.ts'
import type { Message } from './mail.ts'

/** How far a delivery got. */
export type Stage =
  | 'connection'
  | 'greeting'
  | 'EHLO'
  | 'STARTTLS'
  | 'handshake'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'content'

/** What became of one message that a client, or a second server, handed to the gateway. */
export interface Handover {
  message: Message
  /** More than one where the client tried again without TLS. */
  conversations: Conversation[]
  /** Connections before, which the client's manner has, or that the gateway refused for now; nothing in them is judged. */
  earlier?: Conversation[]
  /** Where it ended: at `content` with a 250 for an accepted message. */
  stage: Stage
  /** The last reply, when it ended with one. */
  reply?: Reply
  /** Why it could not go on, when it did not end with a reply. */
  breakdown?: { kind: Breakdown; detail: string }
  accepted: boolean
  /** Why the handshake failed, where the client stayed on the connection and went on unencrypted. */
  failedHandshake?: string
  /** How many copies the mailbox may get, because the client named more recipients than one; absent: one. */
  copies?: number
  /**
   * The part of the client's manner that the gateway lawfully refused or does not offer, with its reply: what became of the
   * message then says nothing about the gateway.
   */
  declined?: string
  /** The part of the client's manner that did not come about because the gateway did not take it up: a resumed session. */
  leftOut?: string
  /**
   * The gateway accepted the message, as the mailbox behind it shows: its reply could not be read, because the session
   * between a second server and the gateway is encrypted.
   */
  foundInMailbox?: true
}
