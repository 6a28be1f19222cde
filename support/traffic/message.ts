import { randomBytes } from 'node:crypto'
import type { Message } from '../evidence/mail.ts'

export interface MessageOptions {
  from: string
  to: string[]
  /** At least so many bytes of text. */
  size?: number
  /** Header lines in front of all others, without line end. */
  headers?: string[]
  /** In place of the text; the token is then the caller's. */
  body?: { headers: string[]; text: string; token: string }
}

/** Lines of text that relays like to change: dots, blanks at the end, tabs, long lines. */
const AWKWARD = [
  '.a dot at the beginning',
  '..',
  'blanks at the end  ',
  'tab\tin the middle',
  `${'x'.repeat(900)}`,
]

export function newToken(): string {
  return `token-${randomBytes(8).toString('hex')}`
}

export function compose({ from, to, size = 0, headers = [], body }: MessageOptions): Message {
  const token = body?.token ?? newToken()
  const lines = [
    ...headers,
    `From: ${from ? `<${from}>` : '<nobody@gateway.test>'}`,
    `To: ${to.map(recipient => `<${recipient}>`).join(', ')}`,
    `Subject: ${body ? 'for your eyes' : token}`,
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${body ? newToken() : token}@probe.test>`,
    ...(body?.headers ?? []),
    '',
    ...(body ? [body.text] : [`The word is ${token}.`, ...AWKWARD, ...filling(size)]),
    '',
  ]
  return { from, to, token, content: lines.join('\r\n') }
}

function filling(size: number): string[] {
  return Array.from({ length: Math.ceil(size / 76) }, (_, n) => `${n} `.padEnd(74, 'abcdefgh'))
}
