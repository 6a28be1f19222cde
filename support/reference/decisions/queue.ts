import type { DeliveryEvent } from '../../evidence/words.ts'
import type { OutboundLevel } from '../../mailflow/mail-flow.ts'
import type { Situation, TlsSession } from './situation.ts'

/** Why TLS was wanted with a partner and not had. */
export type WithoutTls =
  | 'STARTTLS is not offered'
  | 'STARTTLS is refused'
  /** In answer to STARTTLS. */
  | 'the connection is closed'
  | 'the handshake failed'
  | 'the certificate is not accepted'

/** What became of one recipient at one attempt. */
export interface Fate extends DeliveryEvent {
  /** What the connector asks for. */
  level: OutboundLevel
  /** The session that carried the message to the partner. */
  tls?: TlsSession
  withoutTls?: WithoutTls
}

/** Between the first two attempts that nobody asks for, in ms; doubled each time. */
const INTERVAL = 15 * 60_000

/** What the correct gateway does with mail between taking it in and sending it on. */
export const CORRECT_QUEUE = {
  /** When a message that was taken in is sent on: at once, when another attempt is asked for, or never. */
  sends: (_at: Situation & { firstSinceChange: boolean }): 'at once' | 'when asked' | 'never' => 'at once',

  /** What becomes of a recipient. Mail is given up when it has waited too long: RFC 5321 s4.5.4.1, RFC5321-02. */
  fate({ fate, attempt, flow }: Situation & { fate: Fate }): Fate {
    if (fate.kind !== 'deferred' || attempt < flow.attempts) return fate
    return { ...fate, kind: 'bounced', reason: `given up after ${attempt} attempts: ${fate.reason}` }
  },

  /** In ms; undefined: deferred mail is forgotten. RFC 5321 s4.5.4.1. */
  nextAttemptIn: ({ attempt }: Situation & { fates: readonly Fate[] }): number | undefined =>
    INTERVAL * 2 ** Math.min(attempt - 1, 5),

  /**
   * Who is told of these fates, and from which return path; undefined: nobody. The author is told of what was given up,
   * with a null return path; for mail that has one itself, nobody is told. RFC 5321 s4.5.5, s6.1.
   */
  notification({
    sender,
    fates,
  }: Situation & { fates: readonly Fate[]; content: string }): { to: string; from: string } | undefined {
    const failed = fates.some(({ kind }): boolean => kind === 'bounced')
    return failed && sender ? { to: sender, from: '' } : undefined
  },
}
export type QueueDecisions = typeof CORRECT_QUEUE
