import type { Handover } from '../evidence/handover.ts'
import type { Message } from '../evidence/mail.ts'
import type { Identity, Pki } from '../pki/pki.ts'
import { type Conversation, snapshotOf } from '../wire/conversation.ts'
import { Recorder } from '../wire/recorder.ts'
import { type ClientTls, type Endpoint, SmtpClient } from '../wire/smtp/smtp.ts'
import type { SenderBehaviour } from './client-behaviour.ts'
import { type EarlierTraffic, earlierTraffic } from './history.ts'
import type { ClientManner } from './manner.ts'
import { failing, tlsOf } from './manner-tls.ts'
import { Delivery } from './transaction.ts'

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
  /** How the same client behaves where everything is in order, for a history that needs it. */
  good?: SenderBehaviour
  pki: Pki
}

/** Delivers as a mail server does. What the gateway does wrong ends in the result and is never thrown. */
export async function handOver(message: Message, options: HandoverOptions): Promise<Handover> {
  const { endpoint, hostname, behaviour, manner = {} } = options
  const earlier: Conversation[] = []
  for (const history of [manner.earlierHistory, manner.history])
    if (history) earlier.push(...(await precede(earlierTraffic(history, message, options), options)))
  const plain = { endpoint, hostname, behaviour, manner }
  const tls = behaviour.tls === 'does not use' ? undefined : tlsOf(await clientTls(options), manner)
  const first = tls && manner.session ? await new Delivery(message, { ...plain, tls }).visit() : undefined
  earlier.push(...(first?.conversations ?? []))
  const again = tls && first?.session ? { ...tls, session: first.session } : tls
  const attempts = [await new Delivery(message, { ...plain, ...(again ? { tls: again } : {}) }).run()]
  if (behaviour.tls === 'falls back to clear' && attempts[0]!.stage === 'handshake')
    attempts.push(await new Delivery(message, plain).run())
  const last = attempts.at(-1)!
  const declined =
    first && !first.session ? `a session ${manner.session}: the gateway gave none` : last.declined
  return {
    ...last,
    conversations: attempts.flatMap(one => one.conversations).map(snapshotOf),
    ...(declined ? { declined } : {}),
    ...(earlier.length > 0 ? { earlier: earlier.map(snapshotOf) } : {}),
  }
}

/** Lets the earlier traffic happen, whatever becomes of it. */
async function precede(
  { message, behaviour, failsHandshake }: EarlierTraffic,
  { endpoint, hostname, pki }: HandoverOptions,
): Promise<Conversation[]> {
  const plain = { endpoint, hostname, behaviour, manner: {} }
  const tls = behaviour.tls === 'does not use' ? undefined : await clientTls({ behaviour, hostname, pki })
  if (!tls) return (await new Delivery(message, plain).run()).conversations
  return failsHandshake
    ? (await new Delivery(message, { ...plain, tls: failing(tls) }).visit()).conversations
    : (await new Delivery(message, { ...plain, tls }).run()).conversations
}

async function clientTls({
  behaviour,
  hostname,
  pki,
}: Pick<HandoverOptions, 'behaviour' | 'hostname' | 'pki'>): Promise<ClientTls> {
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
