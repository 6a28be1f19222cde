import type { ConnectionOptions, SecureVersion } from 'node:tls'

/** How our side of a handshake behaves. PEM texts; versions as Node names them (`TLSv1.2`). */
export interface ClientTls {
  servername?: string
  /** Roots to check the receiver against. Without it the chain is looked at and not judged. */
  trust?: readonly string[]
  identity?: { key: string; certificate: string }
  minVersion?: SecureVersion
  maxVersion?: SecureVersion
  /** OpenSSL cipher list; `@SECLEVEL=0` in it opens TLS 1.0 and 1.1. */
  ciphers?: string
}

/** The same for Node. The chain alone is judged here; names are for whoever knows which were to be expected. */
export function connectionOptions(tls: ClientTls): ConnectionOptions {
  return {
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(tls.servername ? { servername: tls.servername } : {}),
    ...(tls.trust ? { ca: [...tls.trust] } : {}),
    ...(tls.identity ? { key: tls.identity.key, cert: tls.identity.certificate } : {}),
    ...(tls.minVersion ? { minVersion: tls.minVersion } : {}),
    ...(tls.maxVersion ? { maxVersion: tls.maxVersion } : {}),
    ...(tls.ciphers ? { ciphers: tls.ciphers } : {}),
  }
}
