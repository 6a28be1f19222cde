import type { Handover } from '../evidence/handover.ts'
import type { Message } from '../evidence/mail.ts'
import { mayAcceptSoon } from '../evidence/temporary-refusal.ts'
import { comeAgain } from '../wire/come-again.ts'
import { type Conversation, snapshotOf } from '../wire/conversation.ts'
import { Recorder } from '../wire/recorder.ts'
import { type Endpoint, SmtpClient } from '../wire/smtp/smtp.ts'
import { clientTls, failing, tlsOf } from './client-manner-tls.ts'
import { Delivery, type DeliveryOptions } from './client-transaction.ts'
import { type ClientOptions, precede } from './preceding.ts'

export type { SenderBehaviour } from './client-behaviour.ts'

/** A connection to the gateway as one of its senders, with its record. `failed` gets the record where there is none. */
export async function call(
  endpoint: Endpoint,
  names: { sender: string; receiver: string },
  failed?: (conversation: Conversation) => void,
): Promise<SmtpClient> {
  const recorder = new Recorder({ gatewayIs: 'receiver', ...names })
  return SmtpClient.connect(endpoint, recorder).catch(error => {
    failed?.(snapshotOf(recorder.conversation))
    throw error
  })
}

export interface HandoverOptions extends ClientOptions {
  /** The client does not come again where the gateway refuses for now. */
  once?: true
}

/** The gateway may accept the same message another time. */
const isRefusedForNow = ({ reply, stage }: Handover): boolean =>
  reply !== undefined && mayAcceptSoon(reply, stage)

/**
 * Delivers as a mail server does: where the gateway refuses for now, the client comes again with the same envelope. What
 * the gateway does wrong ends in the result and is never thrown.
 */
export async function handOver(message: Message, options: HandoverOptions): Promise<Handover> {
  const { endpoint, hostname, behaviour, manner = {} } = options
  const plain = { endpoint, hostname, behaviour, manner }
  const fits =
    behaviour.tls === 'does not use' ? undefined : tlsOf(await clientTls({ ...options, manner }), manner)
  const own = fits && behaviour.failsHandshake ? failing(fits) : fits
  const { earlier, tls, leftOut } = await precede(message, options, own)
  const deliver = async (how: DeliveryOptions) => {
    const attempt = () => new Delivery(message, how).run()
    if (options.once) return attempt()
    const tries = await comeAgain(endpoint, attempt, isRefusedForNow)
    earlier.push(...tries.earlier.flatMap(({ conversations }) => conversations).map(snapshotOf))
    return tries.last
  }
  const attempts = [await deliver({ ...plain, ...(tls ? { tls } : {}) })]
  if (behaviour.tls === 'falls back to clear' && attempts[0]!.stage === 'handshake')
    attempts.push(await deliver(plain))
  return {
    ...attempts.at(-1)!,
    conversations: attempts.flatMap(one => one.conversations).map(snapshotOf),
    ...(leftOut ? { leftOut } : {}),
    ...(earlier.length > 0 ? { earlier } : {}),
  }
}
