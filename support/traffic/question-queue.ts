import { setTimeout as pause } from 'node:timers/promises'
import type { Conversation } from '../wire/conversation.ts'
import { MAX_WAIT } from '../wire/patience.ts'
import type { Recorder } from '../wire/recorder.ts'
import type { SmtpClient } from '../wire/smtp/smtp.ts'
import { clientHelloBytes, type Offer } from '../wire/tls/craft-hello.ts'
import { type Answer, type Asked, ask, type Target, type Unknown, upToTls } from './ask.ts'

/** Connections at a time. More do not make a scan faster on two cores, and servers count them. */
const SIDE_BY_SIDE = 12
/** The waits before further tries after a server put the prober off, in ms. */
const PAUSES = [0.02, 0.05, 0.1, 0.2, 0.4].map(share => share * MAX_WAIT)
/** All questions of one scan together take no longer, in ms. */
const MAX_SCAN = 8 * MAX_WAIT
/** Questions in a row that a server lets go without any answer; nothing more is asked then. */
const ENOUGH = 6

/** An answer with the name of its question. */
export type Answered = Answer & { seen: string }

/**
 * Asks one server many questions, few at a time. A server that puts the prober off is asked again later, and fewer
 * questions at a time from then on.
 */
export class QuestionQueue {
  readonly conversations = new Map<string, Conversation>()
  connections = 0
  /** Why nothing more is asked. */
  brokenOff: string | undefined
  /** Said after each question. */
  onProgress: ((connections: number) => void) | undefined
  readonly #target: Target
  readonly #deadline = performance.now() + MAX_SCAN
  #limit = SIDE_BY_SIDE
  #open = 0
  #silent = 0
  #waiting: (() => void)[] = []

  constructor(target: Target) {
    this.#target = target
  }

  /** `about`: names the question; each question has a name of its own. */
  hello(about: string, offer: Offer): Promise<Answered> {
    return this.bytes(about, clientHelloBytes(offer))
  }

  async bytes(about: string, hello: Buffer): Promise<Answered> {
    const answer = await this.#persist(() => this.#noted(about, ask(this.#target, hello, about)))
    return { ...answer, seen: about }
  }

  /** A question that takes a finished handshake; as `upToTls`. */
  session<T extends { kind: string }>(
    about: string,
    then: (client: SmtpClient, recorder: Recorder) => Promise<T>,
  ): Promise<T | Unknown> {
    return this.#persist(() => this.#noted(about, upToTls(this.#target, about, then)))
  }

  async #noted<T>(about: string, asking: Promise<Asked<T>>): Promise<T> {
    const { answer, conversation } = await asking
    this.conversations.set(about, conversation)
    return answer
  }

  async #persist<T extends { kind: string }>(attempt: () => Promise<T | Unknown>): Promise<T | Unknown> {
    let answer = await this.#inTurn(attempt)
    // A connection that ends without a word may have ended for another reason than the question.
    if (answer.kind === 'closed' || (isUnknown(answer) && answer.broken)) answer = await this.#inTurn(attempt)
    for (const wait of PAUSES) {
      if (!isUnknown(answer) || !answer.forNow || this.brokenOff !== undefined) break
      this.#limit = Math.max(1, Math.floor(this.#limit / 2))
      await pause(wait)
      answer = await this.#inTurn(attempt)
    }
    if (isUnknown(answer) && answer.forNow) this.brokenOff ??= `the server puts the prober off: ${answer.why}`
    return answer
  }

  async #inTurn<T extends { kind: string }>(attempt: () => Promise<T | Unknown>): Promise<T | Unknown> {
    while (this.#open >= this.#limit) await new Promise<void>(resolve => this.#waiting.push(resolve))
    if (performance.now() > this.#deadline)
      this.brokenOff ??= `the scan took longer than ${MAX_SCAN / 1000} s`
    if (this.brokenOff !== undefined) {
      this.#waiting.shift()?.()
      return { kind: 'unknown', why: this.brokenOff }
    }
    this.#open++
    this.connections++
    try {
      const answer = await attempt()
      this.#note(answer)
      return answer
    } finally {
      this.#open--
      this.#waiting.shift()?.()
      this.onProgress?.(this.connections)
    }
  }

  #note(answer: { kind: string } | Unknown): void {
    if (!isUnknown(answer)) this.#silent = 0
    else if (!answer.forNow && ++this.#silent >= ENOUGH)
      this.brokenOff ??= `${ENOUGH} questions in a row had no answer, the last because of ${answer.why}`
  }
}

const isUnknown = (answer: { kind: string }): answer is Unknown => answer.kind === 'unknown'
