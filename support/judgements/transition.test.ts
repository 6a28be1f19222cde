import type { Arrivals, MailStream } from '../evidence/mail-stream.ts'
import {
  CERTIFICATE,
  conversation,
  handover,
  IN_CLEAR,
  MESSAGE,
  OVER_TLS,
  table,
} from '../test-bed/fixtures/evidence.ts'
import { eachArrivedOnce, showsBoth, showsChange, showsThroughout } from './transition.ts'

const message = (n: number) => ({ ...MESSAGE, token: `token-${n}` })
const [one, two, three] = [message(1), message(2), message(3)]
const stream = (about: Partial<MailStream> = {}): MailStream => ({
  accepted: [one, two, three],
  neverAccepted: [],
  sessions: [],
  lastAttempts: {
    'token-1': handover(),
    'token-2': { ...handover(), breakdown: { kind: 'connection closed', detail: 'it closed' } },
  },
  ...about,
})
const arrivals = (about: Partial<Arrivals> = {}): Arrivals => ({
  missing: [],
  queued: [],
  doubled: [],
  ...about,
})

describe('judging whether every message of a stream arrived once', () => {
  table([
    ['all did', eachArrivedOnce(stream(), arrivals()), 'kept', /all 3 messages/],
    [
      'one is missing',
      eachArrivedOnce(stream(), arrivals({ missing: [one] })),
      'broken',
      /1 of 3 accepted messages did not arrive \(token-1: 250 2\.0\.0 Taken\)/,
    ],
    [
      'one came twice',
      eachArrivedOnce(stream(), arrivals({ doubled: [two] })),
      'broken',
      /1 of 3 messages arrived more than once/,
    ],
    [
      'one was never accepted',
      eachArrivedOnce(stream({ neverAccepted: [message(9)] }), arrivals()),
      'broken',
      /1 messages were never accepted \(token-9: \)/,
    ],
    [
      'one is in the queue still',
      eachArrivedOnce(stream(), arrivals({ queued: [one] })),
      'unclear',
      /1 of 3 accepted messages are still in the gateway's queue/,
    ],
    [
      'one is missing while another is in the queue',
      eachArrivedOnce(stream(), arrivals({ queued: [two], missing: [one] })),
      'broken',
      /did not arrive/,
    ],
    [
      'one came twice while another is in the queue',
      eachArrivedOnce(stream(), arrivals({ queued: [two], doubled: [one] })),
      'broken',
      /more than once/,
    ],
    [
      'too few were sent',
      eachArrivedOnce(stream({ accepted: [one] }), arrivals()),
      'unclear',
      /too few messages/,
    ],
  ])
})

const VALID = { notBefore: '2026-01-01T00:00:00Z', notAfter: '2026-12-31T00:00:00Z' }
const NOON = Date.parse('2026-06-01T12:00:00Z')
const shown = (issuer: string, at = NOON, validity = VALID) => {
  const handshake = { serverCertificate: { ...CERTIFICATE, ...validity, issuer: `CN=${issuer} root` } }
  return { at, handover: handover({ conversations: [conversation(OVER_TLS, { handshake })] }) }
}
const unencrypted = { at: NOON, handover: handover({ conversations: [conversation(IN_CLEAR)] }) }
const several = (count: number, issuer: string, at = NOON) =>
  Array.from({ length: count }, (_, n) => shown(issuer, at + n))

describe('judging whether sessions show one certificate', () => {
  const throughout = (...sessions: MailStream['sessions']) => showsThroughout(stream({ sessions }), 'former')
  table([
    ['all show it', throughout(...several(3, 'former')), 'kept', /3 sessions/],
    ['one without TLS counts for nothing', throughout(unencrypted, shown('former')), 'kept', /1 sessions/],
    [
      'one shows the new one',
      throughout(shown('former'), shown('new')),
      'broken',
      /showed the new certificate/,
    ],
    [
      'one shows that of somebody else',
      throughout(shown('former'), shown('another')),
      'broken',
      /a certificate of CN=another root/,
    ],
    [
      'one is not valid yet',
      throughout(shown('former', NOON, { ...VALID, notBefore: '2026-07-01T00:00:00Z' })),
      'broken',
      /outside its validity/,
    ],
    [
      'one is not valid any more',
      throughout(shown('former', NOON, { ...VALID, notAfter: '2026-05-01T00:00:00Z' })),
      'broken',
      /outside its validity/,
    ],
    ['none shows any', throughout(unencrypted), 'unclear', /no session showed/],
  ])
})

describe('judging whether sessions show a change of the certificate', () => {
  const change = (before: MailStream['sessions'], after: MailStream['sessions']) =>
    showsChange(stream({ sessions: [...before, ...after], changedAt: NOON }))
  const former = several(3, 'former', NOON - 1_000)
  const fresh = several(5, 'new', NOON + 1)
  table([
    [
      'the former before and the new one after',
      change(former, fresh),
      'kept',
      /3 sessions showed the former/,
    ],
    ['the former shows for a while after', change(former, [shown('former', NOON), ...fresh]), 'kept'],
    [
      'the former shows at the end still',
      change(former, [...fresh, shown('former', NOON + 9)]),
      'broken',
      /still showed the former/,
    ],
    [
      'the new one shows before',
      change([...former, shown('new', NOON - 1)], fresh),
      'broken',
      /before the change/,
    ],
    ['too few sessions', change(former.slice(0, 1), fresh.slice(0, 3)), 'unclear', /too few/],
    ['none before', change([], fresh), 'unclear', /no session was seen before/],
    [
      'one shows that of somebody else',
      change(former, [shown('another', NOON + 1), ...fresh]),
      'broken',
      /a certificate of CN=another/,
    ],
    ['nothing was changed', showsChange(stream({ sessions: former })), 'unclear', /nothing was changed/],
  ])
})

describe('judging whether the gateway saw the certificates of both authorities', () => {
  const by = (authority: string) =>
    conversation(OVER_TLS, {
      handshake: {
        serverCertificate: { ...CERTIFICATE, issuer: `CN=Mail TLS test ${authority} intermediate` },
      },
    })
  table([
    ['one after the other', showsBoth([by('former'), by('new')]), 'kept'],
    ['one alone', showsBoth([by('new'), by('new')]), 'unclear', /saw the new certificate alone/],
    ['none', showsBoth([]), 'unclear', /saw no certificate/],
  ])
})
