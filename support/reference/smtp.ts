import { printable } from '../wire/printable.ts'
import type { SeenReply } from './seen/partner.ts'
import type { Channel } from './smtp-connection.ts'

export interface Answer {
  code: number
  lines: string[]
  /** In one line, printable. */
  text: string
}

/** The partner refused something, or did not speak SMTP. */
export class Refusal extends Error {
  override name = 'Refusal'
  /** Another attempt would fail as well. RFC 5321 s4.2.1. */
  readonly permanent: boolean
  constructor(what: string, { code, text }: Answer) {
    super(`${what} was answered with ${text}`)
    this.permanent = code >= 500
  }
}

const MAX_REPLY_LINES = 100
/** How long the gateway waits for the reply to QUIT, in ms. */
const QUIT_WAIT = 2_000

/** Commands and their answers on a channel, for the sender. Methods throw ChannelError where the channel ends. */
export class Smtp {
  readonly channel: Channel
  /** What the last EHLO listed, upper case. */
  extensions: string[] = []
  /** The whole answer to it. */
  heard: string[] = []
  readonly #seen: SeenReply[]

  /** `seen` gets all replies. */
  constructor(channel: Channel, seen: SeenReply[] = []) {
    this.channel = channel
    this.#seen = seen
  }

  async answer(to = 'greeting', wait?: number): Promise<Answer> {
    this.channel.takeReads()
    const answer = await this.#answer(wait)
    this.#seen.push({ to, code: answer.code, lines: answer.lines, reads: this.channel.takeReads() })
    return answer
  }

  async #answer(wait?: number): Promise<Answer> {
    const lines: string[] = []
    for (;;) {
      const line = printable(await this.channel.line(wait))
      const [, code, more, text] = /^([2-5]\d\d)([ -]|$)(.*)/.exec(line) ?? []
      if (code === undefined || lines.length >= MAX_REPLY_LINES)
        throw new Refusal('the session', { code: 421, lines: [], text: `no SMTP: ${line.slice(0, 100)}` })
      lines.push(text!)
      if (more !== '-')
        return { code: Number(code), lines, text: `${code} ${lines.join(' / ')}`.slice(0, 300) }
    }
  }

  say(command: string): Promise<Answer> {
    this.channel.write(`${command}\r\n`)
    return this.answer(/^[A-Z]*/.exec(command)![0])
  }

  /** An answer of the wanted class. Throws Refusal for any other. */
  async must(command: string, kind = 2): Promise<Answer> {
    const answer = await this.say(command)
    if (Math.floor(answer.code / 100) !== kind) throw new Refusal(command.split(/[ :]/, 1)[0]!, answer)
    return answer
  }

  async greet(hostname: string): Promise<void> {
    const { lines } = await this.must(`EHLO ${hostname}`)
    this.heard = lines
    this.extensions = lines.slice(1).map(line => line.toUpperCase())
  }

  offers(keyword: string): boolean {
    return this.extensions.some(line => line.split(' ', 1)[0] === keyword)
  }

  /** Content with dots stuffed and the final dot; RFC 5321 s4.5.2. */
  async content(content: Buffer): Promise<Answer> {
    const stuffed = content.toString('latin1').replace(/(^|\n)\./g, '$1..')
    this.channel.write(Buffer.from(`${stuffed}${stuffed.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1'))
    return this.answer('content')
  }

  /** Says QUIT where that is still possible, and closes. */
  async leave(): Promise<void> {
    if (this.channel.over) return this.channel.destroy()
    try {
      this.channel.write('QUIT\r\n')
      await this.answer('QUIT', QUIT_WAIT)
    } catch {
      // The partner's answer does not matter any more.
    }
    this.channel.end()
  }
}
