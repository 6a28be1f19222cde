import type { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { parseEndpoint } from '../gateway/gateway-file-values.ts'
import { InputError } from '../input-error.ts'
import { clipped, visibleLine } from '../report/visible.ts'
import { type Shown, shownBy } from '../wire/smtp/certificate-shown.ts'
import { addressOf, type Endpoint, WireError } from '../wire/smtp/smtp.ts'
import { COLUMNS, wrapped } from './columns.ts'

/** Of the longest label, with its mark. */
const LABEL = 15
/** A value that a stranger chose is cut after so many characters. */
const MAX_VALUE = 400
const SMTP_PORT = 25

/** Text of a certificate or of a server, on one line and safe to print. */
export const safe = (text: string): string => visibleLine(clipped(text, MAX_VALUE))

/** A label with its value behind it, in lines of at most 80 columns. */
export function row(label: string, value: string, indent = 0): string {
  const padded = label.padEnd(LABEL)
  return `${' '.repeat(indent)}${padded}${wrapped(value, COLUMNS, indent + LABEL)}`
}

export const subjectOf = ({ subject }: X509Certificate): string =>
  safe(subject.split('\n').join(', ') || '(empty)')

/** HOST[:PORT] of a mail server, port 25 by default. Throws InputError. */
export function serverAt(target: string): Endpoint {
  try {
    return parseEndpoint(target, SMTP_PORT)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw new InputError(`HOST[:PORT]: ${error.message}`)
  }
}

/** Whether a word means a file rather than a server. */
export const isFile = (target: string): boolean =>
  existsSync(target) || target.includes('/') || /\.(pem|crt|cer|der)$/i.test(target)

/** What a server shows. Throws InputError where it shows nothing. */
export async function shownAt(endpoint: Endpoint): Promise<Shown> {
  const place = addressOf(endpoint)
  if (process.stderr.isTTY) process.stderr.write(`mail-tls: asking ${place} for its certificate\n`)
  try {
    return await shownBy(endpoint)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    throw new InputError(`${place}: ${safe(error.message)}`)
  }
}
