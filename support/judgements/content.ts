import type { Sent } from '../evidence/sent.ts'
import { broken, kept, type Observation, unclear } from '../verdicts/observation.ts'
import { carrier } from './outbound.ts'

/** The text of the message stands on the wire for everybody to read. */
export function readable(sent: Sent): Observation {
  const text = sent.arrivals[0]?.content
  if (!text) return unclear('the message did not arrive')
  const crossed = carrier(sent)?.clear.fromSender ?? ''
  return crossed.includes(sent.message.token)
    ? kept('the text of the message crossed the wire unencrypted')
    : broken('the text of the message is not on the wire, although the message arrived unencrypted')
}

/**
 * The secret is nowhere on the wire or in what arrived, and the recipient still gets it. `decrypted`: what the recipient
 * makes of the copy that arrived, with the key; undefined when it cannot be decrypted.
 */
export function staysSecret(
  sent: Sent,
  { text, decrypted }: { text: string; decrypted: string | undefined },
): Observation {
  const arrival = sent.arrivals[0]
  if (!arrival) return unclear('the message did not arrive')
  const crossed = sent.conversations.some(({ clear }) => clear.fromSender.includes(text))
  if (crossed || arrival.content.includes(text)) return broken('the secret text can be read without the key')
  if (!decrypted?.includes(text)) return broken('the recipient cannot decrypt the message any more')
  return kept('the secret text is nowhere on the wire, and the recipient can decrypt the message')
}
