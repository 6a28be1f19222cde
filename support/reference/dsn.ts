import { randomBytes } from 'node:crypto'
import { date } from './received.ts'

export interface Failure {
  recipient: string
  reason: string
}

/** A delivery status notification for the author of a message that the gateway gave up; RFC 3464, CRLF line ends. */
export function notification(about: {
  hostname: string
  author: string
  content: Buffer
  failures: readonly Failure[]
}): Buffer {
  const { hostname, author, content, failures } = about
  const boundary = `=_${randomBytes(12).toString('hex')}`
  const headers = content.toString('latin1').split('\r\n\r\n', 1)[0]
  const part = (type: string, lines: string[]) => [`--${boundary}`, `Content-Type: ${type}`, '', ...lines, '']
  return Buffer.from(
    [
      `From: Mail delivery <postmaster@${hostname}>`,
      `To: <${author}>`,
      'Subject: Your message could not be delivered',
      `Date: ${date()}`,
      `Message-ID: <${randomBytes(12).toString('hex')}@${hostname}>`,
      'Auto-Submitted: auto-replied',
      'MIME-Version: 1.0',
      `Content-Type: multipart/report; report-type=delivery-status; boundary="${boundary}"`,
      '',
      ...part('text/plain; charset=us-ascii', [
        'Your message could not be delivered to:',
        ...failures.map(({ recipient, reason }) => `<${recipient}>: ${reason}`),
      ]),
      ...part('message/delivery-status', [
        `Reporting-MTA: dns; ${hostname}`,
        ...failures.flatMap(({ recipient, reason }) => [
          '',
          `Final-Recipient: rfc822; ${recipient}`,
          'Action: failed',
          'Status: 5.0.0',
          `Diagnostic-Code: x-reference; ${reason}`,
        ]),
      ]),
      ...part('text/rfc822-headers', [headers ?? '']),
      `--${boundary}--`,
      '',
    ].join('\r\n'),
    'latin1',
  )
}
