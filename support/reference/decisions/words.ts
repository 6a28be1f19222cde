import type { SessionWord } from '../../evidence/gateway-words.ts'
import { carries, type Situation, type TlsSession } from './situation.ts'

/** What the log says of the TLS of one session. */
export interface LoggedSession extends Omit<SessionWord, 'line'> {
  /** Something else that the log says in a line of its own. */
  remark?: string
}

/** What the correct gateway says in headers and in its log. */
export const CORRECT_WORDS = {
  /** The TLS that the gateway's Received line tells of: the session in which it got the message. RFC 3848, TRC-01. */
  receivedTls: ({
    tls,
  }: Situation & { content: string }): Pick<TlsSession, 'version' | 'suite'> | undefined => tls,

  /** Headers that the gateway puts in front of a message, CRLF line ends. RFC 5321 s4.4: one Received line. */
  headers: ({ received }: Situation & { received: string }): string[] => [received],

  /**
   * TRC-02. `verified` is true when the other side's certificate leads to a trusted root and carries the expected name.
   * The name of a host that DNS led to, `host`, proves nothing.
   */
  session({ tls, expected }: Situation & { expected?: string; host?: string }): LoggedSession {
    if (!tls) return { tls: false }
    const { version, suite, certificate, chainError } = tls
    const named = expected === undefined || carries(certificate?.names ?? [], expected)
    return { tls: true, version, suite, verified: certificate !== undefined && !chainError && named }
  },
}
export type WordsDecisions = typeof CORRECT_WORDS
