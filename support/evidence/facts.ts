import { counted } from '../quantities.ts'
import type { Conversation, WireEvent } from '../wire/conversation.ts'
import { commandFields } from '../wire/smtp/line-fields.ts'

/** Commands that give a message or its recipients away; BDAT is RFC 3030. */
export const GIVES_AWAY = ['MAIL', 'RCPT', 'DATA', 'BDAT', 'VRFY', 'EXPN']

export const secured = ({ handshake, events }: Conversation): boolean =>
  handshake?.error === undefined && events.some(({ kind }) => kind === 'established')

export const offersStarttls = ({ events }: Conversation): boolean =>
  events.some(event => event.kind === 'reply' && event.keyword === 'STARTTLS' && event.parameters === '')

export type Command = Extract<WireEvent, { kind: 'command' }>

export const commands = ({ events }: Conversation): Command[] =>
  events.filter(event => event.kind === 'command').filter(({ from }) => from === 'sender')

/** A command that gives a message away, and that was sent behind STARTTLS without waiting for the reply to it. */
export function sentBehindStarttls({ clear }: Conversation): string | undefined {
  // Line ends are escaped in this text. Many servers accept a bare LF as a line end.
  const verbs = clear.fromSender.split(/(?:\\r)?\\n/).map(line => commandFields(line).verb)
  const at = verbs.indexOf('STARTTLS')
  return at < 0 ? undefined : verbs.slice(at + 1).find(verb => GIVES_AWAY.includes(verb))
}

/** The side that had sent STARTTLS closed the connection and began no handshake. */
export const closedInsteadOfHandshake = (conversation: Conversation): boolean =>
  startedTls(conversation) &&
  eventsAfterGoAhead(conversation).some(({ from, kind }) => from === 'sender' && kind === 'close')

export const startedTls = (conversation: Conversation): boolean => placeOfGoAhead(conversation) >= 0

export const eventsAfterGoAhead = (conversation: Conversation): WireEvent[] =>
  conversation.events.slice(placeOfGoAhead(conversation) + 1)

/** Place of the reply 220 to STARTTLS among the events; -1 when there is none. */
export function placeOfGoAhead({ events }: Conversation): number {
  const asked = events.findIndex(
    event => event.kind === 'command' && !event.secured && event.verb === 'STARTTLS',
  )
  if (asked < 0) return -1
  const at = events.findIndex(({ kind }, place) => place > asked && kind === 'reply')
  const answer = events[at]
  return answer?.kind === 'reply' && answer.code === 220 ? at : -1
}

export function countedConnections(conversations: readonly Conversation[]): string {
  return counted(conversations.length, 'connection')
}

const firstAddress = (conversation: Conversation, verb: 'MAIL' | 'RCPT'): string | undefined =>
  commands(conversation).find(command => command.verb === verb && command.address !== undefined)?.address

/** Address in the first RCPT; undefined where there was none. */
export const firstRecipient = (conversation: Conversation): string | undefined =>
  firstAddress(conversation, 'RCPT')

/** Address in the first MAIL, empty for the null return path; undefined where there was none. */
export const firstReturnPath = (conversation: Conversation): string | undefined =>
  firstAddress(conversation, 'MAIL')

/** The name in the first EHLO or HELO, lower case. */
export function greetedAs(conversation: Conversation): string | undefined {
  const greeting = commands(conversation).find(
    ({ verb, argument }) => (verb === 'EHLO' || verb === 'HELO') && argument !== '',
  )
  return greeting?.argument.toLowerCase().split(' ', 1)[0]
}
