import { constants } from 'node:crypto'
import { isIP } from 'node:net'
import {
  type ConnectionOptions,
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
} from 'node:tls'
import type { Cut } from '../write-in-pieces.ts'

/** How the lab's side of a handshake behaves as a client. PEM texts; versions as Node names them (`TLSv1.2`). */
export interface ClientTls {
  /** Not sent where it is an address: RFC 6066 s3. */
  servername?: string
  /** Roots to check the receiver's chain against. Without them the chain is recorded and not checked. */
  trust?: readonly string[]
  identity?: { key: string; certificate: string }
  minVersion?: SecureVersion
  maxVersion?: SecureVersion
  /** OpenSSL cipher list; `@SECLEVEL=0` in it opens TLS 1.0 and 1.1. */
  ciphers?: string
  /** OpenSSL list of key exchange groups; `*` before those for which the hello has a share. */
  groups?: string
  /** An earlier session, which the handshake offers to resume. */
  session?: Buffer
  /** Offers no tickets, so that a TLS 1.2 session is resumed by its id: RFC 5246 s7.3 in place of RFC 5077. */
  withoutTickets?: boolean
  /** Asks for an OCSP answer with the certificate: RFC 6066 s8, RFC 8446 s4.4.2.1. */
  asksForStatus?: boolean
  /** The ClientHello leaves in pieces. */
  cutsHello?: Cut
}

/** The same as options of Node. Only the chain is checked here, not the names in the certificate. */
export function connectionOptions(tls: ClientTls): ConnectionOptions {
  return {
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(tls.servername && isIP(tls.servername) === 0 ? { servername: tls.servername } : {}),
    ...(tls.asksForStatus ? { requestOCSP: true } : {}),
    ...(tls.session ? { session: tls.session } : {}),
    secureContext: contextOf({
      ...(tls.trust ? { ca: [...tls.trust] } : {}),
      ...(tls.identity ? { key: tls.identity.key, cert: tls.identity.certificate } : {}),
      ...(tls.minVersion ? { minVersion: tls.minVersion } : {}),
      ...(tls.maxVersion ? { maxVersion: tls.maxVersion } : {}),
      ...(tls.ciphers ? { ciphers: tls.ciphers } : {}),
      ...(tls.groups ? { ecdhCurve: tls.groups } : {}),
      ...(tls.withoutTickets ? { secureOptions: constants.SSL_OP_NO_TICKET } : {}),
    }),
  }
}

/** So many are kept: clients differ in little, and making one takes about as long as the rest of a handshake's beginning. */
const MAX_CONTEXTS = 64
const contexts = new Map<string, SecureContext>()

function contextOf(options: SecureContextOptions): SecureContext {
  const key = JSON.stringify(options)
  const context = contexts.get(key) ?? createSecureContext(options)
  // The one that was used last is the last to go.
  contexts.delete(key)
  contexts.set(key, context)
  if (contexts.size > MAX_CONTEXTS) contexts.delete(contexts.keys().next().value!)
  return context
}
