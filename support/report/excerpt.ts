import type { WireEvent } from '../wire/conversation.ts'

/** An event that is shown, or the number of events in this place that are not. */
export type Shown = { event: WireEvent } | { hidden: number }

/** From so many alike events on, only the first two and the last are shown. */
const ALIKE = 6
/** Of one conversation about so many events are shown, always with the first HEAD and the last TAIL. */
const MOST = 120
const HEAD = 40
const TAIL = 60

/**
 * The events of a conversation that are shown, in order. Repetitions are left out first, then ordinary commands and
 * replies that accept them. Events that decide (handshake, alert, refusal, content, close) are left out only if there
 * are too many of them.
 */
export function excerpt(events: readonly WireEvent[]): Shown[] {
  const hidden = new Set<number>()
  for (const alike of Map.groupBy(events.keys(), index => shape(events[index]!)).values())
    if (alike.length >= ALIKE) for (const index of alike.slice(2, -1)) hidden.add(index)
  const tooMany = () => events.length - hidden.size > MOST
  const hideBetween = (may: (event: WireEvent) => boolean) => {
    for (let index = HEAD; index < events.length - TAIL && tooMany(); index++)
      if (may(events[index]!)) hidden.add(index)
  }
  if (tooMany()) hideBetween(event => !decides(event))
  if (tooMany()) hideBetween(() => true)
  return events.reduce<Shown[]>((shown, event, index) => {
    const last = shown.at(-1)
    if (!hidden.has(index)) shown.push({ event })
    else if (last && 'hidden' in last) last.hidden++
    else shown.push({ hidden: 1 })
    return shown
  }, [])
}

/** Equal for events that differ only in numbers and in text between angle brackets. */
function shape(event: WireEvent): string {
  const { from, kind, secured, text } = event
  const code = event.kind === 'reply' ? event.code : ''
  const words = text
    .slice(0, 200)
    .replace(/<[^>]*>/g, '<>')
    .replace(/\d+/g, '0')
  return [from, kind, secured, code, words].join('\t')
}

function decides(event: WireEvent): boolean {
  if (event.kind === 'command') return event.verb === 'STARTTLS'
  return event.kind === 'reply' ? (event.code ?? 500) >= 400 : true
}
