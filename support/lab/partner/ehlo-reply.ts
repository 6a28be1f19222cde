import type { StarttlsFault } from './behaviour.ts'
import type { PartnerManner } from './partner-manner.ts'
import { numbered } from './replies.ts'

const MANY_LINES = 100

/**
 * The reply to EHLO: what a partner offers. Inside TLS (`secured`) STARTTLS is not listed: RFC 3207 s4.2. `size`: of the
 * largest message, in bytes.
 */
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
