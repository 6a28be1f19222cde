import { setTimeout as pause } from 'node:timers/promises'
import type { Handover } from '../evidence/handover.ts'
import type { Message } from '../evidence/mail.ts'
import type { MailStream } from '../evidence/mail-stream.ts'
import { type HandoverOptions, handOver } from './deliver-message.ts'
import { compose, newToken } from './message.ts'

/** The client tries again after this long, in ms, when the gateway does not accept a message. */
const PAUSE = 25
/** Attempts for one message: with PAUSE between them, ten seconds. */
const ATTEMPTS = 400

/**
 * A client that delivers messages to the gateway one after another while the gateway is changed, and tries each message
 * again until the gateway accepts it. Each message has a return path of its own, by which the lab finds it in the
 * gateway's queue. `seen` gives what was seen so far, as plain data.
 */
export class Stream {
  readonly accepted: Message[] = []
  readonly #neverAccepted: Message[] = []
  readonly #sessions: { at: number; handover: Handover }[] = []
  /** When the change of the gateway began, in ms since 1970. */
  changedAt: number | undefined
  readonly #options: HandoverOptions
  readonly #addresses: { domain: string; to: string[] }
  readonly #lastAttempts = new Map<string, Handover>()
  readonly #watchers = new Set<() => void>()
  #flowing = true
  readonly #done: Promise<void>

  constructor(options: HandoverOptions, addresses: { domain: string; to: string[] }) {
    this.#options = options
    this.#addresses = addresses
    this.#done = this.#flow()
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  seen(): MailStream {
    const { accepted, changedAt } = this
    return {
      accepted: [...accepted],
      neverAccepted: [...this.#neverAccepted],
      sessions: [...this.#sessions],
      ...(changedAt === undefined ? {} : { changedAt }),
      lastAttempts: Object.fromEntries(this.#lastAttempts),
    }
  }

  /** Delivers the current message and then stops. */
  async end(): Promise<void> {
    this.#flowing = false
    await this.#done
  }

  async #flow(): Promise<void> {
    while (this.#flowing) {
      const token = newToken()
      const { domain, to } = this.#addresses
      const message = compose({ from: `${token}@${domain}`, to, body: { headers: [], text: token, token } })
      if (await this.#deliver(message)) this.accepted.push(message)
      else this.#neverAccepted.push(message)
      for (const watcher of this.#watchers) watcher()
    }
  }

  async #deliver(message: Message): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const handover = await handOver(message, { ...this.#options, once: true })
      this.#lastAttempts.set(message.token, handover)
      if (handover.conversations.some(({ handshake }) => handshake))
        this.#sessions.push({ at: Date.now(), handover })
      if (handover.accepted) return true
      await pause(PAUSE)
    }
    return false
  }
}
