import type { ClientHello, Conversation } from '../wire/conversation.ts'
import { EXTENSION } from '../wire/tls/craft-hello.ts'

/** Every ClientHello of the sender, also the second one after a HelloRetryRequest. */
export const hellosIn = (conversations: readonly Conversation[]): ClientHello[] =>
  conversations.flatMap(({ events }) =>
    events.flatMap(event => (event.kind === 'hello' && event.from === 'sender' ? [event.hello] : [])),
  )

/**
 * The versions that a sender certainly takes: those that it lists, or else the highest one. Without a list, what the
 * server answers shows whether the sender takes a lower one too; RFC 5246 appendix E.1.
 */
export const versionsOffered = ({ versions, extensions, legacyVersion }: ClientHello): readonly string[] =>
  extensions.includes(EXTENSION.supportedVersions) ? versions : [legacyVersion]
