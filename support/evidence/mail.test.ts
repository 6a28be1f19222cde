import assert from 'node:assert/strict'
import { failureOf } from './mail.ts'

describe('a notification to the author', () => {
  const notice = (action: string, more = '') =>
    [
      'Content-Type: message/delivery-status',
      '',
      'Reporting-MTA: dns; mx.gateway.test',
      '',
      'Final-Recipient: rfc822; b@partner.test',
      `Action: ${action}`,
      'Status: 5.7.4',
      more,
    ].join('\r\n')

  const REASONS: Record<string, [notice: string, reason: string | undefined]> = {
    'of a failure': [notice('failed'), '5.7.4'],
    'of a failure, with its cause': [
      notice(
        'failed',
        'Diagnostic-Code: smtp; TLS is required,\r\n    but was not offered\r\nRemote-MTA: dns; mx',
      ),
      'smtp; TLS is required, but was not offered',
    ],
    'of a delay': [notice('delayed'), undefined],
    'of a failure for somebody else': [notice('failed').replace('b@partner', 'c@elsewhere'), undefined],
    'that is no notification': ['Subject: hello\r\n\r\nb@partner.test failed', undefined],
  }
  for (const [what, [content, reason]] of Object.entries(REASONS))
    it(`${what} says why the message came back: ${reason}`, () => {
      assert.equal(failureOf(content, 'b@partner.test'), reason)
    })
})
