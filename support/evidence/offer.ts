import type { Conversation } from '../wire/conversation.ts'
import type { ClientTls } from '../wire/tls/client-tls.ts'
import { opensslName, STATIC_RSA } from '../wire/tls/tls-names.ts'

/** The TLS that one address offers, probe by probe. */
export interface Strength {
  /** `host:port`, an IPv6 address in brackets. */
  address: string
  /** By probe: the TLS that the two sides agreed on, or why they agreed on nothing. */
  outcomes: Readonly<Record<string, string>>
  conversations: readonly Conversation[]
  /** No server accepts connections there. */
  absent?: true
  /** What the server at the address did not answer in time; nothing more was asked then. */
  unanswered?: string
}

export const REFUSED = 'refused'

export const OLD = 'ALL:@SECLEVEL=0'

/** Handshakes that ask for one thing each. `good`: a server that refuses it is weaker than one that accepts it. */
export const PROBES: Readonly<Record<string, { tls: ClientTls; good: boolean }>> = {
  'its own choice': { tls: {}, good: true },
  'TLS 1.3 alone': { tls: { minVersion: 'TLSv1.3' }, good: true },
  'TLS 1.2 alone': { tls: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, good: true },
  'TLS 1.1 alone': { tls: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: OLD }, good: false },
  'TLS 1.0 alone': { tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: OLD }, good: false },
  'key exchange by RSA alone': {
    tls: { maxVersion: 'TLSv1.2', ciphers: `${STATIC_RSA.map(opensslName).join(':')}:@SECLEVEL=0` },
    good: false,
  },
}

export const isRefusal = (outcome: string): boolean => outcome.startsWith(REFUSED)

export const isGood = (probe: string): boolean => PROBES[probe]!.good
