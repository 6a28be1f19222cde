import type { ReceiverSituation } from './decisions/receiver.ts'
import type { WordsDecisions } from './decisions/words.ts'

/** The headers that the gateway puts in front of a message, CRLF line ends. RFC 5321 s4.4, RFC 3848. */
export function headersInFront(
  at: ReceiverSituation & { id: string; content: string; authenticated: boolean },
  words: WordsDecisions,
): string {
  const { flow, helo, remoteAddress, greeting, id, authenticated } = at
  const tls = words.receivedTls(at)
  const protocol = tls ? 'ESMTPS' : greeting === 'EHLO' ? 'ESMTP' : 'SMTP'
  const session = tls ? `\t(version=${tls.version} cipher=${tls.suite})\r\n` : ''
  const received =
    `Received: from ${helo} ([${remoteAddress}])\r\n` +
    `\tby ${flow.hostname} with ${protocol}${authenticated ? 'A' : ''} id ${id}\r\n` +
    `${session}\t; ${date()}\r\n`
  return words.headers({ ...at, received }).join('')
}

/** RFC 5322 s3.3 */
export const date = (): string => new Date().toUTCString().replace('GMT', '+0000')
