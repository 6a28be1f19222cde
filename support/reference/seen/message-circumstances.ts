/** Which circumstances of a message hold, by what follows the direction: `the text of the sent message`. */
const OF_MESSAGE: Record<string, (content: string) => boolean> = {
  'text: 8-bit': content => /[^\x00-\x7f]/.test(content),
  'text: lines that begin with dots': content => content.includes('\r\n.QUIT\r\n'),
  'text: lines of 998 characters': content => /^[^\r\n]{998}\r$/m.test(content),
  'text: a line that says STARTTLS': content => content.includes('\r\nSTARTTLS\r\n'),
  'text: a dot alone in a line': content =>
    content.includes('\r\n.\r\n') && !content.includes('\r\n.QUIT\r\n'),
  'text: empty': content => content.indexOf('\r\n\r\n') === content.length - 4,
  'headers: folded': content => /^Subject:\r\n /m.test(content),
  'size: 130 KiB': content => content.length > 130_000 && content.length < 200_000,
}

/** By their names in `features/circumstances.yaml`. `direction`: `delivered` to the gateway or `sent` by it. */
export function messageCircumstances(
  direction: 'delivered' | 'sent',
): Record<string, (content: string) => boolean> {
  return Object.fromEntries(
    Object.entries(OF_MESSAGE).map(([name, holds]) => {
      const [what, value] = name.split(': ')
      const dimension =
        what === 'headers' ? `headers of the ${direction} message` : `the ${what} of the ${direction} message`
      return [`${dimension}: ${value}`, holds]
    }),
  )
}
