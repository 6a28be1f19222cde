import type { DeliveryEvent } from '../../evidence/gateway-words.ts'
import type { OutboundLevel } from '../../mailflow/mail-flow.ts'
import type { Situation, TlsSession } from './situation.ts'

/** Why the gateway wanted TLS with a partner and did not get it. */
export type TlsFailure =
  | 'no STARTTLS'
  /** EHLO was refused. */
  | 'no EHLO'
  | 'STARTTLS refused'
  /** In answer to STARTTLS. */
  | 'connection closed'
  | 'handshake failed'
  /** To STARTTLS or to the ClientHello. */
  | 'no answer'
  /** Right after the handshake, or EHLO is not answered there. */
  | 'session ended'
  /** The session is there, and its certificate is not what the connector asks for. */
  | 'certificate not accepted'

/** What became of one recipient at one attempt. */
export interface DeliveryResult extends DeliveryEvent {
  /** What the connector asks for. */
  level: OutboundLevel
  /** The session that carried the message to the partner. */
  tls?: TlsSession
  tlsFailure?: TlsFailure
}

/** One attempt at the recipients of a message in one domain. */
export interface QueueSituation extends Situation {
  results: readonly DeliveryResult[]
  content: string
}

/** Until the second attempt, in ms; doubled for each further one. */
const INTERVAL = 15 * 60_000

/** What the correct gateway does with mail between taking it in and sending it on. */
export const CORRECT_QUEUE = {
  /** When the gateway sends a message on: at once, when it is asked for another attempt, or never. */
  sends: (_at: Situation & { firstSinceChange: boolean }): 'at once' | 'when asked' | 'never' => 'at once',

  /**
   * Whether the gateway sends a message to one domain after the other, the last one first, and keeps the rest for later where
   * one of them does not take it: never. EXO-OPP-08.
   */
  stopsAtFirstFailure: (_at: Situation): boolean => false,

  /** Whether the gateway sends to each recipient in a domain apart: never. No text forbids it: RFC 5321 s4.5.4.1. */
  sendsApart: (_at: Situation): boolean => false,

  /** What becomes of a recipient. The gateway gives up mail that has waited too long. RFC 5321 s4.5.4.1, RFC5321-02. */
  result({ result, attempt, flow }: Situation & { result: DeliveryResult }): DeliveryResult {
    if (result.kind !== 'deferred' || attempt < flow.attempts) return result
    return { ...result, kind: 'bounced', reason: `given up after ${attempt} attempts: ${result.reason}` }
  },

  /** In ms; undefined: the gateway forgets deferred mail. RFC 5321 s4.5.4.1. */
  nextAttemptIn: ({ attempt }: QueueSituation): number | undefined =>
    INTERVAL * 2 ** Math.min(attempt - 1, 5),

  /** Whether the gateway sends a notification: about what it has given up. RFC 5321 s6.1. */
  notifies: ({ results }: QueueSituation): boolean => results.some(({ kind }) => kind === 'bounced'),

  /** Who gets the notification; empty: nobody, since the message has a null return path itself. RFC 5321 s4.5.5. */
  author: ({ sender }: QueueSituation): string => sender,

  /** The return path of the notification: the null one. RFC 5321 s4.5.5. */
  returnPath: (_at: QueueSituation): string => '',
}
export type QueueDecisions = typeof CORRECT_QUEUE
