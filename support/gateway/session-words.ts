import type { SessionWord } from '../evidence/gateway-words.ts'
import { printable } from '../wire/printable.ts'
import type { Adapter } from './adapter.ts'

/**
 * What a log says about the TLS of the sessions that mention `text`, oldest first. It reads every line that mentions
 * the text, and every other line about the same session. Several lines about one session are one word.
 */
export function sessionWords(
  lines: readonly string[],
  text: string,
  adapter: Pick<Adapter, 'session' | 'sessionOf'>,
): SessionWord[] {
  const session = (line: string) => adapter.sessionOf?.(line)
  const mentioned = new Set(lines.filter(line => line.includes(text)).map(session))
  mentioned.delete(undefined)
  const words: SessionWord[] = []
  const latest = new Map<string, SessionWord>()
  for (const line of lines) {
    const of = session(line)
    if (!line.includes(text) && !mentioned.has(of)) continue
    const said = adapter.session(line)
    if (!said) continue
    const before = of === undefined ? undefined : latest.get(of)
    // A second attempt without TLS is another word.
    if (before?.tls === said.tls)
      Object.assign(before, said, { line: `${before.line} | ${printable(line, 500)}` })
    else {
      const word = { ...said, line: printable(line, 500) }
      words.push(word)
      if (of !== undefined) latest.set(of, word)
    }
  }
  return words
}
