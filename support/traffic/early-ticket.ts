import { connect } from 'node:tls'
import { MAX_WAIT } from '../wire/patience.ts'
import type { Recorder } from '../wire/recorder.ts'
import type { SmtpClient } from '../wire/smtp/smtp.ts'
import { type ClientTls, connectionOptions } from '../wire/tls/client-tls.ts'
import { hasTicket, recordsIn } from '../wire/tls/early-ticket.ts'
import { labelled } from '../wire/tls/handshake-keys.ts'
import { TlsCarrier } from '../wire/tls/tls-carrier.ts'
import { bounded, WireError } from '../wire/wire-error.ts'

/** A server has closed a connection with a bad record within this time, in ms. */
const CLOSES = 0.3 * MAX_WAIT
const APPLICATION_DATA = 23

/**
 * Whether a server of TLS 1.3 sends a session ticket before it has the client's Finished. The client keeps its Finished back
 * and sends a bad record in its place, for which the server has to close (RFC 8446 s5.2): what the server has sent until then
 * came before. Call it where TLS can begin. Throws WireError where that is not known.
 */
export async function sendsTicketEarly(
  client: SmtpClient,
  recorder: Recorder,
  tls: ClientTls,
): Promise<boolean> {
  const link = client.bareTls()
  const received: Buffer[] = []
  let secret: Buffer | undefined
  link.on('data', (chunk: Buffer) => received.push(chunk))
  let isSpoilt = false
  const rewrites = (bytes: Buffer): Buffer => {
    if (isSpoilt) return Buffer.alloc(0)
    // What the client encrypts ends with its Finished. A second hello is not encrypted: RFC 8446 s4.1.2.
    isSpoilt = recordsIn(bytes).some(([type]) => type === APPLICATION_DATA)
    if (!isSpoilt) return bytes
    recorder.event('sender', 'bytes', 'sends a bad record in place of its Finished')
    const bad = Buffer.from(bytes)
    bad[bad.length - 1]! ^= 1
    return bad
  }
  const socket = connect({ socket: new TlsCarrier(link, { rewrites }), ...connectionOptions(tls) })
  socket.on('keylog', line => {
    recorder.secret(line)
    const [label, value] = labelled(line)
    if (label === 'SERVER_TRAFFIC_SECRET_0') secret = value
  })
  const closed = new Promise<void>(resolve => {
    socket.on('error', () => {}).once('close', resolve)
    link.once('end', resolve).once('close', resolve)
  })
  try {
    await bounded(closed, 'the server does not close after a bad record', CLOSES)
  } finally {
    socket.destroy()
  }
  const found = secret && hasTicket(Buffer.concat(received), secret)
  if (found === undefined) throw new WireError('handshake failure', 'the server did not get to its Finished')
  if (found) recorder.event('receiver', 'bytes', "sent a session ticket before the client's Finished")
  return found
}
