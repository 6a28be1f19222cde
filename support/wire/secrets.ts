/** What must not be printed or stored, in the ways in which it may be written, as bytes in latin1. */
const hidden = new Set<string>()

/** A text as short as this would hide much that has nothing to do with it. */
const TOO_SHORT = 4
const STARS = '***'

/**
 * From now on `withoutSecrets` hides the password of a user, as it is and as SMTP AUTH writes it (RFC 4616, and LOGIN), also
 * where more stands behind it.
 */
export function hidePassword(user: string, password: string): void {
  const bytes = Buffer.from(password, 'utf8')
  if (bytes.length >= TOO_SHORT) hidden.add(bytes.toString('latin1'))
  for (const text of [password, `\0${user}\0${password}`]) hidden.add(beginningInBase64(text))
}

/** The part of the base64 form that does not depend on what follows. */
function beginningInBase64(text: string): string {
  const bytes = Buffer.from(text, 'utf8')
  return bytes.subarray(0, bytes.length - (bytes.length % 3)).toString('base64')
}

/** A text in latin1 in which every hidden text is replaced by `***`. */
export function withoutSecrets(text: string): string {
  let shown = text
  for (const secret of hidden) if (secret.length >= TOO_SHORT) shown = shown.replaceAll(secret, STARS)
  return shown
}

/** A line of a client as the record has it: without the initial response of AUTH (RFC 4954 s4). */
export const withoutCredentials = (line: string): string =>
  line.replace(/^(AUTH +\S+) +[^\s].*/is, `$1 ${STARS}`)
