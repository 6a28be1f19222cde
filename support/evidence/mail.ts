/** One message of an example. */
export interface Message {
  /** Empty: the null return path. */
  from: string
  to: string[]
  /** Who submits it writes the domains of recipients with U-labels: RFC 6531 s3.3. */
  uLabels?: true
  /** A word in its subject, id and text, and in no other message: the lab finds the message by it on a wire and in a mailbox. */
  token: string
  /** RFC 5322, CRLF line ends, one character for each byte. */
  content: string
}

/** Has bytes above 127. */
export const isEightBit = (content: string): boolean => /[\x80-\xff]/.test(content)

/** Headers of a received message, unfolded, in their order. */
export function headersOf(content: string): { name: string; value: string }[] {
  const head = content.split(/\r?\n\r?\n/, 1)[0] ?? ''
  return head
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)
    .flatMap(line => {
      const [, name, value] = /^([!-9;-~]+):\s*(.*)$/.exec(line) ?? []
      return name === undefined ? [] : [{ name: name.toLowerCase(), value: value! }]
    })
}

export function bodyOf(content: string): string {
  const start = /\r?\n\r?\n/.exec(content)
  return start ? content.slice(start.index + start[0].length) : ''
}

/**
 * The text with its transfer encoding undone (RFC 2045 s6), one character for each byte. A server may put text of 8 bits
 * into another encoding for a server that takes none: RFC 6152 s3.
 */
export function textOf(content: string): string {
  const encoding = headersOf(content).find(({ name }) => name === 'content-transfer-encoding')?.value
  const body = bodyOf(content)
  if (/^base64$/i.test(encoding ?? '')) return Buffer.from(body, 'base64').toString('latin1')
  if (!/^quoted-printable$/i.test(encoding ?? '')) return body
  return body
    .replace(/=[ \t]*\r?\n/g, '')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/**
 * The first header that differs, of those that no server on the way may change; folding does not count. Addresses are not
 * among them, because gateways rewrite them whatever the transport is.
 */
export function changedHeader(sent: string, arrived: string): string | undefined {
  const find = (content: string, name: string) =>
    headersOf(content)
      .find(header => header.name === name)
      ?.value.trim()
  return ['subject', 'message-id', 'date', 'mime-version'].find(
    name => find(sent, name) !== find(arrived, name),
  )
}

export interface Mail {
  /** As received, with CRLF line ends; the gateway's Received lines are in front. */
  content: string
  /** Return path. */
  from: string
  to: string[]
}

/** A message that a partner accepted: its content ended with a dot, and the partner answered 250. */
export interface ReceivedMessage {
  from: string
  to: string[]
  /** As received, with dots unstuffed and CRLF line ends. */
  content: string
  secured: boolean
  at: number
}

/** What the mailbox holds of a message that a client delivered. */
export interface InMailbox {
  mails: readonly Mail[]
  /** A message that was delivered afterwards is there. */
  later: boolean
}

/** Whether a notification names a recipient, with or without the quotes of its local part. */
export function namesRecipient(notification: string, recipient: string): boolean {
  const [said, wanted] = [notification, recipient].map(text => text.toLowerCase()) as [string, string]
  return said.includes(wanted) || said.includes(wanted.replace(/^"(.*)"@/, '$1@'))
}

/** Whether it is a notification that says of a message that it waits: RFC 3464 s2.3.3. */
export const isAboutDelay = (notification: string): boolean =>
  /^Action:\s*delayed\b/im.test(notification) && !/^Action:\s*failed\b/im.test(notification)

/**
 * Why a message came back, from a notification to its author; nothing where the notification says something else, such as
 * that the message is late. RFC 3464 s2.3.3, s2.3.6.
 */
export function failureOf(notification: string, recipient: string): string | undefined {
  const field = (name: string) =>
    new RegExp(`^${name}:\\s*(.*(?:\\r?\\n[ \\t].*)*)`, 'im').exec(notification)?.[1]
  const action = field('Action')?.trim().toLowerCase()
  if (action !== 'failed' || !namesRecipient(notification, recipient)) return undefined
  return (field('Diagnostic-Code') ?? field('Status') ?? 'no reason').replace(/\s+/g, ' ').trim()
}
