/**
 * Text without invisible characters: control and format characters (direction overrides, zero-width ones, NUL, ESC),
 * lone surrogates, unassigned and private characters become `\x1b` or `\u{202e}`; line feed and tab stay. The result is
 * legal in XML 1.0 (section 2.2) and in HTML, and does no harm on a terminal.
 */
export function visible(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, character => {
    const code = character.codePointAt(0)!
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

/** The same on a single line: line feeds and tabs become `\n` and `\t`. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}

/**
 * At most about `max` characters. A longer text is cut, with a notice of how many characters are missing, unless the
 * notice is longer than the rest. Never cuts a character in two.
 */
export function clipped(text: string, max: number): string {
  if (text.length <= max) return text
  const end = max - 1
  const whole = /[\ud800-\udbff]/.test(text[end - 1]!) ? end - 1 : end
  const notice = `… (${text.length - whole} more characters)`
  return text.length - whole > notice.length ? text.slice(0, whole) + notice : text
}
