import type { Message } from '../evidence/mail.ts'
import type { Pki } from '../pki/pki.ts'
import { type Conversation, snapshotOf } from '../wire/conversation.ts'
import type { ClientTls, Endpoint } from '../wire/smtp/smtp.ts'
import { withUnknownTicket } from '../wire/tls/session-ticket.ts'
import type { SenderBehaviour } from './client-behaviour.ts'
import type { ClientManner } from './client-manner.ts'
import { clientTls, failing } from './client-manner-tls.ts'
import { Delivery } from './client-transaction.ts'
import { type EarlierTraffic, earlierTraffic } from './history.ts'

/** Where a client delivers mail, and how. */
export interface ClientOptions {
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

/** What the manner of a client has before the connection that counts. */
export interface Before {
  /** What happened there. */
  earlier: Conversation[]
  /** How the client takes part in the handshake then: with the session that it resumes. */
  tls?: ClientTls
  /** The gateway gave no session to resume. */
  leftOut?: string
}

/** Lets earlier traffic happen, and makes the TLS session that is to be resumed, whatever becomes of them. */
export async function precede(
  message: Message,
  options: ClientOptions,
  tls: ClientTls | undefined,
): Promise<Before> {
  const { endpoint, hostname, behaviour, manner = {} } = options
  const earlier: Conversation[] = []
  for (const history of [manner.earlierHistory, manner.history])
    if (history) earlier.push(...(await play(earlierTraffic(history, message, options), options)))
  const { resumes } = behaviour
  if (!tls || !(manner.session || resumes))
    return { earlier: earlier.map(snapshotOf), ...(tls ? { tls } : {}) }
  const first = new Delivery(message, { endpoint, hostname, behaviour, manner, tls })
  const { session, conversations } = await first.visit()
  return {
    earlier: [...earlier, ...conversations].map(snapshotOf),
    tls: session
      ? { ...tls, session: resumes === 'by an unknown ticket' ? withUnknownTicket(session) : session }
      : tls,
    ...(session || !manner.session ? {} : { leftOut: `a session ${manner.session}: the gateway gave none` }),
  }
}

async function play(
  { message, behaviour, failsHandshake }: EarlierTraffic,
  { endpoint, hostname, pki }: ClientOptions,
): Promise<Conversation[]> {
  const plain = { endpoint, hostname, behaviour, manner: {} }
  const tls = behaviour.tls === 'does not use' ? undefined : await clientTls({ behaviour, hostname, pki })
  if (!tls) return (await new Delivery(message, plain).run()).conversations
  return failsHandshake
    ? (await new Delivery(message, { ...plain, tls: failing(tls) }).visit()).conversations
    : (await new Delivery(message, { ...plain, tls }).run()).conversations
}
