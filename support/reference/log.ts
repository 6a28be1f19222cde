import type { SessionWord } from '../evidence/gateway-words.ts'
import { printable } from '../wire/printable.ts'
import type { WordsDecisions } from './decisions/words.ts'

const MAX_LINES = 20_000

/** The log of the gateway, line by line. */
export class Log {
  readonly #words: WordsDecisions
  readonly #lines: { text: string; session?: SessionWord }[] = []

  constructor(words: WordsDecisions) {
    this.#words = words
  }

  say(text: string, session?: Omit<SessionWord, 'line'>): void {
    if (this.#lines.length >= MAX_LINES) return
    const line = printable(text, 500)
    this.#lines.push({ text: line, ...(session ? { session: { ...session, line } } : {}) })
  }

  /** `about` begins the line. It names the domain by which the suite looks for the session. */
  session(about: string, at: Parameters<WordsDecisions['session']>[0]): void {
    const { remark, ...session } = this.#words.session(at)
    const { tls, version, suite, verified } = session
    const facts = [
      `tls=${tls ? (version ?? 'yes') : 'none'}`,
      ...(suite === undefined ? [] : [`suite=${suite}`]),
      ...(verified === undefined ? [] : [`peer=${verified ? 'verified' : 'unverified'}`]),
    ]
    this.say(`${about} ${facts.join(' ')}`, session)
    if (remark) this.say(`${about} ${remark}`)
  }

  lines(text: string, max: number): string[] {
    return this.#lines.flatMap(line => (line.text.includes(text) ? [line.text] : [])).slice(-max)
  }

  sessions(text: string): SessionWord[] {
    return this.#lines.flatMap(({ session }) => (session?.line.includes(text) ? [session] : []))
  }
}
