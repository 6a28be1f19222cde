import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto'
import forge from 'node-forge'

/** What one certificate contains: RFC 5280 s4. */
export interface CertificateRequest {
  commonName: string
  /** DNS names of the subject alternative name. Without any, the certificate has no such extension. */
  names?: string[]
  /** Public key of the subject. */
  publicKey: KeyObject
  issuer: { commonName: string; key: KeyObject }
  /** `authority` may issue certificates. `not an authority` may not, and issues some all the same. */
  role: 'authority' | 'not an authority' | 'server' | 'client'
  /** Valid from and until, in days from now; negative for the past. */
  from: number
  until: number
  digest?: 'sha1' | 'sha256'
}

const { asn1, jsbn, pem, pki } = forge
const DAY = 24 * 60 * 60 * 1000
const ONE = new jsbn.BigInteger('1')

/** Object identifiers of signatures: RFC 3279 s2.2.1 and s2.2.3, RFC 4055 s5, RFC 5758 s3.2, RFC 8410 s3. */
const SIGNATURES: Record<string, string> = {
  'rsa sha1': '1.2.840.113549.1.1.5',
  'rsa sha256': '1.2.840.113549.1.1.11',
  'ec sha1': '1.2.840.10045.4.1',
  'ec sha256': '1.2.840.10045.4.3.2',
  ed25519: '1.3.101.112',
}

/** What the types of node-forge do not have. */
interface Builder {
  getTBSCertificate(certificate: forge.pki.Certificate): forge.asn1.Asn1 & { value: forge.asn1.Asn1[] }
}
interface Reader {
  fromDer(der: string, options: { decodeBitStrings: boolean }): KeyInfo
}

/**
 * A certificate in PEM. node-forge builds what is to be signed. The subject's key and the signature come from Node,
 * because node-forge has RSA keys alone and signs a hundred times slower. Ed25519 has no digest: `digest` is ignored.
 */
export function certificate(request: CertificateRequest): string {
  const { commonName, names = [], publicKey, issuer, role, from, until, digest = 'sha256' } = request
  const type = issuer.key.asymmetricKeyType!
  const oid = SIGNATURES[type === 'ed25519' ? type : `${type} ${digest}`]!
  const algorithm = signatureAlgorithm(type, oid)
  const subjectKey = keyInfo(publicKey)
  const made = pki.createCertificate()
  made.siginfo.algorithmOid = oid
  made.publicKey = pki.setRsaPublicKey(ONE, ONE)
  // Positive and without a zero byte at its front: RFC 5280 s4.1.2.2.
  made.serialNumber = `01${randomBytes(15).toString('hex')}`
  made.validity.notBefore = new Date(Date.now() + from * DAY)
  made.validity.notAfter = new Date(Date.now() + until * DAY)
  made.setSubject([{ name: 'commonName', value: commonName }])
  made.setIssuer([{ name: 'commonName', value: issuer.commonName }])
  made.setExtensions([
    ...extensions(role, names, publicKey.asymmetricKeyType === 'rsa'),
    ...keyIdentifiers(subjectKey, keyInfo(createPublicKey(issuer.key))),
  ])
  const content = (pki as unknown as Builder).getTBSCertificate(made)
  // Their places are fixed by RFC 5280 s4.1.
  content.value[2] = algorithm
  content.value[6] = subjectKey
  const bytes = Buffer.from(asn1.toDer(content).getBytes(), 'latin1')
  const signature = sign(type === 'ed25519' ? undefined : digest, bytes, issuer.key).toString('latin1')
  // The first byte of a bit string says how many bits of the last byte do not count.
  const whole = node(asn1.Type.SEQUENCE, [content, algorithm, node(asn1.Type.BITSTRING, `\0${signature}`)])
  return pem.encode({ type: 'CERTIFICATE', body: asn1.toDer(whole).getBytes() }).replaceAll('\r\n', '\n')
}

/** SubjectPublicKeyInfo: RFC 5280 s4.1.2.7. The key is left as the bits that it is. */
function keyInfo(key: KeyObject): KeyInfo {
  const der = key.export({ type: 'spki', format: 'der' }).toString('latin1')
  return (asn1 as unknown as Reader).fromDer(der, { decodeBitStrings: false })
}

type KeyInfo = forge.asn1.Asn1 & { value: [algorithm: forge.asn1.Asn1, key: { value: string }] }

/** Of the subject's key and, where another one signs, of the issuer's: RFC 5280 s4.2.1.1 and s4.2.1.2. */
function keyIdentifiers(subject: KeyInfo, issuer: KeyInfo): object[] {
  const digestOf = ({ value: [, { value }] }: KeyInfo) =>
    createHash('sha1')
      .update(Buffer.from(value.slice(1), 'latin1'))
      .digest()
      .toString('latin1')
  const [own, signer] = [digestOf(subject), digestOf(issuer)]
  const ownIdentifier = { id: pki.oids['subjectKeyIdentifier'], value: node(asn1.Type.OCTETSTRING, own) }
  return own === signer
    ? [ownIdentifier]
    : [ownIdentifier, { name: 'authorityKeyIdentifier', keyIdentifier: signer }]
}

const node = (type: forge.asn1.Type, value: string | forge.asn1.Asn1[]): forge.asn1.Asn1 =>
  asn1.create(asn1.Class.UNIVERSAL, type, Array.isArray(value), value)

/** With RSA the parameters are NULL, with the others they are absent. */
function signatureAlgorithm(type: string, oid: string): forge.asn1.Asn1 {
  const parameters = type === 'rsa' ? [node(asn1.Type.NULL, '')] : []
  return node(asn1.Type.SEQUENCE, [node(asn1.Type.OID, asn1.oidToDer(oid).getBytes()), ...parameters])
}

/** `encrypts`: whether the key can encrypt other keys. One that cannot must not say so: RFC 5480 s3, RFC 8410 s5. */
function extensions(role: CertificateRequest['role'], names: string[], encrypts: boolean): object[] {
  if (role === 'authority')
    return [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ]
  const list = [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: encrypts, critical: true },
    { name: 'extKeyUsage', serverAuth: role === 'server', clientAuth: role === 'client' },
  ]
  if (role === 'not an authority') list.pop()
  // 2: dNSName, RFC 5280 s4.2.1.6
  const altNames = names.map(value => ({ type: 2, value }))
  return altNames.length > 0 ? [...list, { name: 'subjectAltName', altNames }] : list
}
