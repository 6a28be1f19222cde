import type { Conversation } from '../wire/conversation.ts'
import type { Handover } from './handover.ts'
import type { Message } from './mail.ts'

/** Messages that a client delivered one after another, while the gateway may have been changed; up to one moment. */
export interface MailStream {
  accepted: readonly Message[]
  /** Messages that the client tried to deliver until it gave up. */
  neverAccepted: readonly Message[]
  /** Attempts that got as far as a handshake, oldest first; `at` in ms since 1970. */
  sessions: readonly { at: number; handover: Handover }[]
  /** When the change of the gateway began, in ms since 1970; absent when the gateway was not changed. */
  changedAt?: number
  /** The last attempt for each message, by the message's token. */
  lastAttempts: Readonly<Record<string, Handover>>
}

/** Accepted messages of a stream that are not in the mailbox exactly once. */
export interface Arrivals {
  /** Neither in the mailbox nor in the gateway's queue, as far as the queue can be read. */
  missing: readonly Message[]
  /** Still in the gateway's queue at the end. */
  queued: readonly Message[]
  doubled: readonly Message[]
}

/** What the gateway said last about a message. */
export function lastAnswer({ lastAttempts }: MailStream, { token }: Message): string | undefined {
  const { reply, breakdown } = lastAttempts[token] ?? {}
  return reply?.text ?? breakdown?.detail
}

/** For a report: so many sessions at the beginning, on each side of a change, and at the end. */
const AROUND = 2
/** For a report: so many messages, and so many sessions that showed another certificate than the one before. */
const MOST = 4

/**
 * Some conversations, oldest first: those at the beginning, around the change and at the end, those in which another
 * certificate showed than before, and the last ones about some of `messages`.
 */
export function notableConversations(stream: MailStream, messages: readonly Message[] = []): Conversation[] {
  const { sessions, changedAt = Infinity, lastAttempts } = stream
  const change = sessions.findIndex(({ at }) => at >= changedAt)
  const turns = sessions.flatMap(({ handover }, place) =>
    place > 0 && certificateIn(handover) !== certificateIn(sessions[place - 1]!.handover) ? [place] : [],
  )
  const places = new Set([
    ...range(0, AROUND),
    ...(change < 0 ? [] : range(change - AROUND, change + AROUND)),
    ...turns.slice(0, MOST),
    ...range(sessions.length - AROUND, sessions.length),
  ])
  const some = sessions.filter((_, place) => places.has(place)).map(({ handover }) => handover)
  const about = messages.slice(0, MOST).flatMap(({ token }) => lastAttempts[token] ?? [])
  return [...new Set([...some, ...about])]
    .flatMap(({ conversations }) => conversations)
    .sort((one, other) => Date.parse(one.startedAt) - Date.parse(other.startedAt))
}

const certificateIn = ({ conversations }: Handover): string | undefined =>
  conversations.find(({ handshake }) => handshake?.serverCertificate)?.handshake?.serverCertificate
    ?.fingerprint

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, place) => from + place)
