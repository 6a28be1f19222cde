import type { SessionWord } from '../evidence/gateway-words.ts'
import { conversation, IN_CLEAR, OVER_TLS, table } from '../test-bed/fixtures/evidence.ts'
import { logAgreesWithWire, tellsWhichHadTls } from './log.ts'

const overTls = [conversation(OVER_TLS)]
const unencrypted = [conversation(IN_CLEAR)]
const word = (about: Partial<SessionWord> = {}): SessionWord => ({
  tls: true,
  version: 'TLSv1.3',
  suite: 'TLS_AES_256_GCM_SHA384',
  line: 'a line of the log',
  ...about,
})
const noTls: SessionWord = { tls: false, line: 'connect' }

describe('judging what the log says of a session', () => {
  table([
    [
      'it names version and suite of the session',
      logAgreesWithWire([word()], 'encrypted', overTls),
      'kept',
      /TLSv1\.3, TLS_AES_256/,
    ],
    [
      'it spells the version in another way',
      logAgreesWithWire([word({ version: 'TLS1.3' })], 'encrypted', overTls),
      'kept',
    ],
    [
      'it names the version alone',
      logAgreesWithWire([{ tls: true, version: 'TLSv1.3', line: '' }], 'encrypted', overTls),
      'kept',
    ],
    [
      'it names the suite alone',
      logAgreesWithWire([{ tls: true, suite: 'TLS_AES_256_GCM_SHA384', line: '' }], 'encrypted', overTls),
      'kept',
    ],
    [
      'it names another version',
      logAgreesWithWire([word({ version: 'TLSv1.2' })], 'encrypted', overTls),
      'broken',
      /the wire had TLSv1\.3, the log says TLSv1\.2/,
    ],
    [
      'it names another suite',
      logAgreesWithWire([word({ suite: 'TLS_AES_128_GCM_SHA256' })], 'encrypted', overTls),
      'broken',
      /the log says TLS_AES_128/,
    ],
    [
      'it names neither',
      logAgreesWithWire([{ tls: true, line: '' }], 'encrypted', overTls),
      'broken',
      /neither version nor suite/,
    ],
    [
      'it says nothing',
      logAgreesWithWire([], 'encrypted', overTls),
      'broken',
      /does not say that the session was encrypted/,
    ],
    [
      'it speaks of a session without TLS alone',
      logAgreesWithWire([noTls], 'encrypted', overTls),
      'broken',
      /does not say/,
    ],
    ['a second attempt had no TLS', logAgreesWithWire([word(), noTls], 'encrypted', overTls), 'kept'],
    [
      'there was no TLS to speak of',
      logAgreesWithWire([word()], 'encrypted', unencrypted),
      'unclear',
      /no TLS session/,
    ],
    [
      'a good certificate is called verified',
      logAgreesWithWire([word({ verified: true })], 'verified', overTls),
      'kept',
    ],
    [
      'a good certificate is called unverified',
      logAgreesWithWire([word({ verified: false })], 'verified', overTls),
      'broken',
      /good certificate unverified/,
    ],
    ['a product that never says verified', logAgreesWithWire([word()], 'verified', overTls), 'kept'],
    [
      'a bad certificate is called unverified',
      logAgreesWithWire([word({ verified: false })], 'unverified', overTls),
      'kept',
    ],
    [
      'a bad certificate is called verified',
      logAgreesWithWire([word({ verified: true })], 'unverified', overTls),
      'broken',
      /without a good certificate verified: a line of the log/,
    ],
    [
      'a session in the clear is not spoken of',
      logAgreesWithWire([], 'unencrypted', unencrypted),
      'kept',
      /claims no TLS/,
    ],
    [
      'a session in the clear is spoken of as such',
      logAgreesWithWire([noTls], 'unencrypted', unencrypted),
      'kept',
      /claims no TLS/,
    ],
    [
      'a session in the clear is called encrypted',
      logAgreesWithWire([word()], 'unencrypted', unencrypted),
      'broken',
      /calls an unencrypted session encrypted/,
    ],
    [
      'a session was to be in the clear and was not',
      logAgreesWithWire([], 'unencrypted', overTls),
      'unclear',
      /was encrypted/,
    ],
  ])
})

describe('judging whether the log shows that TLS was lost', () => {
  const lost = [conversation(OVER_TLS), { ...conversation(IN_CLEAR), id: 'second' }]
  table([
    ['it tells of the one session', tellsWhichHadTls([word()], lost), 'kept', /just the 1 of 2/],
    ['it says that the other had none', tellsWhichHadTls([word(), noTls], lost), 'kept'],
    ['it tells of both', tellsWhichHadTls([word(), word()], lost), 'broken', /2 in place of 1/],
    [
      'it tells of none',
      tellsWhichHadTls([noTls, noTls], lost),
      'broken',
      /in none of the sessions that had it/,
    ],
    ['there was no TLS', tellsWhichHadTls([noTls], unencrypted), 'unclear'],
  ])
})
