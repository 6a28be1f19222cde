import type { SessionWord } from '../evidence/words.ts'
import { conversation, IN_CLEAR, OVER_TLS, table } from '../test-bed/fixtures/evidence.ts'
import { logSays } from './log.ts'

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
      logSays([word()], 'encrypted', overTls),
      'kept',
      /TLSv1\.3, TLS_AES_256/,
    ],
    [
      'it spells the version in another way',
      logSays([word({ version: 'TLS1.3' })], 'encrypted', overTls),
      'kept',
    ],
    [
      'it names the version alone',
      logSays([{ tls: true, version: 'TLSv1.3', line: '' }], 'encrypted', overTls),
      'kept',
    ],
    [
      'it names the suite alone',
      logSays([{ tls: true, suite: 'TLS_AES_256_GCM_SHA384', line: '' }], 'encrypted', overTls),
      'kept',
    ],
    [
      'it names another version',
      logSays([word({ version: 'TLSv1.2' })], 'encrypted', overTls),
      'broken',
      /the wire had TLSv1\.3, the log says TLSv1\.2/,
    ],
    [
      'it names another suite',
      logSays([word({ suite: 'TLS_AES_128_GCM_SHA256' })], 'encrypted', overTls),
      'broken',
      /the log says TLS_AES_128/,
    ],
    [
      'it names neither',
      logSays([{ tls: true, line: '' }], 'encrypted', overTls),
      'broken',
      /neither version nor suite/,
    ],
    [
      'it says nothing',
      logSays([], 'encrypted', overTls),
      'broken',
      /does not say that the session was encrypted/,
    ],
    [
      'it speaks of a session without TLS alone',
      logSays([noTls], 'encrypted', overTls),
      'broken',
      /does not say/,
    ],
    ['a second attempt had no TLS', logSays([word(), noTls], 'encrypted', overTls), 'kept'],
    [
      'there was no TLS to speak of',
      logSays([word()], 'encrypted', unencrypted),
      'unclear',
      /no TLS session/,
    ],
    [
      'a good certificate is called verified',
      logSays([word({ verified: true })], 'verified', overTls),
      'kept',
    ],
    [
      'a good certificate is called unverified',
      logSays([word({ verified: false })], 'verified', overTls),
      'broken',
      /good certificate unverified/,
    ],
    ['a product that never says verified', logSays([word()], 'verified', overTls), 'kept'],
    [
      'a bad certificate is called unverified',
      logSays([word({ verified: false })], 'unverified', overTls),
      'kept',
    ],
    [
      'a bad certificate is called verified',
      logSays([word({ verified: true })], 'unverified', overTls),
      'broken',
      /a bad certificate verified: a line of the log/,
    ],
    ['a session in the clear is not spoken of', logSays([], 'clear', unencrypted), 'kept', /claims no TLS/],
    [
      'a session in the clear is spoken of as such',
      logSays([noTls], 'clear', unencrypted),
      'kept',
      /claims no TLS/,
    ],
    [
      'a session in the clear is called encrypted',
      logSays([word()], 'clear', unencrypted),
      'broken',
      /calls an unencrypted session encrypted/,
    ],
    [
      'a session was to be in the clear and was not',
      logSays([], 'clear', overTls),
      'unclear',
      /was encrypted/,
    ],
  ])
})
