import type { Strength } from '../evidence/offer.ts'
import {
  arrival,
  CERTIFICATE,
  conversation,
  IN_CLEAR,
  inClear,
  OVER_TLS,
  sent,
  table,
} from '../test-bed/fixtures/evidence.ts'
import type { CertificateFacts } from '../wire/conversation.ts'
import { allArriveOverTls, avoids, sameCertificates } from './one-name.ts'

const ODD = { host: 'mx2.partner.test', address: '192.0.2.2' }
const DEFERRED = { kind: 'deferred', recipient: 'inbox@partner.test', reason: 'certificate' } as const
/** The gateway left the odd server inside TLS, and delivered to the other one. */
const left = conversation(OVER_TLS.slice(0, 10), { receiver: ODD.host })
const good = conversation(OVER_TLS)
const passed = sent({ arrivals: [arrival()], conversations: [left, good] })
const queued = sent({ arrivals: [], conversations: [left], deliveryEvents: [DEFERRED] })
const atOdd = sent({
  arrivals: [arrival({ host: ODD.host })],
  conversations: [conversation(OVER_TLS, { receiver: ODD.host })],
})
const unencrypted = sent({ arrivals: [arrival({ secured: false })], conversations: [left, inClear()] })

describe('judging messages to several servers behind one name', () => {
  table([
    ['all arrived over TLS', allArriveOverTls([passed, passed]), 'kept', /^all 2 messages arrived over TLS$/],
    ['one arrived unencrypted', allArriveOverTls([passed, unencrypted]), 'broken', /unencrypted/],
    ['one waits', allArriveOverTls([passed, queued]), 'broken', /did not arrive: deferred/],
    [
      'none went to the odd one',
      avoids(ODD, [passed, queued]),
      'refused',
      /^none of 2 messages went to 192\.0\.2\.2, .*; 1 arrived elsewhere/,
    ],
    ['one went to the odd one', avoids(ODD, [passed, atOdd]), 'broken', /^1 of 2 messages arrived at 192/],
    ['one arrived unencrypted elsewhere', avoids(ODD, [passed, unencrypted]), 'broken', /unencrypted/],
    [
      'the odd one was never tried',
      avoids(ODD, [sent({ arrivals: [arrival()], conversations: [good] })]),
      'unclear',
      /never connected to 192\.0\.2\.2/,
    ],
    [
      'nothing is known of one',
      avoids(ODD, [passed, sent({ arrivals: [], conversations: [left], deliveryEvents: [] })]),
      'unclear',
      /said nothing/,
    ],
  ])
})

const at = (
  address: string,
  certificate: Partial<CertificateFacts> = {},
  more: Partial<Strength> = {},
): Strength => ({
  address,
  outcomes: {},
  conversations: [
    conversation(OVER_TLS, { handshake: { serverCertificate: { ...CERTIFICATE, ...certificate } } }),
  ],
  ...more,
})

describe('judging the certificates of all addresses', () => {
  table([
    ['all alike', sameCertificates([at('a'), at('b')]), 'kept', /^2 addresses with/],
    [
      'another key is not another subject',
      sameCertificates([at('a'), at('b', { fingerprint: 'bb' })]),
      'kept',
    ],
    [
      'one with another issuer',
      sameCertificates([at('a'), at('b', { issuer: 'CN=former' }), at('c')]),
      'broken',
      /^b shows a certificate of CN=mx\.partner\.test, issued by CN=former, and a one of/,
    ],
    [
      'one with another subject',
      sameCertificates([at('a', { subject: 'CN=old.test' }), at('b'), at('c')]),
      'broken',
      /^a shows/,
    ],
    [
      'one without a server',
      sameCertificates([at('a'), at('b', {}, { absent: true })]),
      'kept',
      /^1 address/,
    ],
    [
      'one shows nothing',
      sameCertificates([at('a'), at('b', {}, { conversations: [conversation(IN_CLEAR)] })]),
      'unclear',
    ],
    [
      'one does not answer',
      sameCertificates([at('a'), at('b', {}, { unanswered: 'EHLO' })]),
      'unclear',
      /^b: EHLO/,
    ],
    ['no server at all', sameCertificates([at('a', {}, { absent: true })]), 'unclear'],
  ])
})
