import type { Notices } from '../evidence/sent.ts'
import { arrival, held, MESSAGE, received, sent, table } from '../test-bed/fixtures/evidence.ts'
import { authorNotified, nobodyNotified, reasonIsTls } from './notices.ts'

const recipient = MESSAGE.to[0]!
const givenUp = held({ deliveryEvents: [{ kind: 'bounced', recipient, reason: 'expired' }] })
const notice = received({ from: '', content: `Final-Recipient: rfc822; ${recipient}` })
/** Sent after the notification was there; it reached the author. */
const later = sent({ message: { ...MESSAGE, token: 'token-2' } })
const laterCopy = received({ content: 'The word is token-2.' })
const lost = sent({ message: later.message, arrivals: [] })
const at = (...toAuthor: Notices['toAuthor']): Notices => ({ toAuthor, toRecipient: [] })

const NOT_GIVEN_UP = [
  [
    'the gateway did not take the message',
    held({ refusal: '550 no' }),
    'unclear',
    /did not accept the message that it was to send: 550 no/,
  ],
  ['the message arrived', sent(), 'broken', /the message arrived/],
  [
    'the message arrived although the gateway says that it returned it',
    { ...givenUp, arrivals: [arrival()] },
    'broken',
    /the message arrived/,
  ],
  ['the gateway said nothing', held({ deliveryEvents: [] }), 'unclear', /said nothing/],
  [
    'the message is still queued',
    held({ attempts: 3 }),
    'broken',
    /after 3 attempts the message is still queued: TLS is required/,
  ],
] as const

const said = (text: string, type = 'message/rfc822') =>
  at(
    {
      ...notice,
      content: `Received: by mx (TLSv1.3)\r\n\r\n${recipient}: ${text}\r\n--b\r\nContent-Type: ${type}\r\n\r\nReceived: by mx with ESMTPS (TLS)\r\n`,
    },
    laterCopy,
  )

describe('judging whether the author was told why', () => {
  table([
    ['TLS', reasonIsTls(givenUp, said('TLS is required, but was not offered'), later), 'kept'],
    ['the certificate', reasonIsTls(givenUp, said('certificate has expired'), later), 'kept'],
    ['the time', reasonIsTls(givenUp, said('the time was over'), later), 'broken', /does not give TLS/],
    [
      'the time, with headers of the message',
      reasonIsTls(givenUp, said('the time was over', 'text/rfc822-headers'), later),
      'broken',
      /does not give TLS/,
    ],
    ['nothing at all', reasonIsTls(givenUp, at(laterCopy), later), 'broken', /did not tell/],
    ['the message waits', reasonIsTls(held({ attempts: 3 }), said('TLS'), later), 'broken', /still queued/],
  ])
})

describe('judging whether the author was told that a message was given up', () => {
  table([
    ['one notification came', authorNotified(givenUp, at(notice, laterCopy), later), 'kept'],
    [
      'a word about a delay came before it',
      authorNotified(
        givenUp,
        at({ ...notice, content: `Action: delayed\r\n\r\n${recipient}` }, notice, laterCopy),
        later,
      ),
      'kept',
    ],
    [
      'it writes the recipient in other letters',
      authorNotified(givenUp, at({ ...notice, content: recipient.toUpperCase() }, laterCopy), later),
      'kept',
    ],
    ['no notification came', authorNotified(givenUp, at(laterCopy), later), 'broken', /did not tell/],
    [
      'two came',
      authorNotified(givenUp, at(notice, notice, laterCopy), later),
      'broken',
      /got 2 notifications/,
    ],
    [
      'it has a return path',
      authorNotified(givenUp, at({ ...notice, from: 'x@y.test' }), later),
      'broken',
      /return path x@y\.test/,
    ],
    [
      'it does not name the recipient',
      authorNotified(givenUp, at({ ...notice, content: 'sorry' }), later),
      'broken',
      /does not name/,
    ],
    [
      'no later message reached the author, so a second one may be missing',
      authorNotified(givenUp, at(notice), lost),
      'unclear',
      /not even a later message/,
    ],
    ...NOT_GIVEN_UP.map(
      ([what, one, kind, detail]) =>
        [what, authorNotified(one, at(notice, laterCopy), later), kind, detail] as const,
    ),
  ])
})

describe('judging whether nobody was told of a message without return path', () => {
  table([
    [
      'only the later message came',
      nobodyNotified(givenUp, at(laterCopy), later),
      'refused',
      /sent no notification/,
    ],
    [
      'the author was notified',
      nobodyNotified(givenUp, at(notice, laterCopy), later),
      'broken',
      /sent a notification/,
    ],
    [
      'the recipient was notified',
      nobodyNotified(givenUp, { toAuthor: [laterCopy], toRecipient: [notice] }, later),
      'broken',
      /sent a notification/,
    ],
    ['no later message arrived', nobodyNotified(givenUp, at(), lost), 'unclear', /not even a later message/],
    ...NOT_GIVEN_UP.map(
      ([what, one, kind, detail]) => [what, nobodyNotified(one, at(laterCopy), later), kind, detail] as const,
    ),
  ])
})
