import { printable } from '../wire/printable.ts'
import type { Adapter, SessionWord } from './adapter.ts'

/**
 * What a log says about the TLS of the sessions that `text` singles out, oldest first: of every line that mentions it,
 * and of every line about the same session as one that does.
 */
export function sessionWords(
  lines: readonly string[],
  text: string,
  adapter: Pick<Adapter, 'session' | 'sessionOf'>,
): SessionWord[] {
  const session = (line: string) => adapter.sessionOf?.(line)
  const mentioned = new Set(lines.filter(line => line.includes(text)).map(session))
  mentioned.delete(undefined)
  return lines.flatMap(line => {
    if (!line.includes(text) && !mentioned.has(session(line))) return []
    const word = adapter.session(line)
    return word ? [{ ...word, line: printable(line, 500) }] : []
  })
}
