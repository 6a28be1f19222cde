import { headersOf } from '../evidence/mail.ts'
import type { TlsSession } from './channel.ts'
import type { WordsDefects } from './defects.ts'

export interface Hop {
  hostname: string
  /** As the sender called itself; printable. */
  helo: string
  address: string
  extended: boolean
  authenticated: boolean
  session: TlsSession | undefined
  id: string
  /** Of the message that the line goes in front of. */
  content: Buffer
}

/** The gateway's own Received lines, CRLF line ends. RFC 5321 s4.4, RFC 3848. */
export function receivedLines(hop: Hop, defects: WordsDefects): string {
  const { session, hostname, helo, address, id } = hop
  const claimed =
    defects.receivedAlwaysTls || (defects.receivedFromLowerLine && lowerLineClaimsTls(hop.content))
  const secured = !defects.receivedNeverTls && (session !== undefined || claimed)
  const protocol = hop.extended || secured ? `ESMTP${secured ? 'S' : ''}` : 'SMTP'
  const tls = session ?? (claimed ? { version: 'TLSv1.3', suite: 'TLS_AES_256_GCM_SHA384' } : undefined)
  const version = defects.receivedFixedVersion ? 'TLSv1.3' : tls?.version
  const suite = defects.receivedFixedSuite ? 'ECDHE-RSA-AES128-GCM-SHA256' : tls?.suite
  const line = (by: string, how: string, about: string) =>
    `Received: from ${helo} ([${address}])\r\n\tby ${by} with ${how} id ${id}\r\n${about}\t; ${date()}\r\n`
  const about = secured && tls ? `\t(version=${version} cipher=${suite})\r\n` : ''
  const own = line(hostname, `${protocol}${hop.authenticated ? 'A' : ''}`, about)
  const next = defects.labelsNextHop ? line(`out.${hostname}`, 'ESMTPS', '\t(version=TLSv1.3)\r\n') : ''
  const claim = defects.claimsEndToEndInHeader ? 'X-Protection: encrypted end to end\r\n' : ''
  return `${next}${own}${claim}`
}

const lowerLineClaimsTls = (content: Buffer): boolean =>
  headersOf(content.toString('latin1')).some(
    ({ name, value }) => name === 'received' && /\bwith ESMTPS/.test(value),
  )

/** RFC 5322 s3.3 */
export const date = (): string => new Date().toUTCString().replace('GMT', '+0000')
