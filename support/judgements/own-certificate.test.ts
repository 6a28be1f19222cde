import type { Session } from '../evidence/session.ts'
import { CERTIFICATE, conversation, session, table } from '../test-bed/fixtures/evidence.ts'
import type { CertificateFacts } from '../wire/conversation.ts'
import { isFitForServer, isForOwnName, isWithinItsDates } from './own-certificate.ts'

const showing = (facts: Partial<CertificateFacts>): Session =>
  session([], {
    secured: true,
    conversation: conversation([], {
      startedAt: '2026-06-01T12:00:00.000Z',
      handshake: {
        serverCertificate: {
          ...CERTIFICATE,
          notBefore: 'Jan  1 00:00:00 2026 GMT',
          notAfter: 'Dec 31 00:00:00 2026 GMT',
          ...facts,
        },
      },
    }),
  })

describe("judging the dates of the gateway's certificate", () => {
  table([
    ['now is between them', isWithinItsDates(showing({})), 'kept', /valid until 2026-12-31/],
    [
      'it has expired',
      isWithinItsDates(showing({ notAfter: 'May  1 00:00:00 2026 GMT' })),
      'broken',
      /^the gateway's certificate expired on 2026-05-01$/,
    ],
    [
      'it is not valid yet',
      isWithinItsDates(showing({ notBefore: 'Jul  1 00:00:00 2026 GMT' })),
      'broken',
      /not valid before 2026-07-01/,
    ],
    ['there was no TLS', isWithinItsDates(session([])), 'unclear'],
  ])
})

describe("judging the name in the gateway's certificate", () => {
  const named = (...names: string[]) => isForOwnName(showing({ names }), 'mx.gateway.test')
  table([
    ['its own, in capitals', named('other.test', 'MX.Gateway.test'), 'kept'],
    ['a wildcard for it', named('*.gateway.test'), 'kept'],
    ['a wildcard two labels above', named('*.test'), 'broken'],
    [
      'a wildcard for a name without a dot',
      isForOwnName(showing({ names: ['*.localhost'] }), 'localhost'),
      'broken',
    ],
    ['localhost', named('localhost'), 'broken', /is for localhost, and not for mx\.gateway\.test$/],
    ['many others', named('a.test', 'b.test', 'c.test', 'd.test'), 'broken', /c\.test and 1 more names/],
    ['a longer one', named('mx.gateway.test.evil.test'), 'broken'],
    [
      'none but in the subject',
      isForOwnName(showing({ names: [], subject: 'CN=mx.gateway.test' }), 'mx.gateway.test'),
      'broken',
      /has no alternative name \(its subject is CN=mx\.gateway\.test\)/,
    ],
    ['the gateway has no name', isForOwnName(showing({}), '192.0.2.1'), 'unclear'],
    ['there was no TLS', isForOwnName(session([]), 'mx.gateway.test'), 'unclear'],
  ])
})

describe("judging whether the gateway's certificate is fit for a server", () => {
  const fitness = (facts: Partial<CertificateFacts>) =>
    isFitForServer(
      showing({ signature: 'sha256WithRSAEncryption', key: { type: 'rsa', bits: 2048 }, ...facts }),
    )
  table([
    ['RSA of 2048 bits', fitness({}), 'kept', /rsa 2048 bits, signed with sha256WithRSAEncryption/],
    ['RSA-PSS', fitness({ key: { type: 'rsa-pss', bits: 2048 } }), 'kept'],
    ['RSA of 1024 bits', fitness({ key: { type: 'rsa', bits: 1024 } }), 'broken', /has 1024 bits/],
    ...['prime256v1', 'secp384r1', 'secp521r1', 'secp224r1'].map(
      curve => [`the curve ${curve}`, fitness({ key: { type: 'ec', curve } }), 'kept'] as const,
    ),
    ['a small curve', fitness({ key: { type: 'ec', curve: 'secp160r1' } }), 'broken', /secp160r1/],
    ["a small curve in NIST's words", fitness({ key: { type: 'ec', curve: 'P-192' } }), 'broken', /P-192/],
    ['a short key of DSA', fitness({ key: { type: 'dsa', bits: 1024 } }), 'broken', /has 1024 bits/],
    ['Ed25519', fitness({ key: { type: 'ed25519' }, signature: 'ED25519' }), 'kept'],
    ['SHA-1', fitness({ signature: 'sha1WithRSAEncryption' }), 'broken', /signed with sha1WithRSAEncryption/],
    ['SHA-1 with ECDSA', fitness({ signature: 'ecdsa-with-SHA1' }), 'broken'],
    ['for clients alone', fitness({ usages: ['1.3.6.1.5.5.7.3.2'] }), 'broken', /not for servers/],
    ['for both', fitness({ usages: ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1'] }), 'kept'],
    ['an old record without key and signature', isFitForServer(showing({})), 'kept'],
    ['there was no TLS', isFitForServer(session([])), 'unclear'],
  ])
})
