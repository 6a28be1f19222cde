import { setTimeout as pause } from 'node:timers/promises'
import type { Handover } from '../evidence/handover.ts'
import type { Message } from '../evidence/mail.ts'
import type { Conversation } from '../wire/conversation.ts'
import { type HandoverOptions, handOver } from './delivering.ts'
import { compose, newToken } from './message.ts'

/** A sender tries again after this long, in ms, when the gateway is away for a moment. */
const PAUSE = 25
/** Attempts for one message: with PAUSE between them, ten seconds. */
const ATTEMPTS = 400
/** As evidence: so many sessions at the beginning, on each side of a change, and at the end. */
const AROUND = 2
/** As evidence: so many messages, and so many sessions that showed another certificate than the one before. */
const MOST = 4

/**
 * Mail that flows in while something is changed: one message after another, each tried again as a mail server does
 * until it is accepted. Each has a sender of its own, by which it is known in the gateway's queue.
 */
export class Stream {
  readonly accepted: Message[] = []
  readonly lost: Message[] = []
  /** Of attempts that got as far as a handshake, oldest first. */
  readonly sessions: { at: number; handover: Handover }[] = []
  /** When something began to be changed, in ms since 1970. */
  changedAt: number | undefined
  readonly #options: HandoverOptions
  readonly #addresses: { domain: string; to: string[] }
  /** The last attempts for each message, by its token. */
  readonly #last = new Map<string, Handover>()
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

  /** What the gateway said last about a message. */
  reply({ token }: Message): string | undefined {
    const { reply, breakdown } = this.#last.get(token) ?? {}
    return reply?.text ?? breakdown?.detail
  }

  /** Some conversations, oldest first: those around the change, those of other certificates, and of some messages. */
  evidence(messages: readonly Message[] = []): Conversation[] {
    const { sessions, changedAt = Infinity } = this
    const change = sessions.findIndex(({ at }) => at >= changedAt)
    const turns = sessions.flatMap(({ handover }, place) =>
      place > 0 && certificateIn(handover) !== certificateIn(sessions[place - 1]!.handover) ? [place] : [],
    )
    const places = new Set([
      ...range(0, AROUND),
      ...(change < 0 ? [] : range(change - AROUND, change + AROUND)),
      ...turns.slice(0, MOST),
      ...range(sessions.length - AROUND, sessions.length),
    ])
    const some = sessions.filter((_, place) => places.has(place)).map(({ handover }) => handover)
    const told = messages.slice(0, MOST).flatMap(({ token }) => this.#last.get(token) ?? [])
    return [...new Set([...some, ...told])]
      .flatMap(({ conversations }) => conversations)
      .sort((one, other) => Date.parse(one.startedAt) - Date.parse(other.startedAt))
  }

  /** Lets the current message come through, then stops. */
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
      else this.lost.push(message)
      for (const watcher of this.#watchers) watcher()
    }
  }

  async #deliver(message: Message): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const handover = await handOver(message, this.#options)
      this.#last.set(message.token, handover)
      if (handover.conversations.some(({ handshake }) => handshake))
        this.sessions.push({ at: Date.now(), handover })
      if (handover.accepted) return true
      await pause(PAUSE)
    }
    return false
  }
}

const certificateIn = ({ conversations }: Handover): string | undefined =>
  conversations.find(({ handshake }) => handshake?.serverCertificate)?.handshake?.serverCertificate
    ?.fingerprint

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, place) => from + place)
