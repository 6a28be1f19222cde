import sliceAnsi from 'slice-ansi'
import stringWidth from 'string-width'
import wrapAnsi from 'wrap-ansi'

/** So many fit in terminals, mails and issue trackers. */
export const COLUMNS = 80

/** `text` cut to at most `columns`, with `…` at the end where it was cut. */
export function fitted(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text
  const cut = sliceAnsi(text, 0, columns - 1)
  // slice-ansi keeps a wide character of which only the first half has room.
  return `${stringWidth(cut) < columns ? cut : sliceAnsi(text, 0, columns - 2)}…`
}

/**
 * `text` in lines of at most `columns`; all lines but the first begin with `indent` blanks. The first line has
 * `columns` less `indent`, so that it can stand behind a label of that length. A word that is longer than a line is
 * broken. `text` may have colours.
 */
export function wrapped(text: string, columns: number, indent = 0): string {
  const oneLine = text.trim().replace(/[\t\r\n]+/g, ' ')
  return wrapAnsi(oneLine, columns - indent, { hard: true }).replaceAll('\n', `\n${' '.repeat(indent)}`)
}
