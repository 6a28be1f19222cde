/** What one line from a client says; RFC 5321 s4.1.1. */
export interface CommandFields {
  /** The first word, upper case; empty where the line begins with none. */
  verb: string
  /** What follows the first word. */
  argument: string
  /** The address in MAIL FROM and RCPT TO, without its angle brackets; empty for the null return path. */
  address?: string
}

/** What one line of a reply says; RFC 5321 s4.2. */
export interface ReplyFields {
  /** Absent where the line is no line of a reply. */
  code?: number
  /** Enhanced status code; RFC 3463. */
  enhanced?: string
  /** What follows the code. */
  words: string
  /** In the reply to EHLO, the keyword of the extension that this line lists, upper case; RFC 5321 s4.1.1.1. */
  keyword?: string
  /** In the reply to EHLO, what follows the keyword. */
  parameters?: string
  /** No line of the same reply follows. */
  last: boolean
}

/** `line` is printable and has no line end. */
export function commandFields(line: string): CommandFields {
  const verb = /^\w+/.exec(line)?.[0] ?? ''
  const argument = line.slice(verb.length).trimStart()
  const address = /^(?:FROM|TO): *<([^>]*)>/i.exec(argument)?.[1]
  return { verb: verb.toUpperCase(), argument, ...(address === undefined ? {} : { address }) }
}

/** `line` is printable and has no line end. */
export function replyFields(line: string): ReplyFields {
  const [, code, more, words] = /^([2-5]\d\d)([ -]|$)(.*)/.exec(line) ?? []
  if (code === undefined) return { words: line, last: true }
  const enhanced = /^[245]\.\d{1,3}\.\d{1,3}\b/.exec(words!)?.[0]
  const [, keyword, parameters] = /^([a-z\d][a-z\d-]*)(?: +(.*))?$/i.exec(code === '250' ? words! : '') ?? []
  return {
    code: Number(code),
    ...(enhanced ? { enhanced } : {}),
    words: words!,
    ...(keyword ? { keyword: keyword.toUpperCase(), parameters: parameters ?? '' } : {}),
    last: more !== '-',
  }
}
