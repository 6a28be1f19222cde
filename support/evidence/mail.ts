/** One message of a scenario. */
export interface Message {
  /** Empty: the null return path. */
  from: string
  to: string[]
  /** Stands in its subject, id and text and in no other message: it is found on any wire and in any mailbox. */
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

export interface Mail {
  /** As received, CRLF line ends; the gateway's Received lines are in front. */
  content: string
  /** Return path. */
  from: string
  to: string[]
}

/** A message that a partner took responsibility for: content ended with a dot and answered 250. */
export interface ReceivedMessage {
  from: string
  to: string[]
  /** As received, dots unstuffed, CRLF line ends. */
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
