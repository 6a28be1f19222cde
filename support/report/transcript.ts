import { type Conversation, isHandshake, type WireEvent } from '../wire/conversation.ts'
import { factsOf } from './drawing.ts'
import { visibleLine } from './visible.ts'

/**
 * A whole conversation for a terminal, one event per line:
 * `    12.3 ms  -->  [TLS]    EHLO gateway.test`. Arrows point away from the sender (`-->`) or towards it (`<--`).
 */
export function transcript(conversation: Conversation): string {
  const { sender, receiver, gatewayIs, startedAt, events } = conversation
  const tested = (party: string) => (party === gatewayIs ? ' (the gateway under test)' : '')
  const facts = factsOf(conversation).flatMap(({ name, text, trouble, more }) => [
    `${name}: ${[text, trouble].filter(Boolean).join('; ')}`,
    ...more.map(part => `  ${part.name}: ${part.text}`),
  ])
  return `${[
    `sender -->    ${visibleLine(sender)}${tested('sender')}`,
    `<-- receiver  ${visibleLine(receiver)}${tested('receiver')}`,
    `began         ${visibleLine(startedAt)}`,
    ...(facts.length > 0 ? ['', ...facts] : []),
    '',
    ...events.map(lineOf),
    ...(conversation.closed ? [] : ['            (the connection was still open when the record ended)']),
  ].join('\n')}\n`
}

function lineOf(event: WireEvent): string {
  const { at, from, kind, secured, text } = event
  const arrow = from === 'sender' ? '-->' : '<--'
  const where = secured ? '[TLS]  ' : '[clear]'
  const what = kind === 'command' || kind === 'reply' ? '' : `${isHandshake(event) ? 'handshake' : kind}: `
  return `${at.toFixed(1).padStart(9)} ms  ${arrow}  ${where}  ${what}${visibleLine(text)}`
}
