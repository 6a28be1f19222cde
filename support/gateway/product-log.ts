import type { DeliveryEvent, SessionWord } from '../evidence/words.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import { printable } from '../wire/printable.ts'
import type { Watchable } from '../wire/until.ts'
import type { Adapter } from './adapter.ts'
import { sessionWords } from './session-words.ts'

/** A product in a loop must not fill the memory, and one whose words are not kept cannot be judged by them. */
const MAX_LINES = 50_000
/** Of each line, as much is kept. */
const MAX_KEPT = 2_000
/** Of the reason in an event, as much is shown. */
const MAX_REASON = 300
/** Of each line, as much is shown. */
const MAX_LINE = 500

/** The part of a gateway that reads the log of its product. */
export abstract class GatewayWithLog {
  protected readonly said: ProductLog

  constructor(adapter: Adapter) {
    this.said = new ProductLog(adapter)
  }

  get events(): readonly DeliveryEvent[] {
    return this.said.events
  }

  get end(): GatewayFailure | undefined {
    return this.said.end
  }

  watch(watcher: (event?: DeliveryEvent) => void): () => void {
    return this.said.watch(watcher)
  }

  log(text: string, max?: number): string[] {
    return this.said.mentioning(text, max)
  }

  sessions(text: string): SessionWord[] {
    return this.said.sessions(text)
  }
}

/** What a product said so far, as the lines of its log and as what its adapter reads in them. */
export class ProductLog implements Watchable {
  readonly events: DeliveryEvent[] = []
  /** Why the product says nothing more, though nobody asked it to end. */
  end: GatewayFailure | undefined
  readonly #adapter: Adapter
  readonly #lines: string[] = []
  readonly #watchers = new Set<(event?: DeliveryEvent) => void>()

  constructor(adapter: Adapter) {
    this.#adapter = adapter
  }

  add(line: string): void {
    if (this.end) return
    if (this.#lines.push(line.slice(0, MAX_KEPT)) > MAX_LINES)
      this.ended(new GatewayFailure(`${this.#adapter.name} says more than ${MAX_LINES} lines`))
    const event = this.#adapter.read(line)
    if (!event) return
    const told = { ...event, reason: printable(event.reason, MAX_REASON) }
    this.events.push(told)
    for (const watcher of this.#watchers) watcher(told)
  }

  ended(end: GatewayFailure): void {
    this.end ??= end
    for (const watcher of this.#watchers) watcher()
  }

  watch(watcher: (event?: DeliveryEvent) => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** The lines that mention `text`, newest last, at most `max`. */
  mentioning(text: string, max = 40): string[] {
    return this.#lines
      .filter(line => line.includes(text))
      .slice(-max)
      .map(line => printable(line, MAX_LINE))
  }

  /** The last lines, in one; for a product that ended before its time. */
  lastWords(): string {
    return printable(this.#lines.slice(-3).join(' | ') || 'it said nothing', MAX_LINE)
  }

  /** What it says about the TLS of sessions of which any line mentions `text`. */
  sessions(text: string): SessionWord[] {
    return sessionWords(this.#lines, text, this.#adapter)
  }
}
