import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { attributesOf } from './attributes.ts'
import { certificate } from './certificate.ts'

describe('the attributes of a certificate', () => {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const commonName = 'mx.d1.test'
  const issuer = { commonName, key }
  const pem = certificate({
    commonName,
    publicKey: createPublicKey(key),
    issuer,
    role: 'server',
    from: -1,
    until: 1,
  })
  const { raw } = new X509Certificate(pem)

  it('tell the kind and the curve of its key', () => {
    assert.deepEqual(attributesOf(new X509Certificate(raw)).key, { type: 'ec', curve: 'prime256v1' })
  })

  it('can be read where nobody knows the kind of its key', () => {
    const der = Buffer.from(raw)
    // id-ecPublicKey, RFC 5480 s2.1.1, becomes an identifier that nothing has.
    const at = der.indexOf('06072a8648ce3d0201', 'hex')
    der[at + 8] = 0x7f
    const { key, commonNames } = attributesOf(new X509Certificate(der))
    assert.deepEqual({ key, commonNames }, { key: { type: 'unknown' }, commonNames: [commonName] })
  })
})
