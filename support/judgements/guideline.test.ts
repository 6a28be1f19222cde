import { conversation, HELLO, OVER_TLS, table } from '../test-bed/fixtures/evidence.ts'
import { certificateOffer, offer, suiteOffer } from '../test-bed/fixtures/offer.ts'
import type { ClientHello, WireEvent } from '../wire/conversation.ts'
import { offersWithin, staysWithin } from './guideline.ts'

const CHACHA20 = 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256'
const STATIC_RSA = 'TLS_RSA_WITH_AES_128_GCM_SHA256'
const withSuite = (name: string, more = {}) => offer({}, { 'TLSv1.2': [suiteOffer(name, more)] })
const anOption = (known: 'yes' | 'no') => offer({ options: { compression: { known, seen: 'x' } } })

describe('judging by the tables of a guideline what a gateway accepts', () => {
  table([
    ['nothing that NIST forbids', staysWithin(offer(), 'NIST-01'), 'refused', /SP 800-52 rev\. 2 \(2019\)/],
    [
      'ChaCha20',
      staysWithin(withSuite(CHACHA20), 'NIST-01'),
      'broken',
      /^the gateway accepts what NIST forbids: ECDHE-RSA-CHACHA20-POLY1305 with TLS 1\.2 \(/,
    ],
    ['ChaCha20, where options are asked for', staysWithin(withSuite(CHACHA20), 'NIST-02'), 'refused'],
    ['no TLS 1.3', staysWithin(offer({}, { 'TLSv1.3': undefined }), 'NIST-01'), 'broken', /no TLS 1\.3/],
    [
      'TLS 1.1, which public servers may have',
      staysWithin(offer({}, { 'TLSv1.1': ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA'] }), 'NIST-01'),
      'refused',
      /to be phased out: TLS 1\.1/,
    ],
    ['TLS compression', staysWithin(anOption('yes'), 'NIST-02'), 'broken', /compression/],
    ['no TLS compression', staysWithin(anOption('no'), 'NIST-02'), 'refused'],
    [
      'a short key',
      staysWithin(
        offer({ certificates: [certificateOffer({ key: { type: 'rsa', bits: 1024 } })] }),
        'NIST-02',
      ),
      'broken',
      /RSA 1024 bits/,
    ],
    ['key exchange by RSA', staysWithin(withSuite(STATIC_RSA), 'BSI-02'), 'broken', /AES128-GCM-SHA256/],
    [
      'key exchange by RSA, which NCSC phases out',
      staysWithin(withSuite(STATIC_RSA), 'NCSC-01'),
      'refused',
      /phased out: AES128-GCM-SHA256/,
    ],
    ['SSL 3', staysWithin(offer({}, { SSLv3: [STATIC_RSA] }), 'NCSC-01'), 'broken', /SSL 3/],
    [
      'a finite field that the server has made up',
      staysWithin(
        withSuite('TLS_DHE_RSA_WITH_AES_128_GCM_SHA256', { dhBits: 2048, dhPrime: 'ab'.repeat(256) }),
        'NCSC-01',
      ),
      'broken',
      /DHE-RSA-AES128-GCM-SHA256/,
    ],
    [
      'more than anybody reads',
      staysWithin(
        offer(
          {},
          {
            'TLSv1.2': [128, 256].flatMap(bits =>
              ['CBC', 'GCM', 'CCM', 'CCM_8'].map(mode => `TLS_PSK_WITH_ARIA_${bits}_${mode}_SHA`),
            ),
          },
        ),
        'NCSC-01',
      ),
      'broken',
      /and 2 more \(NCSC/,
    ],
    ['nobody answers', staysWithin(offer({ unreachable: 'no connection' }), 'BSI-02'), 'unclear'],
    ['it was put off', staysWithin(offer({ brokenOff: '421 later' }), 'BSI-02'), 'unclear', /421 later/],
  ])
})

/** Connections with one ClientHello. */
function offering(more: Partial<ClientHello> = {}) {
  const hello: ClientHello = { ...HELLO, groups: ['P-256'], ...more }
  const said: WireEvent = { at: 7, from: 'sender', secured: false, text: '', kind: 'hello', hello }
  const begun = conversation(OVER_TLS.slice(0, 6))
  return [{ ...begun, events: [...begun.events, said] }]
}

describe('judging by the tables of a guideline what a gateway offers', () => {
  table([
    ['nothing that NIST forbids', offersWithin(offering(), 'NIST-01'), 'kept', /nothing that NIST forbids/],
    [
      'ChaCha20 in TLS 1.3',
      offersWithin(offering({ suites: ['TLS_CHACHA20_POLY1305_SHA256'] }), 'NIST-01'),
      'broken',
      /^the gateway offers what NIST forbids: TLS_CHACHA20_POLY1305_SHA256/,
    ],
    [
      'SSL 3',
      offersWithin(offering({ versions: ['TLSv1.3', 'TLSv1.2', 'SSLv3'] }), 'NIST-01'),
      'broken',
      /SSL 3/,
    ],
    ['no TLS 1.3', offersWithin(offering({ versions: ['TLSv1.2'] }), 'NIST-01'), 'broken', /no TLS 1\.3/],
    [
      'a hello without a list of versions',
      offersWithin(offering({ versions: ['TLSv1.2', 'SSLv3'], extensions: [23] }), 'NIST-01'),
      'broken',
      /forbids: no TLS 1\.3 \(/,
    ],
    ['no secure renegotiation', offersWithin(offering({ renegotiationInfo: false }), 'NIST-02'), 'broken'],
    [
      'SHA-1',
      offersWithin(offering({ signatureAlgorithms: ['rsa_pkcs1_sha1'] }), 'NIST-02'),
      'broken',
      /rsa_pkcs1_sha1/,
    ],
    ['key exchange by RSA', offersWithin(offering({ suites: [STATIC_RSA] }), 'BSI-02'), 'broken'],
    [
      'X25519, which BSI does not list',
      offersWithin(offering({ groups: ['X25519'] }), 'BSI-02'),
      'kept',
      /phased out: X25519/,
    ],
    ['no connection', offersWithin([], 'BSI-02'), 'unclear'],
  ])
})
