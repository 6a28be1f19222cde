import { randomBytes } from 'node:crypto'
import type { Message } from '../evidence/mail.ts'

/** The ways in which a lawful message may differ from the plain one, beside its size. */
export const MESSAGE_MANNERS = {
  /**
   * Plain: some lines of ASCII that relays like to change. RFC 6152 s3 (8 bits), RFC 5321 s4.5.2 (dots) and s4.5.3.1.6
   * (lines of 998 characters), RFC 5322 s2.1 (no text).
   */
  text: [
    '8-bit',
    'lines that begin with dots',
    'lines of 998 characters',
    'a line that says STARTTLS',
    'a dot alone in a line',
    'empty',
  ],
  /** Of the domain that the connector decides by. Plain: right below the name of the connector. */
  depth: ['two names below'],
  /** Plain: a line for each header. RFC 5322 s2.2.3. */
  headerForm: ['folded'],
} as const satisfies Record<string, readonly string[]>

/** The ways in which the addresses of what the gateway sends may differ from the plain ones. */
export const ADDRESS_MANNERS = {
  /** The reverse-path. Plain: as usual. RFC 5321 s4.1.2, s4.5.3.1.1 and s4.5.5. */
  author: ['null', 'quoted local part', 'local part of 64 characters'],
  /** The forward-path. Plain: as usual. RFC 5321 s2.4, s4.1.2 and s4.5.3.1.1. */
  recipient: ['quoted local part with an at sign', 'local part of 64 characters', 'domain in capitals'],
  /** For whom the message is. Plain: one recipient, at the partner. RFC 5321 s3.3 and s4.5.3.1.8. */
  recipients: [
    'two at the partner',
    'one at another partner, then one at the partner',
    'one at the partner, then one at another partner',
  ],
} as const satisfies Record<string, readonly string[]>

/** What a message is like; an absent key is the plain way. JSON only. */
export type MessageManner = {
  [K in keyof typeof MESSAGE_MANNERS]?: (typeof MESSAGE_MANNERS)[K][number]
} & {
  [K in keyof typeof ADDRESS_MANNERS]?: (typeof ADDRESS_MANNERS)[K][number]
} & {
  /** At least so many bytes of text, nothing else where the text is empty. RFC 5321 s4.5.3.1.7. */
  size?: number
}

export interface MessageOptions extends MessageManner {
  from: string
  to: string[]
  /** Header lines in front of all others, without line end. */
  headers?: string[]
  /** In place of the usual text; the caller has put the token into it. */
  body?: { headers: string[]; text: string; token: string }
}

/** Lines of text that servers tend to change: dots, blanks at the end, tabs, long lines. */
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

/** Text in UTF-8, one character for each byte. */
const EIGHT_BIT = Buffer.from('Grüße aus Größenwahn, 東京 und Ελλάδα').toString('latin1')
const LONGEST_LINE = 998

/** Lines beside the plain ones. */
const LINES: Record<NonNullable<MessageManner['text']>, string[]> = {
  '8-bit': [EIGHT_BIT],
  'lines that begin with dots': ['.', '..', '...', '.QUIT', '. ', '.\t.'].flatMap(line => [line, 'between']),
  'lines of 998 characters': ['y', '.', 'z'].map(letter => letter.padEnd(LONGEST_LINE, 'y')),
  'a line that says STARTTLS': ['STARTTLS', 'starttls', 'EHLO inside.test', 'MAIL FROM:<a@inside.test>'],
  'a dot alone in a line': ['.'],
  empty: [],
}
const EIGHT_BIT_HEADERS = [
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
]

export function compose(options: MessageOptions): Message {
  const { from, to, size = 0, text, headerForm, headers = [], body } = options
  const token = body?.token ?? newToken()
  // RFC 5322 s2.2.3: a line may be folded where it has a blank.
  const header = (name: string, value: string) => `${name}:${headerForm ? '\r\n' : ''} ${value}`
  const plain = text === 'empty' ? [] : [`The word is ${token}.`, ...AWKWARD]
  const lines = [
    ...headers,
    header('From', from ? `<${from}>` : '<nobody@gateway.test>'),
    header('To', to.map(recipient => `<${recipient}>`).join(headerForm ? ',\r\n\t' : ', ')),
    header('Subject', body ? 'for your eyes' : token),
    header('Date', new Date().toUTCString().replace('GMT', '+0000')),
    header('Message-ID', `<${body ? newToken() : token}@probe.test>`),
    ...(text === '8-bit' ? EIGHT_BIT_HEADERS : []),
    ...(body?.headers ?? []),
    '',
    ...(body ? [body.text] : [...plain, ...(text ? LINES[text] : []), ...filling(size)]),
    '',
  ]
  return { from, to, token, content: lines.join('\r\n') }
}

function filling(size: number): string[] {
  return Array.from({ length: Math.ceil(size / 76) }, (_, n) => `${n} `.padEnd(74, 'abcdefgh'))
}
