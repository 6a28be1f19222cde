import type { SessionWord } from '../evidence/words.ts'
import { printable } from '../wire/printable.ts'
import type { TlsSession } from './channel.ts'
import type { WordsDefects } from './defects.ts'

const MAX_LINES = 20_000

/** What the gateway says about its work, line by line. */
export class Log {
  readonly #defects: WordsDefects
  readonly #lines: { text: string; session?: SessionWord }[] = []

  constructor(defects: WordsDefects) {
    this.#defects = defects
  }

  say(text: string, session?: Omit<SessionWord, 'line'>): void {
    if (this.#lines.length >= MAX_LINES) return
    const line = printable(text, 500)
    this.#lines.push({ text: line, ...(session ? { session: { ...session, line } } : {}) })
  }

  /** `about` says whose session it was and must name the domain by which it is to be found. */
  session(about: string, session: TlsSession | undefined, verified: boolean): void {
    if (!session && this.#defects.callsClearEncrypted)
      this.say(`${about} tls=TLSv1.3 suite=TLS_AES_256_GCM_SHA384`, {
        tls: true,
        version: 'TLSv1.3',
        suite: 'TLS_AES_256_GCM_SHA384',
      })
    else if (!session) this.say(`${about} tls=none`, { tls: false })
    else if (this.#defects.hidesSessions) this.say(`${about} tls=yes`, { tls: true })
    else {
      const { version } = session
      const suite = this.#defects.logsFixedSuite ? 'ECDHE-RSA-AES128-GCM-SHA256' : session.suite
      const peer = verified ? 'verified' : 'unverified'
      this.say(`${about} tls=${version} suite=${suite} peer=${peer}`, { tls: true, version, suite, verified })
    }
    if (session && this.#defects.claimsEndToEndInLog) this.say(`${about} is encrypted end to end`)
  }

  lines(text: string, max: number): string[] {
    return this.#lines.flatMap(line => (line.text.includes(text) ? [line.text] : [])).slice(-max)
  }

  sessions(text: string): SessionWord[] {
    return this.#lines.flatMap(({ session }) => (session?.line.includes(text) ? [session] : []))
  }
}
