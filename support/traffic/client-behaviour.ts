import type { TlsVersion } from '../lab/partner/behaviour.ts'
import type { CertificateFlaw } from '../pki/flaws.ts'

/** What an example demands of the client that delivers a message to the gateway, as data. */
export interface SenderBehaviour {
  tls: 'uses' | 'does not use' | 'falls back to clear'
  maxVersion?: TlsVersion
  /** The certificate that the client shows; absent: none. */
  certificate?: { names: string[]; flaws?: readonly CertificateFlaw[] }
  /** The client has had a session before, and resumes it, or wants to with a ticket that the gateway does not know. */
  resumes?: 'by ticket' | 'by an unknown ticket'
  /** The client's name in EHLO, in place of one below its domain. */
  greetsAs?: string
  /** Before its own MAIL the client says MAIL with this address and takes it back with RSET. */
  beginsAs?: string
  inCapitals?: boolean
  /** The client leaves politely after the reply to this command. */
  leavesAt?: 'MAIL'
  /** The client cuts the TCP connection in the middle of the content, without close_notify. */
  cuts?: boolean
  /**
   * The client ends TLS with close_notify in the middle of this, and writes the rest unencrypted on the same connection. A
   * chunk is one of BDAT and needs CHUNKING.
   */
  endsTlsIn?: 'MAIL' | 'the message' | 'a chunk'
  /** The client offers what no gateway agrees to. */
  failsHandshake?: true
  /** After a handshake that failed the client stays on the connection and goes on unencrypted. */
  staysAfterFailedHandshake?: true
}
