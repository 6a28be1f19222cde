import type { Handover } from '../evidence/handover.ts'
import type { Message } from '../evidence/mail.ts'
import type { Identity, Pki } from '../pki/pki.ts'
import { snapshotOf } from '../wire/conversation.ts'
import { Recorder } from '../wire/recorder.ts'
import { type ClientTls, type Endpoint, SmtpClient } from '../wire/smtp/smtp.ts'
import type { SenderBehaviour } from './client-behaviour.ts'
import { Delivery } from './delivery.ts'
import type { ClientManner } from './manner.ts'

export type { SenderBehaviour } from './client-behaviour.ts'

/** A connection to the gateway as one of its senders, with its record. */
export async function call(
  endpoint: Endpoint,
  names: { sender: string; receiver: string },
): Promise<SmtpClient> {
  const recorder = new Recorder({ gatewayIs: 'receiver', ...names })
  return SmtpClient.connect(endpoint, recorder)
}

export interface HandoverOptions {
  endpoint: Endpoint
  /** The gateway's name, for SNI and the record. */
  hostname: string
  /** What the example demands of the client. */
  behaviour: SenderBehaviour
  /** How the client does that; absent: plainly. The manner fits the behaviour. */
  manner?: ClientManner
  pki: Pki
}

/** Delivers as a mail server does. What the gateway does wrong ends in the result and is never thrown. */
export async function handOver(message: Message, options: HandoverOptions): Promise<Handover> {
  const { endpoint, hostname, behaviour, manner = {} } = options
  const tls = behaviour.tls === 'does not use' ? undefined : await clientTls(options)
  const plain = { endpoint, hostname, behaviour, manner }
  const first = await new Delivery(message, { ...plain, ...(tls ? { tls } : {}) }).run()
  const attempts = [first]
  if (behaviour.tls === 'falls back to clear' && first.stage === 'handshake')
    attempts.push(await new Delivery(message, plain).run())
  const conversations = attempts.flatMap(one => one.conversations).map(snapshotOf)
  return { ...attempts.at(-1)!, conversations }
}

async function clientTls({ behaviour, hostname, pki }: HandoverOptions): Promise<ClientTls> {
  const { certificate, maxVersion } = behaviour
  const old = maxVersion === 'TLSv1' || maxVersion === 'TLSv1.1'
  const identity: Identity | undefined =
    certificate &&
    (await pki.issue({
      names: certificate.names,
      usage: 'client',
      ...(certificate.flaws ? { flaws: certificate.flaws } : {}),
    }))
  return {
    servername: hostname,
    ...(identity ? { identity } : {}),
    ...(maxVersion ? { maxVersion } : {}),
    // Below TLS 1.2 OpenSSL wants security level 0.
    ...(old ? { minVersion: 'TLSv1' as const, ciphers: 'ALL:@SECLEVEL=0' } : {}),
  }
}
