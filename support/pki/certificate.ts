import { constants, type KeyObject, privateEncrypt, randomBytes } from 'node:crypto'
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

const DAY = 24 * 60 * 60 * 1000

/** A certificate in PEM. node-forge builds it and Node signs it, because Node's RSA is a hundred times faster. */
export function certificate(request: CertificateRequest): string {
  const { commonName, names = [], publicKey, issuer, role, from, until, digest = 'sha256' } = request
  const made = forge.pki.createCertificate()
  made.publicKey = forge.pki.publicKeyFromPem(publicKey.export({ type: 'spki', format: 'pem' }) as string)
  // Positive and without a zero byte at its front: RFC 5280 s4.1.2.2.
  made.serialNumber = `01${randomBytes(15).toString('hex')}`
  made.validity.notBefore = new Date(Date.now() + from * DAY)
  made.validity.notAfter = new Date(Date.now() + until * DAY)
  made.setSubject([{ name: 'commonName', value: commonName }])
  made.setIssuer([{ name: 'commonName', value: issuer.commonName }])
  made.setExtensions(extensions(role, names))
  const sign = (md: forge.md.MessageDigest) => signature(issuer.key, md)
  made.sign({ sign } as unknown as forge.pki.rsa.PrivateKey, forge.md[digest].create())
  return forge.pki.certificateToPem(made).replaceAll('\r\n', '\n')
}

function extensions(role: CertificateRequest['role'], names: string[]): object[] {
  if (role === 'authority')
    return [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
      { name: 'subjectKeyIdentifier' },
    ]
  const list = [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: role === 'server', clientAuth: role === 'client' },
  ]
  if (role === 'not an authority') list.pop()
  // 2: dNSName, RFC 5280 s4.2.1.6
  const altNames = names.map(value => ({ type: 2, value }))
  return altNames.length > 0 ? [...list, { name: 'subjectAltName', altNames }] : list
}

/** RSASSA-PKCS1-v1_5 (RFC 8017 s8.2) over what forge has put into a digest. */
function signature(key: KeyObject, md: forge.md.MessageDigest): string {
  const { asn1 } = forge
  const algorithm = (md as unknown as { algorithm: string }).algorithm
  const oid = forge.pki.oids[algorithm] as string
  const node = (type: forge.asn1.Type, value: string | forge.asn1.Asn1[]) =>
    asn1.create(asn1.Class.UNIVERSAL, type, Array.isArray(value), value)
  const info = node(asn1.Type.SEQUENCE, [
    node(asn1.Type.SEQUENCE, [node(asn1.Type.OID, asn1.oidToDer(oid).getBytes()), node(asn1.Type.NULL, '')]),
    node(asn1.Type.OCTETSTRING, md.digest().getBytes()),
  ])
  const der = Buffer.from(asn1.toDer(info).getBytes(), 'latin1')
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, der).toString('latin1')
}
