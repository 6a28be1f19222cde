import { setTimeout as pause } from 'node:timers/promises'
import { compose, type Message, newToken } from './message.ts'
import { type Handover, type HandoverOptions, handOver } from './sender.ts'

/** A sender tries again after this long, in ms, when the gateway is away for a moment. */
const PAUSE = 25
/** Attempts for one message: with PAUSE between them, ten seconds. */
const ATTEMPTS = 400

/**
 * Mail that flows in while something is changed: one message after another, each tried again as a mail server does
 * until it is accepted.
 */
export class Stream {
  readonly accepted: Message[] = []
  readonly lost: Message[] = []
  /** Of attempts that got as far as a handshake, oldest first. */
  readonly sessions: { at: number; handover: Handover }[] = []
  /** When something began to be changed, in ms since 1970. */
  changedAt: number | undefined
  readonly #options: HandoverOptions
  readonly #addresses: { from: string; to: string[] }
  readonly #watchers = new Set<() => void>()
  #flowing = true
  readonly #done: Promise<void>

  constructor(options: HandoverOptions, addresses: { from: string; to: string[] }) {
    this.#options = options
    this.#addresses = addresses
    this.#done = this.#flow()
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** Lets the current message come through, then stops. */
  async end(): Promise<void> {
    this.#flowing = false
    await this.#done
  }

  async #flow(): Promise<void> {
    while (this.#flowing) {
      const message = compose({
        ...this.#addresses,
        body: { headers: [], text: 'one of many', token: newToken() },
      })
      const marked = { ...message, content: message.content.replace('one of many', message.token) }
      if (await this.#deliver(marked)) this.accepted.push(marked)
      else this.lost.push(marked)
      for (const watcher of this.#watchers) watcher()
    }
  }

  async #deliver(message: Message): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const handover = await handOver(message, this.#options)
      if (handover.conversations.some(({ handshake }) => handshake))
        this.sessions.push({ at: Date.now(), handover })
      if (handover.accepted) return true
      await pause(PAUSE)
    }
    return false
  }
}
