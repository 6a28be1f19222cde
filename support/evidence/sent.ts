import type { Conversation } from '../wire/conversation.ts'
import { withALabels } from '../wire/smtp/a-labels.ts'
import { firstRecipient } from './facts.ts'
import type { DeliveryEvent } from './gateway-words.ts'
import type { Message, ReceivedMessage } from './mail.ts'

/** A copy of a message that the partner took. */
export interface Arrival extends ReceivedMessage {
  /** Host name of the mail exchanger that took the copy. */
  host: string
  /** Where the partner is a second server: whether that server passed the copy on over TLS. */
  onwardSecured?: boolean
}

/** The partner to which a message went. */
export interface PartnerSeen {
  domain: string
  /** Host names of its mail exchangers, in order of preference. */
  exchangers: readonly string[]
  /** More came to the partner than the lab serves or keeps: what was in it is not known. */
  flooded: boolean
  /**
   * Mail for earlier partners at the same address may be tried again, on connections that cannot be told from those for
   * this partner.
   */
  shared: boolean
}

/** One message that the gateway was asked to send to one partner, and all that was seen of it up to one moment. */
export interface Sent {
  message: Message
  recipient: string
  partner: PartnerSeen
  /** The connection on which the gateway took the message in; absent on a connection that was used before. */
  submission?: Conversation
  /** Why the gateway did not take the message in, if it did not. */
  refusal?: string
  /** Copies that the partner took, oldest first. */
  arrivals: readonly Arrival[]
  /** All connections between the gateway and the partner, oldest first. */
  conversations: readonly Conversation[]
  /** What the gateway itself said about the recipient, oldest first. */
  deliveryEvents: readonly DeliveryEvent[]
  /** TLS with the partner ends at the tap, to which the gateway must give nothing. */
  intercepted?: true
  /** Why the message may not have arrived through no fault of the gateway; known where the partner is a second server. */
  excuse?: string
  /** False when nothing at all was heard within the wait. */
  heard: boolean
  /** From a gateway that says nothing: sessions ended without the message, and none came for so long after, in ms. */
  quiet?: number
  /** No connection came for the message, and no word of the gateway, in so long a time, in ms. */
  noConnection?: number
  /** How often the gateway was made to try. */
  attempts: number
  /** Nothing was heard, the message did not arrive, and the gateway has it in its queue no more. */
  lost?: true
  /** The same message for its other recipients at the same partner, which must fare alike. */
  copies?: readonly Sent[]
}

/** The gateway took the message, no copy arrived, and the gateway says that it returned the message. */
export const isGivenUp = ({ refusal, arrivals, deliveryEvents }: Sent): boolean =>
  refusal === undefined && arrivals.length === 0 && deliveryEvents.at(-1)?.kind === 'bounced'

/** Whether a connection was meant for this partner, by its first recipient or by the server name in its ClientHello. */
export function isMeantFor(
  { domain, exchangers }: Pick<PartnerSeen, 'domain' | 'exchangers'>,
  conversation: Conversation,
): boolean {
  const recipient = firstRecipient(conversation)
  if (recipient !== undefined) return isAt(domain, recipient)
  const server = conversation.handshake?.offered?.serverName?.toLowerCase()
  return [domain, ...exchangers].some(name => name.toLowerCase() === server)
}

/** Whether an address is at a domain, which has A-labels. */
export const isAt = (domain: string, address: string): boolean =>
  withALabels(address).toLowerCase().endsWith(`@${domain.toLowerCase()}`)

/** What reached the two sides of a message that the gateway gave up. */
export interface Notices {
  /** Messages that the author's mail server took. */
  toAuthor: readonly ReceivedMessage[]
  /** Messages that the recipient's mail server took. */
  toRecipient: readonly ReceivedMessage[]
}

/** What a partner passed on, in the clear, to a server behind it. */
export interface PassedOn {
  /** Domain of the server behind the partner. */
  domain: string
  /** What that server took, if it took anything. */
  message?: ReceivedMessage
  /** The connection between the two, as seen from each end. */
  conversations: readonly Conversation[]
}
