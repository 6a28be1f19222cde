import { counted } from '../quantities.ts'
import type { Conversation, WireEvent } from '../wire/conversation.ts'

/** Commands that give a message or its recipients away; BDAT is RFC 3030. */
export const GIVES_AWAY = /^(MAIL|RCPT|DATA|BDAT|VRFY|EXPN)\b/i

export const secured = ({ handshake, events }: Conversation): boolean =>
  handshake?.error === undefined && events.some(event => event.kind === 'handshake' && event.secured)

export const offersStarttls = ({ events }: Conversation): boolean =>
  events.some(({ kind, text }) => kind === 'reply' && /^250[ -]STARTTLS$/i.test(text))

export const commands = ({ events }: Conversation): WireEvent[] =>
  events.filter(({ from, kind }) => from === 'sender' && kind === 'command')

/** What gives a message away was sent on before the answer to STARTTLS, and so was never answered. */
export function pipelined({ clear }: Conversation): string | undefined {
  // Line ends are escaped there. Many servers take a bare LF for one.
  const lines = clear.fromSender.split(/(?:\\r)?\\n/)
  const at = lines.findIndex(line => /^STARTTLS\b/i.test(line))
  if (at < 0) return undefined
  for (const line of lines.slice(at + 1)) {
    const early = GIVES_AWAY.exec(line)?.[1]
    if (early) return early.toUpperCase()
  }
  return undefined
}

export const isHello = ({ kind, text }: WireEvent): boolean =>
  kind === 'handshake' && text.startsWith('ClientHello')

/** The sender itself closed the connection in place of a handshake. */
export const endedAtGoAhead = (conversation: Conversation): boolean =>
  begun(conversation) &&
  afterGoAhead(conversation).some(({ from, kind }) => from === 'sender' && kind === 'close')

export const begun = (conversation: Conversation): boolean => goAhead(conversation) >= 0

export const afterGoAhead = (conversation: Conversation): WireEvent[] =>
  conversation.events.slice(goAhead(conversation) + 1)

/** Where the 220 to STARTTLS stands; -1 when there is none. */
export function goAhead({ events }: Conversation): number {
  const asked = events.findIndex(
    ({ kind, text, secured }) => kind === 'command' && !secured && /^STARTTLS\b/i.test(text),
  )
  if (asked < 0) return -1
  const answer = events.slice(asked + 1).findIndex(({ kind }) => kind === 'reply')
  return answer >= 0 && events[asked + 1 + answer]!.text.startsWith('220') ? asked + 1 + answer : -1
}

export function connections(conversations: readonly Conversation[]): string {
  return counted(conversations.length, 'connection')
}

export function verb({ text }: WireEvent): string {
  return text.split(' ', 1)[0]!.toUpperCase().slice(0, 20)
}

/** The first thing that a command of this kind has behind its verb, at the pattern's first group. */
function firstMatch(conversation: Conversation, pattern: RegExp): string | undefined {
  for (const { text } of commands(conversation)) {
    const found = pattern.exec(text)?.[1]
    if (found !== undefined) return found
  }
  return undefined
}

/** Address in the first RCPT; undefined where there was none. */
export const firstRecipient = (conversation: Conversation): string | undefined =>
  firstMatch(conversation, /^RCPT TO: *<([^>]*)>/i)

/** Address in the first MAIL, empty for the null return path; undefined where there was none. */
export const firstReturnPath = (conversation: Conversation): string | undefined =>
  firstMatch(conversation, /^MAIL FROM: *<([^>]*)>/i)

/** The name in the first EHLO or HELO, lower case. */
export const greetedAs = (conversation: Conversation): string | undefined =>
  firstMatch(conversation, /^(?:EHLO|HELO) +(\S+)/i)?.toLowerCase()
