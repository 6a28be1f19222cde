import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import type { Link } from '../link.ts'
import type { Recorder } from '../recorder.ts'
import { reasonOf, WireError } from '../wire-error.ts'

const failed = (detail: string) => new WireError('handshake failure', detail)

/**
 * Begins as the side that connects; `done` rejects with WireError 'handshake failure'. Throws anything else where the
 * options cannot be used.
 */
export function beginTls(
  link: Link,
  options: ConnectionOptions,
  recorder: Recorder,
): { socket: TLSSocket; done: Promise<void> } {
  const socket = connect({ socket: link, ...options })
  socket.on('keylog', line => recorder.secret(line))
  const done = new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.on('error', error => reject(failed(reasonOf(error))))
    socket.once('close', () => reject(failed('the receiver closed the connection')))
  })
  return { socket, done }
}

/**
 * The handshake as the side that listens; rejects as `beginTls` does. A tls.Server of its own per connection: only the
 * server object reports failures and judges client certificates. `maxRecord`: of the records that it sends, in bytes.
 * `onSecret`: gets the lines of Node's `keylog` event. `stapled`: an OCSP answer, in DER, for clients that ask for it.
 */
export async function acceptTls(
  link: Duplex,
  options: TlsOptions,
  {
    maxRecord,
    stapled,
    onSecret,
  }: { maxRecord?: number; stapled?: Buffer; onSecret?: (line: Buffer) => void } = {},
): Promise<TLSSocket> {
  const server = createServer(options)
  if (onSecret) server.on('keylog', onSecret)
  if (stapled) server.on('OCSPRequest', (_, __, answer) => answer(null, stapled))
  // In TLS 1.3 the keys are there before the certificate is sent, in TLS 1.2 after the handshake.
  if (maxRecord) server.on('keylog', (_, socket) => socket.setMaxSendFragment(maxRecord))
  return new Promise((resolve, reject) => {
    server.once('tlsClientError', (error, { authorizationError }) => {
      // Node closes without an alert when it does not accept the sender's certificate.
      reject(failed(authorizationError ? `the sender's certificate: ${authorizationError}` : reasonOf(error)))
    })
    server.once('secureConnection', socket => {
      // Errors before the caller listens must not be thrown.
      socket.on('error', () => {})
      resolve(socket)
    })
    server.emit('connection', link)
  })
}
