import assert from 'node:assert/strict'
import type { Profile } from '../catalogue/catalogue.ts'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { type Grade, TLS_PROFILES } from '../catalogue/tls-profiles.ts'
import type { TlsOffer } from '../evidence/offer.ts'
import { certificateOffer, offer, suiteOffer } from '../test-bed/fixtures/offer.ts'
import { advice, certificateAdvice, validityOf } from './advice.ts'
import { broken, graded, type Row } from './grades.ts'

const BCP = 'tls-bcp-2022'
const MARKS: Record<string, Grade> = { o: 'good', '~': 'weak', x: 'wrong' }
const FFDHE = 'ffffffffffffffffadf85458a2bb4a9aafdc5620273d3cf1'
const published = (bits: number) => FFDHE.padEnd(bits / 4 - 16, 'a') + 'f'.repeat(16)

/** The grades of one row: 2018, 2021, RFC, NIST, BSI, NCSC; `o`, `~`, `x`, and `.` for nothing. */
function marks(row: Row | undefined): string {
  assert.ok(row)
  return TLS_PROFILES.map(
    ({ profile }) => Object.entries(MARKS).find(([, grade]) => grade === row.grades[profile])?.[0] ?? '.',
  ).join('')
}

describe('the grades of a server', () => {
  const suite = (name: string, more = {}) =>
    offer({}, { 'TLSv1.2': [suiteOffer('TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'), suiteOffer(name, more)] })
  const OLD = ['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA']
  const ROWS: Record<string, [offer: TlsOffer, what: string, marks: string]> = {
    'TLS 1.3': [offer(), 'TLS 1.3', '..oooo'],
    'TLS 1.2': [offer(), 'TLS 1.2', 'oooooo'],
    'TLS 1.0, on which they disagree': [offer({}, { TLSv1: OLD }), 'TLS 1.0', 'oxx~x~'],
    'TLS 1.1, on which they disagree': [offer({}, { 'TLSv1.1': OLD }), 'TLS 1.1', 'oxx~x~'],
    'SSL 3': [offer({}, { SSLv3: OLD }), 'SSL 3', 'xxxxxx'],
    'no TLS 1.2': [offer({}, { 'TLSv1.2': undefined }), 'no TLS 1.2', 'xxx~x.'],
    'no TLS 1.3': [offer({}, { 'TLSv1.3': undefined }), 'no TLS 1.3', '..~x~.'],
    'ECDHE with AEAD': [offer(), 'ECDHE-RSA-AES256-GCM-SHA384', 'oooooo'],
    'ECDHE with CBC and SHA-1': [
      suite('TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA'),
      'ECDHE-RSA-AES128-SHA',
      'ooooxo',
    ],
    ChaCha20: [suite('TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256'), 'ECDHE-RSA-CHACHA20-POLY1305', 'xxoxxo'],
    'key exchange by RSA alone, which Microsoft lists': [
      suite('TLS_RSA_WITH_AES_256_GCM_SHA384'),
      'AES256-GCM-SHA384',
      'oo~~x~',
    ],
    'triple DES': [suite('TLS_RSA_WITH_3DES_EDE_CBC_SHA'), 'DES-CBC3-SHA', 'xx~xx~'],
    RC4: [suite('TLS_RSA_WITH_RC4_128_SHA'), 'RC4-SHA', 'xxxxxx'],
    'no encryption': [suite('TLS_ECDHE_RSA_WITH_NULL_SHA'), 'ECDHE-RSA-NULL-SHA', 'xxxxxx'],
    'no authentication': [suite('TLS_ECDH_anon_WITH_AES_256_CBC_SHA'), 'AECDH-AES256-SHA', 'xx~xxx'],
    'DHE of 1024 bits': [
      suite('TLS_DHE_RSA_WITH_AES_128_GCM_SHA256', { dhBits: 1024, dhPrime: published(1024) }),
      'DHE-RSA-AES128-GCM-SHA256',
      'xxxxxx',
    ],
    'DHE of 2048 bits, published': [
      suite('TLS_DHE_RSA_WITH_AES_128_GCM_SHA256', { dhBits: 2048, dhPrime: published(2048) }),
      'DHE-RSA-AES128-GCM-SHA256',
      'xx~ox~',
    ],
    'DHE of 2048 bits, self-made': [
      suite('TLS_DHE_RSA_WITH_AES_128_GCM_SHA256', { dhBits: 2048, dhPrime: 'c'.repeat(512) }),
      'DHE-RSA-AES128-GCM-SHA256',
      'xx~oxx',
    ],
    'a curve of 192 bits': [
      offer({ groups: { tls13: { all: [] }, tls12: { all: ['secp192r1'] } } }),
      'secp192r1',
      '..x.xx',
    ],
    'a curve of 224 bits': [
      offer({ groups: { tls13: { all: [] }, tls12: { all: ['secp224r1'] } } }),
      'secp224r1',
      '..o.x~',
    ],
    X25519: [offer({ groups: { tls13: { all: ['X25519'] }, tls12: { all: [] } } }), 'X25519', '..o.~o'],
    'signatures with SHA-1': [offer({ signatures: { all: ['rsa_pkcs1_sha1'] } }), 'rsa_pkcs1_sha1', '..xxx~'],
    'a key of 1024 bits': [
      offer({ certificates: [certificateOffer({ key: { type: 'rsa', bits: 1024 } })] }),
      'RSA 1024 bits',
      '..xxxx',
    ],
    'a key of 2048 bits': [
      offer({ certificates: [certificateOffer({ key: { type: 'rsa', bits: 2048 } })] }),
      'RSA 2048 bits',
      '..ooxo',
    ],
    'a key of 3072 bits': [
      offer({ certificates: [certificateOffer({ key: { type: 'rsa', bits: 3072 } })] }),
      'RSA 3072 bits',
      '..oooo',
    ],
    'a key of a curve of 224 bits': [
      offer({ certificates: [certificateOffer({ key: { type: 'ec', curve: 'secp224r1' } })] }),
      'EC secp224r1',
      '..oox~',
    ],
    'a curve that nobody but BSI lists': [
      offer({ groups: { tls13: { all: [] }, tls12: { all: ['brainpoolP256r1'] } } }),
      'brainpoolP256r1',
      '..o.ox',
    ],
    'static ECDH': [
      suite('TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256'),
      'TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256',
      'xx~~~x',
    ],
    'renegotiation that clients begin': [
      offer({ options: { 'client-initiated renegotiation': { known: 'yes', seen: 'x' } } }),
      'client-initiated renegotiation',
      '....~~',
    ],
    'a key of a curve': [
      offer({ certificates: [certificateOffer({ key: { type: 'ec', curve: 'prime256v1' } })] }),
      'EC prime256v1',
      '..oooo',
    ],
    'a certificate signed with SHA-1': [
      offer({ certificates: [certificateOffer({ signature: 'sha1WithRSAEncryption' })] }),
      'signed with sha1WithRSAEncryption',
      '..xxxx',
    ],
    compression: [offer({ options: { compression: { known: 'yes', seen: 'x' } } }), 'compression', '..xxxx'],
    'no secure renegotiation': [
      offer({ options: { 'secure renegotiation': { known: 'no', seen: 'x' } } }),
      'no secure renegotiation',
      '..xxxx',
    ],
    'no extended master secret': [
      offer({ options: { 'extended master secret': { known: 'no', seen: 'x' } } }),
      'no extended master secret',
      '..xx..',
    ],
    'an option that is not known': [
      offer({ options: { compression: { known: 'unknown', seen: 'x' } } }),
      'compression',
      '......',
    ],
  }
  for (const [about, [what, row, expected]] of Object.entries(ROWS))
    it(`are those of each profile for ${about}`, () => {
      assert.equal(marks(graded(what).find(one => one.what === row)), expected)
    })

  it('forbid a good server nothing', () => {
    for (const { profile } of TLS_PROFILES) assert.deepEqual(broken(graded(offer()), profile), [])
  })

  it('name requirements that the catalogue has, in the profile that they are about', () => {
    const catalogue = loadCatalogue()
    const everything = Object.values(ROWS).flatMap(([what]) => graded(what))
    for (const { grades, requirements } of everything)
      for (const [profile, id] of Object.entries(requirements) as [Profile, string][])
        if (grades[profile] !== 'good') {
          const { profiles } = catalogue.get(id)
          assert.ok(profiles.includes(profile), `${id} is not in ${profile}`)
        }
  })
})

describe('what to change', () => {
  const bad = offer(
    { signatures: { all: ['rsa_pkcs1_sha1'] } },
    {
      TLSv1: ['TLS_RSA_WITH_RC4_128_SHA'],
      'TLSv1.2': ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'TLS_RSA_WITH_AES_256_GCM_SHA384'],
    },
  )
  const texts = (chosen: readonly Profile[]) => advice(graded(bad), chosen).map(({ text }) => text)

  it('begins with what the chosen profile forbids', () => {
    assert.deepEqual(texts([BCP]), [
      'Switch off suites with RC4, RC2 or DES',
      'Switch off TLS 1.0',
      'Switch off signatures with SHA1',
      'Switch off suites with key exchange by RSA alone',
    ])
    assert.equal(texts(['exchange-online-2018'])[0], 'Switch off suites with RC4, RC2 or DES')
    assert.equal(texts(['ncsc-nl-internet-nl']).at(-1), 'Switch off suites with key exchange by RSA alone')
  })

  it('is nothing for a good server', () => {
    assert.deepEqual(advice(graded(offer()), [BCP]), [])
  })

  const NOW = Date.parse('2030-01-01T00:00:00Z')
  const about = (more: Parameters<typeof certificateOffer>[0]) =>
    certificateAdvice(offer({ certificates: [certificateOffer(more)] }), NOW)
  const CERTIFICATES: Record<string, [Parameters<typeof certificateOffer>[0], RegExp | undefined]> = {
    'a good one': [{}, undefined],
    'one that has ended': [
      { notAfter: 'Dec 1 00:00:00 2029 GMT' },
      /^Renew the certificate: it ended on 2029-12-01/,
    ],
    'one that ends soon': [
      { notAfter: 'Jan 20 00:00:00 2030 GMT' },
      /^Renew the certificate: it ends on 2030-01-20/,
    ],
    'one that begins later': [{ notBefore: 'Feb 1 00:00:00 2030 GMT' }, /not valid before/],
    'one of another name': [{ names: ['mx.else.test'] }, /^Get a certificate for mx\.gateway\.test/],
    'a wildcard for one label': [{ names: ['*.gateway.test'] }, undefined],
    'a wildcard for two labels': [{ names: ['*.test'] }, /^Get a certificate/],
    'a chain to nowhere': [{ chain: 'SELF_SIGNED_CERT_IN_CHAIN' }, /^Show a chain .* SELF_SIGNED/],
  }
  for (const [what, [more, says]] of Object.entries(CERTIFICATES))
    it(`looks at the certificate: ${what}`, () => {
      const all = about(more)
      if (says) assert.match(all.join('\n'), says)
      else assert.deepEqual(all, [])
    })

  it('counts the days that are left', () => {
    const until = (notAfter: string) => validityOf(certificateOffer({ notAfter }), NOW)
    assert.equal(until('Jan 3 00:00:00 2030 GMT'), 'from 2026-01-01 to 2030-01-03, 2 days left')
    assert.equal(until('Dec 3 00:00:00 2029 GMT'), 'from 2026-01-01 to 2029-12-03')
  })
})
