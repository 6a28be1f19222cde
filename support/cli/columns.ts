/** East Asian wide and full-width characters, and pictures. */
const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2329\u232a\u2630-\u2637\u268a-\u268f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d376}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]/u
/** Takes no room of its own; after U+FE0F the character before is drawn as a picture. */
const ATTACHED = /[[\p{Mn}\p{Me}]--\ufe0f]/v

/**
 * Columns that text without control characters takes at most. Terminals differ in a few characters; those count as
 * their widest.
 */
export function columnsOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let columns = 0
  for (const character of text) columns += WIDE.test(character) ? 2 : ATTACHED.test(character) ? 0 : 1
  return columns
}

/** Text that takes at most `columns`, ending in `…` where it was cut. */
export function fitted(text: string, columns: number): string {
  let used = 0
  let end = 0
  let cut = 0
  for (const character of text) {
    used += columnsOf(character)
    if (used > columns) return `${text.slice(0, cut)}…`
    end += character.length
    if (used < columns) cut = end
  }
  return text
}

/**
 * Lines of at most `columns`. The first goes on at column `start`; the others begin with `indent` blanks. A word that
 * is longer than a line is broken.
 */
export function wrapped(text: string, columns: number, indent = 0, start = indent): string {
  const lines = ['']
  let used = start
  const append = (piece: string, size: number) => {
    lines[lines.length - 1] += piece
    used += size
  }
  const next = () => {
    lines.push(' '.repeat(indent))
    used = indent
  }
  let blank = 0
  for (const word of text.trim().split(/\s+/)) {
    const size = columnsOf(word)
    if (used + blank + size > columns && used > indent) next()
    else if (blank) append(' ', 1)
    if (used + size <= columns) append(word, size)
    else
      for (const character of word) {
        const step = columnsOf(character)
        if (used + step > columns) next()
        append(character, step)
      }
    blank = 1
  }
  return lines.join('\n')
}
