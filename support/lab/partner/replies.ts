import type { StarttlsFault } from './behaviour.ts'
import type { PartnerManner } from './partner-manner.ts'

// What a partner says, in its manner and with its faults: lines without their ends.

/** Longest reply line without its end, in octets: RFC 5321 s4.5.3.1.5. */
const LONGEST = 510
const MANY_LINES = 100

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

/** Inside TLS (`secured`) STARTTLS is not listed: RFC 3207 s4.2. `size`: of the largest message, in bytes. */
export function ehloReply(
  { hostname, size, secured }: { hostname: string; size: number; secured: boolean },
  starttls: StarttlsFault,
  manner: PartnerManner,
): string[] {
  const offer = secured ? [] : starttls.garbles ? ['XXXXXXXA'] : starttls.hides ? [] : ['STARTTLS']
  const listed = (secured ? starttls.tlsExtensions : starttls.clearExtensions) ?? []
  const others = [...extensions(size, manner), ...listed]
  if (manner.ehloLines === '100 lines') {
    const missing = MANY_LINES - 1 - others.length - offer.length
    others.push(...Array.from({ length: missing }, (_, i) => `X-EXTENSION-${i + 1}`))
  }
  const at = { first: 0, 'in the middle': Math.floor(others.length / 2), last: others.length }
  const keywords = others.toSpliced(at[manner.starttlsPlace ?? 'last'], 0, ...offer)
  const host = manner.ehloLines === 'text behind the host name' ? `${hostname} greets its visitor` : hostname
  return numbered(250, [host, ...keywords.map(keyword => written(keyword, manner))])
}

function extensions(size: number, manner: PartnerManner): string[] {
  const { withholds, offers = '', replies, ehloLines } = manner
  const silentOn = new Set<string>(withholds ? [withholds] : [])
  if (replies === 'without enhanced status codes') silentOn.add('ENHANCEDSTATUSCODES')
  const number = manner.size ?? size
  const all = [
    'PIPELINING',
    '8BITMIME',
    'ENHANCEDSTATUSCODES',
    number === 'without a number' ? 'SIZE' : `SIZE ${number}`,
    ...['CHUNKING', 'DSN', 'SMTPUTF8'].filter(word => offers.includes(word)),
  ].filter(line => !silentOn.has(line.split(' ', 1)[0]!))
  return ehloLines === 'keywords that nobody knows'
    ? ['X-STARTTLS-LATER', ...all, '3FUTURE A=1 B=TWO', 'STARTTLSX', 'X-SIZE 1']
    : all
}

function written(line: string, { keywordCase }: PartnerManner): string {
  const [keyword, ...parameters] = line.split(' ')
  const isStarttls = keyword === 'STARTTLS'
  const lower =
    keywordCase === 'all in lower case' || (isStarttls && keywordCase === 'STARTTLS in lower case')
  if (lower) return [keyword!.toLowerCase(), ...parameters].join(' ')
  return isStarttls && keywordCase === 'STARTTLS in mixed case' ? 'StartTLS' : line
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
function numbered(code: number, texts: readonly string[]): string[] {
  return texts.map((text, i) => `${code}${i === texts.length - 1 ? ' ' : '-'}${text}`)
}
