import type { Finding, Option, TlsOffer, VersionOffer } from '../evidence/offer.ts'
import { table } from '../test-bed/fixtures/evidence.ts'
import { certificateOffer, offer, suiteOffer } from '../test-bed/fixtures/offer.ts'
import {
  acceptsListedSuites,
  acceptsOffer,
  certificatesAreStrong,
  choosesInListedOrder,
  choosesNewest,
  prefersForwardSecrecy,
  refusesOffer,
  refusesOfferWith,
  sendsTicketsLate,
} from './tls-offer.ts'

const nobody = offer({ unreachable: 'no connection' })
const withVersion = (version: string, change: Partial<VersionOffer>): TlsOffer => {
  const one = offer()
  return { ...one, versions: one.versions.map(v => (v.version === version ? { ...v, ...change } : v)) }
}
const withOption = (option: Option, finding: Partial<Finding>): TlsOffer =>
  offer({ options: { [option]: { known: 'yes', seen: 'x', ...finding } } })
const withSuite = (name: string, more = {}) =>
  offer({}, { 'TLSv1.2': ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', suiteOffer(name, more)] })
const turned = (suite: string) =>
  withVersion('TLSv1.2', {
    suites: {
      all: [suiteOffer('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'), suiteOffer('TLS_RSA_WITH_AES_128_CBC_SHA')],
    },
    turned: { suite, seen: 'x' },
  })

describe('judging when session tickets are sent', () => {
  table([
    ['after the Finished', sendsTicketsLate(withOption('early ticket', { known: 'no' })), 'refused'],
    [
      'before the Finished',
      sendsTicketsLate(withOption('early ticket', {})),
      'broken',
      /before the client's/,
    ],
    ['it is not known', sendsTicketsLate(offer({ options: {} })), 'unclear', /no answer/],
    [
      'the server does not close',
      sendsTicketsLate(withOption('early ticket', { known: 'unknown', said: 'no answer: x' })),
      'unclear',
      /no answer: x/,
    ],
    ['there is no TLS 1.3', sendsTicketsLate(offer({ options: {} }, { 'TLSv1.3': undefined })), 'kept'],
    ['nobody answers', sendsTicketsLate(nobody), 'unclear', /no connection/],
  ])
})

describe('judging that an offer is accepted', () => {
  table([
    ['it is', acceptsOffer(offer(), 'only TLS 1.2'), 'kept'],
    [
      'it is not',
      acceptsOffer(offer({}, { 'TLSv1.2': undefined }), 'only TLS 1.2'),
      'broken',
      /does not accept only TLS 1\.2 \(alert/,
    ],
    [
      'an option is not acknowledged',
      acceptsOffer(withOption('extended master secret', { known: 'no' }), 'the extended master secret'),
      'broken',
    ],
    [
      'the question does not apply',
      acceptsOffer(offer({ options: {} }), 'secure renegotiation'),
      'unclear',
      /accepts no version/,
    ],
    ['nobody answers', acceptsOffer(nobody, 'only TLS 1.2'), 'unclear', /no connection/],
  ])
})

describe('judging that an offer is refused', () => {
  table([
    ['it is', refusesOffer(offer(), 'only TLS 1.0'), 'refused', /alert protocol_version/],
    [
      'it is not',
      refusesOffer(offer({}, { TLSv1: ['TLS_RSA_WITH_AES_128_CBC_SHA'] }), 'only TLS 1.0'),
      'broken',
    ],
    [
      'there was no answer',
      refusesOffer(withVersion('TLSv1', { known: 'unknown', said: 'no answer: x' }), 'only TLS 1.0'),
      'unclear',
      /no answer: x/,
    ],
    ['no suite is of this kind', refusesOffer(offer(), 'only suites with RC4'), 'refused'],
    [
      'a suite is',
      refusesOffer(withSuite('TLS_RSA_WITH_RC4_128_SHA'), 'only suites with RC4'),
      'broken',
      /\(RC4-SHA with TLS 1\.2\)/,
    ],
    [
      'a suite of an older version is',
      refusesOffer(offer({}, { SSLv3: ['TLS_RSA_WITH_NULL_SHA'] }), 'only suites that encrypt nothing'),
      'broken',
      /NULL-SHA with SSL 3/,
    ],
    [
      'there may be more suites',
      refusesOffer(
        withVersion('TLSv1.2', { suites: { all: [], incomplete: '421 x' } }),
        'only suites with RC4',
      ),
      'unclear',
      /421 x/,
    ],
    [
      'more suites do not matter where one is',
      refusesOffer(
        withVersion('TLSv1.2', {
          suites: { all: [suiteOffer('TLS_RSA_WITH_RC4_128_SHA')], incomplete: '421' },
        }),
        'only suites with RC4',
      ),
      'broken',
    ],
    [
      'a version is not known',
      refusesOffer(withVersion('TLSv1', { known: 'unknown' }), 'only suites with RC4'),
      'unclear',
    ],
    [
      'a finite field is small',
      refusesOffer(
        withSuite('TLS_DHE_RSA_WITH_AES_128_CBC_SHA', { dhBits: 1024 }),
        'only finite fields of less than 2048 bits',
      ),
      'broken',
    ],
    [
      'a finite field is large',
      refusesOffer(
        withSuite('TLS_DHE_RSA_WITH_AES_128_CBC_SHA', { dhBits: 2048 }),
        'only finite fields of less than 2048 bits',
      ),
      'refused',
    ],
    [
      'a curve is small',
      refusesOffer(
        offer({ groups: { tls13: { all: [] }, tls12: { all: ['P-256', 'secp192r1'] } } }),
        'only curves of less than 224 bits',
      ),
      'broken',
      /secp192r1/,
    ],
    [
      'a curve is large',
      refusesOffer(
        offer({ groups: { tls13: { all: [] }, tls12: { all: ['X25519', 'secp224r1'] } } }),
        'only curves of less than 224 bits',
      ),
      'refused',
    ],
    [
      'a signature is old',
      refusesOffer(offer({ signatures: { all: ['rsa_pkcs1_sha1'] } }), 'only signatures with SHA-1 or MD5'),
      'broken',
    ],
    ['a signature is new', refusesOffer(offer(), 'only signatures with SHA-1 or MD5'), 'refused'],
    ['an option is off', refusesOffer(offer(), 'TLS compression'), 'refused'],
    ['an option is on', refusesOffer(withOption('compression', {}), 'TLS compression'), 'broken'],
    ['nobody answers', refusesOffer(nobody, 'only SSL 3'), 'unclear'],
  ])
})

describe('judging the alert of a refusal', () => {
  table([
    ['it is the right one', refusesOfferWith(offer(), 'only TLS 1.0', 'protocol_version'), 'refused'],
    [
      'it is another',
      refusesOfferWith(
        withVersion('TLSv1', { said: 'alert handshake_failure' }),
        'only TLS 1.0',
        'protocol_version',
      ),
      'broken',
      /without the alert protocol_version: alert handshake_failure/,
    ],
    [
      'there is none',
      refusesOfferWith(
        withVersion('TLSv1', { said: 'closed without an alert' }),
        'only TLS 1.0',
        'protocol_version',
      ),
      'broken',
      /closed without an alert/,
    ],
    [
      'it accepts',
      refusesOfferWith(
        offer({}, { TLSv1: ['TLS_RSA_WITH_AES_128_CBC_SHA'] }),
        'only TLS 1.0',
        'protocol_version',
      ),
      'broken',
      /accepts only TLS 1\.0/,
    ],
  ])
})

describe('judging the version that a gateway chooses', () => {
  const choosing = (version: string) => ({ best: { version, seen: 'x' } })
  table([
    ['it is the newest', choosesNewest(offer(choosing('TLSv1.3'))), 'kept'],
    [
      'it is not',
      choosesNewest(offer(choosing('TLSv1.2'))),
      'broken',
      /chooses TLS 1\.2, although it accepts TLS 1\.3/,
    ],
    ['there is none newer', choosesNewest(offer(choosing('TLSv1.2'), { 'TLSv1.3': undefined })), 'kept'],
    ['it gave no answer', choosesNewest(offer()), 'unclear'],
    ['nobody answers', choosesNewest(nobody), 'unclear'],
  ])
})

describe('judging what a gateway prefers', () => {
  table([
    ['it has nothing else', prefersForwardSecrecy(offer()), 'kept'],
    [
      'it chooses it where it is last',
      prefersForwardSecrecy(turned('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256')),
      'kept',
    ],
    [
      'it chooses what is first',
      prefersForwardSecrecy(turned('TLS_RSA_WITH_AES_128_CBC_SHA')),
      'broken',
      /chooses AES128-SHA/,
    ],
    [
      'it chooses what is first and not what is last',
      prefersForwardSecrecy(
        withVersion('TLSv1.2', {
          suites: {
            all: [
              suiteOffer('TLS_RSA_WITH_AES_128_CBC_SHA'),
              suiteOffer('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'),
            ],
          },
          turned: { suite: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', seen: 'x' },
        }),
      ),
      'broken',
      /chooses AES128-SHA/,
    ],
    [
      'it has none',
      prefersForwardSecrecy(offer({}, { 'TLSv1.2': ['TLS_RSA_WITH_AES_128_CBC_SHA'] })),
      'broken',
      /no suite with ECDHE/,
    ],
    ['it has no TLS 1.2', prefersForwardSecrecy(offer({}, { 'TLSv1.2': undefined })), 'kept'],
    ['it gave no answer', prefersForwardSecrecy(withSuite('TLS_RSA_WITH_AES_128_CBC_SHA')), 'unclear'],
    ['nobody answers', prefersForwardSecrecy(nobody), 'unclear'],
  ])
})

const LISTED = [
  'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLS_RSA_WITH_AES_128_GCM_SHA256',
]
const having = (suites: string[], more: Partial<VersionOffer> = {}) =>
  withVersion('TLSv1.2', {
    suites: { all: suites.map(name => suiteOffer(name)) },
    preference: 'server',
    ...more,
  })

describe('judging the suites of a profile', () => {
  table([
    ['all are listed', acceptsListedSuites(having(LISTED)), 'refused'],
    [
      'one is not',
      acceptsListedSuites(having([...LISTED, 'TLS_RSA_WITH_AES_128_CBC_SHA'])),
      'broken',
      /list: AES128-SHA$/,
    ],
    [
      'there may be more',
      acceptsListedSuites(withVersion('TLSv1.2', { suites: { all: [], incomplete: '421' } })),
      'unclear',
      /421/,
    ],
    [
      'TLS 1.2 is not known',
      acceptsListedSuites(withVersion('TLSv1.2', { known: 'unknown', suites: { all: [] } })),
      'unclear',
    ],
    ['nobody answers', acceptsListedSuites(nobody), 'unclear'],
    ['the order is that of the list', choosesInListedOrder(having(LISTED)), 'kept'],
    [
      'the order is another',
      choosesInListedOrder(having(LISTED.toReversed())),
      'broken',
      /AES128-GCM-SHA256 before ECDHE-ECDSA-AES128-GCM-SHA256/,
    ],
    [
      "the order is the client's",
      choosesInListedOrder(having(LISTED, { preference: 'client' })),
      'broken',
      /order of the client/,
    ],
    [
      'others between them do not matter',
      choosesInListedOrder(having([LISTED[0]!, 'TLS_DHE_RSA_WITH_AES_128_GCM_SHA256', LISTED[2]!])),
      'kept',
    ],
    ['there is one suite', choosesInListedOrder(having(LISTED.slice(0, 1))), 'kept'],
    [
      'whose order it is is not known',
      choosesInListedOrder({
        ...having(LISTED),
        versions: having(LISTED).versions.map(({ preference: _, ...one }) => one),
      }),
      'unclear',
    ],
    [
      'TLS 1.2 is not known, and with it no order',
      choosesInListedOrder(having([], { known: 'unknown', said: 'put off: 421' })),
      'unclear',
      /not all suites of the gateway are known: put off: 421/,
    ],
    ['nobody answers to order', choosesInListedOrder(nobody), 'unclear'],
  ])
})

describe('judging the certificates that a gateway shows', () => {
  const showing = (more: Parameters<typeof certificateOffer>[0]) =>
    certificatesAreStrong(offer({ certificates: [certificateOffer(), certificateOffer(more)] }))
  table([
    ['all are strong', showing({}), 'kept'],
    [
      'one has a short key',
      showing({ key: { type: 'rsa', bits: 1024 } }),
      'broken',
      /a key of 1024 bits \(rsa\)/,
    ],
    [
      'one has a short curve',
      showing({ key: { type: 'ec', curve: 'prime192v1' } }),
      'broken',
      /curve prime192v1/,
    ],
    ['one has a good curve', showing({ key: { type: 'ec', curve: 'prime256v1' } }), 'kept'],
    ['one is signed with SHA-1', showing({ signature: 'ecdsa-with-SHA1' }), 'broken', /ecdsa-with-SHA1/],
    [
      'one is signed with MD4',
      showing({ signature: 'md4WithRSAEncryption' }),
      'broken',
      /a signature with md4WithRSAEncryption/,
    ],
    ['there is none', certificatesAreStrong(offer({ certificates: [] })), 'unclear'],
    ['nobody answers', certificatesAreStrong(nobody), 'unclear'],
  ])
})
