import { X509Certificate } from 'node:crypto'
import { createSecureContext, type TLSSocket, type TlsOptions } from 'node:tls'

/**
 * The TLS options of Node for one mail exchanger of a partner. They are plain JSON, because they also go to a lab in a
 * container.
 */
export type HostTls = Pick<
  TlsOptions,
  | 'ca'
  | 'minVersion'
  | 'maxVersion'
  | 'ciphers'
  | 'honorCipherOrder'
  | 'ecdhCurve'
  | 'dhparam'
  | 'sigalgs'
  | 'secureOptions'
  | 'requestCert'
  | 'rejectUnauthorized'
> &
  Shown & {
    /** Shown to clients that name a server in their hello. Absent: `key` and `cert` are for all clients. */
    byName?: Shown
    /** With these keys the partner resumes its own sessions, in base64. Absent: it resumes none. */
    ticketKeys?: string
    /** The OCSP answer that it sends along, in DER and base64. */
    stapled?: string
  }

/** A key and a certificate with its chain, PEM; several of different types, of which the hello decides. */
interface Shown {
  key: string | string[]
  cert: string | string[]
}

/** The same for a server that is made for one connection. */
export function serverOptions({ byName, ticketKeys, stapled: _, ...options }: HostTls): TlsOptions {
  const all = { ...options, ...(ticketKeys ? { ticketKeys: Buffer.from(ticketKeys, 'base64') } : {}) }
  if (!byName) return all
  return { ...all, SNICallback: (_, done) => done(null, createSecureContext({ ...all, ...byName })) }
}

/** The certificate that was shown in this session, with what was sent behind it, PEM. */
export function chainShown({ cert, byName }: HostTls, socket: TLSSocket): string {
  const shown = socket.getX509Certificate()?.fingerprint256
  const all = [cert, byName?.cert ?? []].flat()
  return all.find(chain => new X509Certificate(chain).fingerprint256 === shown) ?? String(cert)
}
