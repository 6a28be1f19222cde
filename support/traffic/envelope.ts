import { isEightBit, type Message } from '../evidence/mail.ts'
import type { ClientManner } from './client-manner.ts'

/** Longest local part of an address, in characters: RFC 5321 s4.5.3.1.1. */
const LONGEST_LOCAL_PART = 64

/** One recipient that a client names. */
export interface Recipient {
  address: string
  /** The message is for this one; the others are there for the manner alone. */
  own: boolean
}

/** A command as the manner has it: its letters and its end. `line` has neither line end nor anything secret. */
export function spelled(line: string, { commandCase, commandEnd }: ClientManner): string {
  const keyword = /^(?:MAIL FROM|RCPT TO|[A-Z]+)/.exec(line)?.[0] ?? ''
  const letters =
    commandCase === 'lower case'
      ? keyword.toLowerCase()
      : commandCase === 'mixed case'
        ? keyword.replace(/[A-Z]{2}/g, ([first, second]) => `${first}${second!.toLowerCase()}`)
        : keyword
  return `${letters}${line.slice(keyword.length)}${commandEnd ? ' ' : ''}`
}

/** A reverse-path or forward-path, without angle brackets; its domain is that of the address. RFC 5321 s4.1.2. */
export function pathOf(address: string, form: ClientManner['sender']): string {
  const [local, domain] = address.split('@') as [string, string | undefined]
  // A null sender of the example's own has no local part to be written in another way.
  if (domain === undefined) return address
  switch (form) {
    case 'null':
      return ''
    case 'quoted local part':
      return `"${local} quoted"@${domain}`
    case 'quoted local part with an at sign':
      return `"${local}@elsewhere.test"@${domain}`
    case 'source route':
      return `@first.elsewhere.test,@second.elsewhere.test:${address}`
    case 'domain in capitals':
      return `${local}@${domain.toUpperCase()}`
    case 'local part of 64 characters':
      return `${local.padEnd(LONGEST_LOCAL_PART, 'x')}@${domain}`
    default:
      return address
  }
}

/** MAIL with its parameters. Content with bytes above 127 needs BODY=8BITMIME: RFC 6152 s3. */
export function mailCommand(
  { from, content, token, uLabels }: Message,
  { sender, parameters }: ClientManner,
): string {
  const said = [
    ...(parameters?.includes('SIZE') ? [`SIZE=${content.length}`] : []),
    ...(parameters?.includes('BODY') || isEightBit(content) ? ['BODY=8BITMIME'] : []),
    ...(parameters === 'SMTPUTF8' || uLabels ? ['SMTPUTF8'] : []),
    // `+2B` is a plus sign as xtext: RFC 3461 s4.
    ...(parameters === 'RET and ENVID' ? ['RET=HDRS', `ENVID=${token}+2Bprobe`] : []),
  ]
  return [`MAIL FROM:<${pathOf(from, sender)}>`, ...said].join(' ')
}

/** In the order in which the client names them. */
export function recipientsOf({ to, token }: Message, { recipients }: ClientManner): Recipient[] {
  const own = to.map(address => ({ address, own: true }))
  const domain = to[0]?.split('@').at(-1)
  const other = (local: string) => ({ address: `${local}@${domain}`, own: false })
  if (!domain) return own
  switch (recipients) {
    case 'two, the mailbox first':
      return [...own, other('postmaster')]
    case 'two, the mailbox second':
      return [other('postmaster'), ...own]
    case 'the mailbox twice':
      return [...own, ...own.map(({ address }) => ({ address, own: false }))]
    case 'one that does not exist, then the mailbox':
      return [other(`nobody-${token}`), ...own]
    default:
      return own
  }
}

/** An IP address in brackets, in place of a name: RFC 5321 s4.1.3. */
export const addressLiteral = (address: string): string =>
  address.includes(':') ? `[IPv6:${address}]` : `[${address}]`
