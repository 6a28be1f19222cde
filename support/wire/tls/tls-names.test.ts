import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { getCiphers } from 'node:tls'
import { captured } from '../../test-bed/fixtures/loopback.ts'
import { generated } from './registries/generate.ts'
import {
  alertName,
  bitsOfCurve,
  groupName,
  opensslName,
  STATIC_RSA,
  sameGroup,
  sameSuite,
  signatureName,
  spoken,
  suiteName,
  versionName,
} from './tls-names.ts'
import { RecordReader } from './tls-records.ts'
import { SUITES } from './tls-registry.ts'

describe('names of TLS numbers', () => {
  it('are what the generator makes of the registries', () => {
    const file = new URL('tls-registry.ts', import.meta.url)
    assert.equal(readFileSync(file, 'utf8'), generated(), 'run support/wire/tls/registries/generate.ts')
  })

  it('are those of the registries', () => {
    assert.equal(suiteName(0x1302), 'TLS_AES_256_GCM_SHA384')
    assert.equal(suiteName(0xc0ad), 'TLS_ECDHE_ECDSA_WITH_AES_256_CCM')
    assert.equal(groupName(4588), 'X25519MLKEM768')
    assert.equal(groupName(31), 'brainpoolP256r1tls13')
    assert.equal(signatureName(0x0905), 'mldsa65')
    assert.equal(signatureName(0x0402), 'dsa_sha256')
    assert.equal(signatureName(0x0403), 'ecdsa_secp256r1_sha256')
    assert.equal(alertName(120), 'no_application_protocol')
    assert.equal(alertName(100), 'no_renegotiation')
  })

  it('stand for one suite each', () => {
    for (const column of [0, 1, 2] as const) {
      const known = SUITES.flatMap(suite => suite[column] ?? [])
      assert.ok(known.length > 150)
      assert.equal(new Set(known).size, known.length, `column ${column}`)
    }
  })

  it('are in the order of their numbers', () => {
    const codes = SUITES.map(([code]) => code)
    assert.deepEqual(
      codes,
      [...codes].sort((a, b) => a - b),
    )
  })

  it('stand for one group, signature scheme or version each', () => {
    for (const name of [groupName, signatureName, versionName]) {
      const known = Array.from({ length: 0x10000 }, (_, code) => name(code)).filter(text => !/^0x/.test(text))
      assert.ok(known.length > 5)
      assert.equal(new Set(known).size, known.length)
    }
  })

  it('cover every suite of our own library', () => {
    const known = new Set(
      SUITES.flatMap(([, name, openssl]) => [name, openssl ?? ''].map(text => text.toLowerCase())),
    )
    assert.deepEqual(
      getCiphers().filter(name => !known.has(name)),
      [],
    )
  })

  it('cover all that our own library offers', async () => {
    const options = { ciphers: 'ALL:COMPLEMENTOFALL:@SECLEVEL=0', minVersion: 'TLSv1' as const }
    const { sender } = await captured({}, options)
    const [hello] = new RecordReader().read(sender)
    assert.ok(hello?.kind === 'client-hello')
    const { suites, groups, signatureAlgorithms: signatures } = hello.hello
    assert.ok(suites.length > 50 && groups.length > 3 && signatures.length > 20)
    assert.deepEqual(
      [...suites, ...groups, ...signatures].filter(name => name.startsWith('0x')),
      [],
    )
  })

  it('have all key exchange by RSA alone that our own library has', async () => {
    const { sender } = await captured({}, { maxVersion: 'TLSv1.2', ciphers: 'kRSA:!eNULL:@SECLEVEL=0' })
    const [hello] = new RecordReader().read(sender)
    assert.ok(hello?.kind === 'client-hello')
    const { suites } = hello.hello
    assert.ok(suites.length > 10)
    assert.deepEqual(
      suites.filter(suite => !STATIC_RSA.includes(suite)),
      [],
    )
  })

  it('keep unknown numbers as numbers', () => {
    assert.equal(suiteName(0xfefe), '0xfefe')
    assert.equal(groupName(0), '0x0000')
    assert.equal(signatureName(0xfefe), '0xfefe')
    assert.equal(alertName(200), 'alert 200')
  })

  it('translate to what OpenSSL wants to hear', () => {
    assert.equal(opensslName('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'), 'ECDHE-RSA-AES128-GCM-SHA256')
    assert.equal(opensslName('TLS_AES_128_GCM_SHA256'), 'TLS_AES_128_GCM_SHA256')
    assert.equal(opensslName('TLS_FALLBACK_SCSV'), 'TLS_FALLBACK_SCSV')
  })

  it('are the same suite in both spellings', () => {
    assert.ok(sameSuite('ECDHE-ECDSA-ARIA256-GCM-SHA384', 'TLS_ECDHE_ECDSA_WITH_ARIA_256_GCM_SHA384'))
    assert.ok(!sameSuite('DHE-RSA-AES256-SHA', 'TLS_RSA_WITH_AES_256_CBC_SHA'))
    assert.ok(sameSuite('no suite', 'TLS_RSA_WITH_AES_256_CBC_SHA'))
  })

  it('are the same group in all spellings', () => {
    for (const said of ['P-256', 'prime256v1', 'secp256r1', 'no group'])
      assert.ok(sameGroup(said, 'P-256'), said)
    assert.ok(sameGroup('x25519', 'X25519'))
    for (const said of ['secp384r1', 'X25519', 'X25519MLKEM768']) assert.ok(!sameGroup(said, 'P-256'), said)
  })

  it('tell how large the field of a curve is', () => {
    for (const name of ['P-192', 'prime192v1', 'secp192r1', 'sect193r2', 'c2pnb163v1', 'brainpoolP160r1'])
      assert.ok(bitsOfCurve(name) < 224, name)
    for (const name of ['P-224', 'X25519', 'X448', 'ffdhe2048', 'X25519MLKEM768', 'curveSM2', '0xa123'])
      assert.ok(bitsOfCurve(name) >= 224, name)
  })

  it('are spoken as people do', () => {
    assert.deepEqual(['TLSv1', 'TLSv1.1', 'TLSv1.3', 'SSLv3'].map(spoken), [
      'TLS 1.0',
      'TLS 1.1',
      'TLS 1.3',
      'SSL 3',
    ])
  })
})
