import type { DeliveryEvent, SessionWord } from '../evidence/gateway-words.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import { printable } from '../wire/printable.ts'
import type { Watchable } from '../wire/until.ts'
import type { Adapter } from './adapter.ts'
import { sessionWords } from './session-words.ts'

/** So many lines are kept. A product that writes more cannot be judged, and must not fill the memory. */
const MAX_LINES = 50_000
/** So many characters of each line are kept. */
const MAX_KEPT = 2_000
/** So many characters of the reason in an event are shown. */
const MAX_REASON = 300
/** So many characters of a line are shown. */
const MAX_LINE = 500

/** The part of an adapter that reads the log of its product. */
export interface LogReader extends Pick<Adapter, 'name' | 'session' | 'sessionOf' | 'reloaded'> {
  /** One line as what it says about the delivery to one recipient or several, or nothing. */
  read(line: string): DeliveryEvent | readonly DeliveryEvent[] | undefined
}

/** The part of a gateway that reads the log of its product. */
export abstract class GatewayWithLog {
  protected readonly said: ProductLog

  constructor(adapter: LogReader) {
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

/** The log of a product: its lines, and what the adapter reads in them. */
export class ProductLog implements Watchable {
  readonly events: DeliveryEvent[] = []
  /** Why the product ended, if nobody asked it to. */
  end: GatewayFailure | undefined
  readonly #adapter: LogReader
  readonly #lines: string[] = []
  readonly #watchers = new Set<(event?: DeliveryEvent) => void>()

  constructor(adapter: LogReader) {
    this.#adapter = adapter
  }

  add(line: string): void {
    if (this.end) return
    if (this.#lines.push(line.slice(0, MAX_KEPT)) > MAX_LINES)
      this.ended(
        new GatewayFailure(
          `${this.#adapter.name} says more than ${MAX_LINES} lines, the last of them: ${this.lastWords()}`,
        ),
      )
    for (const event of [this.#adapter.read(line) ?? []].flat()) {
      const told = { ...event, reason: printable(event.reason, MAX_REASON) }
      this.events.push(told)
      for (const watcher of this.#watchers) watcher(told)
    }
  }

  ended(end: GatewayFailure): void {
    this.end ??= end
    for (const watcher of this.#watchers) watcher()
  }

  /** How many lines there are. */
  get size(): number {
    return this.#lines.length
  }

  watch(watcher: (event?: DeliveryEvent) => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** The lines that mention a text, at most `max`, the newest last. */
  mentioning(text: string, max = 40): string[] {
    return this.#lines
      .filter(line => line.includes(text))
      .slice(-max)
      .map(line => printable(line, MAX_LINE))
  }

  /** The last lines joined to one, for an error message. */
  lastWords(): string {
    return printable(this.#lines.slice(-3).join(' | ') || 'it said nothing', MAX_LINE)
  }

  /** What the log says about the TLS of the sessions of which a line mentions `text`. */
  sessions(text: string): SessionWord[] {
    return sessionWords(this.#lines, text, this.#adapter)
  }
}
