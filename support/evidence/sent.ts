import type { Conversation } from '../wire/conversation.ts'
import type { Message, ReceivedMessage } from './mail.ts'
import type { DeliveryEvent } from './words.ts'

/** A copy of a message that its recipient got. */
export interface Arrival extends ReceivedMessage {
  /** Name of the mail exchanger that took it. */
  host: string
  /** Of a second server: whether it passed the copy on over TLS. */
  onwardSecured?: boolean
}

/** One message that the gateway was asked to send to one partner, and all that was seen of it. */
export interface Sent {
  message: Message
  recipient: string
  partner: PartnerSeen
  /** How the gateway took it in; absent on a connection that was used before. */
  submission?: Conversation
  /** Why the gateway did not take it in, if it did not. */
  refusal?: string
  /** Copies that the partner took, oldest first, as they are now: what comes late counts too. */
  readonly arrivals: readonly Arrival[]
  /** Everything between the gateway and the partner, oldest first. */
  conversations: readonly Conversation[]
  /** The gateway's own word on the recipient, oldest first. */
  word: DeliveryEvent[]
  /** TLS with the partner ends at somebody on the path, who must be given nothing. */
  intercepted?: true
  /** Why it may not have arrived through no fault of the gateway; known where the partner is a second server. */
  excuse?: string
  /** False when nothing at all was heard within the wait. */
  sign: boolean
  /** From a gateway that says nothing: sessions ended without the message, and none came for so long after, in ms. */
  quiet?: number
  attempts: number
  /** Nothing was heard, it did not arrive, and the gateway's queue does not have it any more. */
  lost?: boolean
}

/** The partner of a message, as far as judgements ask for it. */
export interface PartnerSeen {
  readonly domain: string
  /** Its mail exchangers, in order of preference. */
  readonly hosts: readonly { readonly hostname: string }[]
  readonly messages: readonly Arrival[]
  /** There was more than the partner serves or keeps: what was in it is not known. */
  readonly flooded: boolean
}
