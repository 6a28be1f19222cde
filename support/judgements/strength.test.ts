import type { Strength } from '../evidence/offer.ts'
import { table } from '../test-bed/fixtures/evidence.ts'
import { equallyStrong } from './strength.ts'

const GOOD = { 'TLS 1.3 alone': 'TLSv1.3', 'TLS 1.1 alone': 'refused (handshake failed)' }
const at = (
  address: string,
  outcomes: Record<string, string> = GOOD,
  about: Partial<Strength> = {},
): Strength => ({
  address,
  outcomes: { ...GOOD, ...outcomes },
  conversations: [],
  ...about,
})
const absent = at('nobody', {}, { absent: true })

describe('judging the TLS of all addresses of a domain', () => {
  table([
    ['all answer alike', equallyStrong([at('a'), at('b')]), 'kept', /2 addresses with the same TLS$/],
    ['there is one address', equallyStrong([at('a')]), 'kept', /1 address with/],
    [
      'one has no server, and is left out',
      equallyStrong([at('a'), absent]),
      'kept',
      /1 address without a server left out/,
    ],
    [
      'two refuse in two ways',
      equallyStrong([at('a'), at('b', { 'TLS 1.1 alone': 'refused (closed)' })]),
      'kept',
    ],
    [
      'one takes an old version',
      equallyStrong([at('a'), at('b', { 'TLS 1.1 alone': 'TLSv1.1' })]),
      'broken',
      /asked for TLS 1\.1 alone, b is the weaker/,
    ],
    [
      'one does not take a new version',
      equallyStrong([at('a'), at('b', { 'TLS 1.3 alone': 'refused (closed)' })]),
      'broken',
      /asked for TLS 1\.3 alone, b is the weaker/,
    ],
    [
      'the first one is the weaker',
      equallyStrong([at('a', { 'TLS 1.1 alone': 'TLSv1.1' }), at('b')]),
      'broken',
      /a is the weaker: a answers TLSv1\.1, b answers refused/,
    ],
    [
      'two agree on different things',
      equallyStrong([at('a'), at('b', { 'TLS 1.3 alone': 'TLSv1.3, P-256' })]),
      'broken',
      /asked for TLS 1\.3 alone, a answers TLSv1\.3, b answers TLSv1\.3, P-256/,
    ],
    [
      'what one refuses and the other takes tells more than what both take differently',
      equallyStrong([at('a'), at('b', { 'TLS 1.3 alone': 'TLSv1.3, P-256', 'TLS 1.1 alone': 'TLSv1.1' })]),
      'broken',
      /TLS 1\.1 alone, b is the weaker/,
    ],
    [
      'one does not answer in time',
      equallyStrong([at('a'), at('b', {}, { unanswered: 'no reply' })]),
      'unclear',
      /b: no reply/,
    ],
    ['nobody takes connections', equallyStrong([absent]), 'unclear', /no server accepts connections/],
  ])
})
