import assert from 'node:assert/strict'
import { getCiphers } from 'node:tls'
import { captured } from '../../test-bed/fixtures/loopback.ts'
import {
  groupName,
  opensslName,
  STATIC_RSA,
  SUITES,
  signatureName,
  spoken,
  suiteName,
  versionName,
} from './tls-names.ts'
import { RecordReader } from './tls-records.ts'

describe('names of TLS numbers', () => {
  it('stand for one suite each', () => {
    for (const column of [0, 1, 2] as const)
      assert.equal(new Set(SUITES.map(suite => suite[column])).size, SUITES.length, `column ${column}`)
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

  it('cover the common suites of our own library', () => {
    const ours = new Set(SUITES.map(([, , openssl]) => openssl.toLowerCase()))
    const common = getCiphers().filter(name => /^(tls_|ecdhe-(rsa|ecdsa)-(aes|chacha)|aes)/.test(name))
    assert.ok(common.length > 15)
    assert.deepEqual(
      common.filter(name => !ours.has(name)),
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
    assert.equal(groupName(1), '0x0001')
  })

  it('translate to what OpenSSL wants to hear', () => {
    assert.equal(opensslName('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'), 'ECDHE-RSA-AES128-GCM-SHA256')
    assert.equal(opensslName('TLS_AES_128_GCM_SHA256'), 'TLS_AES_128_GCM_SHA256')
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
