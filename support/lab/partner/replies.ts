import type { PartnerManner } from './partner-manner.ts'

// What a partner says, in its manner and with its faults: lines without their ends.

/** Longest reply line without its end, in octets: RFC 5321 s4.5.3.1.5. */
const LONGEST = 510

export function greetingReply(hostname: string, { greeting }: PartnerManner): string[] {
  switch (greeting) {
    case 'in three lines':
      return [`220-${hostname} ESMTP`, '220-Mail for this host alone', '220 Everything is logged']
    case 'in lower case':
      return [`220 ${hostname} esmtp ready`]
    case 'without ESMTP':
      return [`220 ${hostname} ready`]
    default:
      return [`220 ${hostname} ESMTP`]
  }
}

/** A reply of one line, as the partner's manner has it. */
export function wordedReply(reply: string, { replies }: PartnerManner): string[] {
  const [, code, enhanced = '', text] = /^(\d{3}) ((?:\d\.\d{1,3}\.\d{1,3} )?)(.*)$/.exec(reply)!
  switch (replies) {
    case 'without enhanced status codes':
      return [`${code} ${text}`]
    case 'in lower case':
      return [`${code} ${enhanced}${text!.toLowerCase()}`]
    case 'in several lines':
      return numbered(Number(code), [`${enhanced}This reply`, `${enhanced}has three lines:`, enhanced + text])
    case 'of 512 octets':
      return [`${reply}, and this is a long reply`.padEnd(LONGEST, '.').slice(0, LONGEST)]
    default:
      return [reply]
  }
}

/** Lines of one reply: RFC 5321 s4.2.1. */
export function numbered(code: number, texts: readonly string[]): string[] {
  return texts.map((text, i) => `${code}${i === texts.length - 1 ? ' ' : '-'}${text}`)
}
