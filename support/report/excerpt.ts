import type { WireEvent } from '../wire/conversation.ts'

/** An event to show, or how many stand between its neighbours and are not shown. */
export type Shown = { event: WireEvent } | { hidden: number }

/** Alike events of which only the first two and the last are shown. */
const ALIKE = 6
/** Events shown of one conversation, about. */
const MOST = 120
const HEAD = 40
const TAIL = 60

/**
 * The events that tell the story, in order. Repetitions are left out from the middle, then ordinary commands and their
 * acceptance; what decides (handshake, alert, refusal, content, close) goes last, and only in a conversation that has
 * more of it than fits.
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

/** Equal for events that differ in numbers and in what stands in angle brackets alone. */
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
