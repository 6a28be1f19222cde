import type { Sent } from '../evidence/sent.ts'
import { broken, kept, type Observation, unclear } from '../verdicts/observation.ts'
import type { Conversation } from '../wire/conversation.ts'
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
 * The secret is nowhere on the wire or in what arrived, and the recipient still gets it. `content`: of the copy that arrived.
 * `decrypted`: what the recipient makes of it, with the key; undefined when it cannot be decrypted.
 */
export function staysSecret(
  content: string | undefined,
  conversations: readonly Conversation[],
  { text, decrypted }: { text: string; decrypted: string | undefined },
): Observation {
  if (content === undefined) return unclear('the message did not arrive')
  const crossed = conversations.some(({ clear }) => clear.fromSender.includes(text))
  if (crossed || content.includes(text)) return broken('the secret text can be read without the key')
  if (!decrypted?.includes(text)) return broken('the recipient cannot decrypt the message any more')
  return kept('the secret text is nowhere on the wire, and the recipient can decrypt the message')
}
