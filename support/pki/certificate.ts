import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto'
import forge from 'node-forge'
import { DAY } from '../quantities.ts'

/** The parts of a subject's or an issuer's name that the published tables of certificates have; RFC 5280 s4.1.2.4. */
export interface DistinguishedName {
  commonName: string
  organisation?: string
  unit?: string
  /** ISO 3166 code of two letters. */
  country?: string
}

/** Where the status of a certificate and its issuer's certificate can be had, as URLs: RFC 5280 s4.2.1.13 and s4.2.2.1. */
export interface StatusAddresses {
  crl?: readonly string[]
  ocsp?: readonly string[]
  issuer?: readonly string[]
}

/** What one certificate contains: RFC 5280 s4. */
export interface CertificateRequest extends DistinguishedName {
  /** DNS names of the subject alternative name. Without any, the certificate has no such extension. */
  names?: string[]
  /** Public key of the subject. */
  publicKey: KeyObject
  issuer: DistinguishedName & { key: KeyObject }
  /**
   * `authority` may issue certificates. `not an authority` may not, and issues some all the same. `responder` signs
   * OCSP answers for its issuer: RFC 6960 s4.2.2.2.
   */
  role: 'authority' | 'not an authority' | 'server' | 'client' | 'responder'
  /** Valid from and until, in days from now; negative for the past. */
  from: number
  until: number
  digest?: 'sha1' | 'sha256'
  addresses?: StatusAddresses
  /** It promises that servers send along an answer about its status: RFC 7633. */
  mustStaple?: true
  /** URIs, e-mail addresses and IP addresses in the subject alternative name. */
  uris?: string[]
  emails?: string[]
  ips?: string[]
  /** Of an authority: RFC 5280 s4.2.1.3, s4.2.1.9 and s4.2.1.10. */
  limits?: { pathLength?: number; mayNotSign?: true; domains?: string[] }
}

const { asn1, jsbn, pem, pki } = forge
/** Object identifiers of extensions, and of what they name: RFC 5280 s4.2.1 and s4.2.2.1, RFC 6960 s4.2.2.2. */
const LIST_ADDRESSES = '2.5.29.31'
const ACCESS = '1.3.6.1.5.5.7.1.1'
const ACCESS_METHODS = { ocsp: '1.3.6.1.5.5.7.48.1', issuer: '1.3.6.1.5.5.7.48.2' }
const NAME_CONSTRAINTS = '2.5.29.30'
/** RFC 7633 s4.1 and s6, and the number of status_request: RFC 6066 s1.1. */
const TLS_FEATURE = '1.3.6.1.5.5.7.1.24'
const STATUS_REQUEST = 5
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9'
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
  const { publicKey, issuer, from, until, digest = 'sha256', addresses = {} } = request
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
  made.setSubject(nameParts(request))
  made.setIssuer(nameParts(issuer))
  made.setExtensions([
    ...extensions(request, publicKey.asymmetricKeyType === 'rsa'),
    ...statusExtensions(addresses),
    ...(request.mustStaple
      ? [{ id: TLS_FEATURE, value: node(asn1.Type.SEQUENCE, [number(STATUS_REQUEST)]) }]
      : []),
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

/** The most general part first, as authorities write it. */
function nameParts({ commonName, organisation, unit, country }: DistinguishedName) {
  const parts = [
    ['countryName', country],
    ['organizationName', organisation],
    ['organizationalUnitName', unit],
    ['commonName', commonName],
  ] as const
  const utf8 = { valueTagClass: asn1.Type.UTF8 as unknown as forge.asn1.Class }
  return parts.flatMap(([name, value]) =>
    value ? [{ name, value, ...(/^[ -~]*$/.test(value) ? {} : utf8) }] : [],
  )
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

const number = (value: number): forge.asn1.Asn1 => node(asn1.Type.INTEGER, String.fromCharCode(value))

/** With RSA the parameters are NULL, with the others they are absent. */
function signatureAlgorithm(type: string, oid: string): forge.asn1.Asn1 {
  const parameters = type === 'rsa' ? [node(asn1.Type.NULL, '')] : []
  return node(asn1.Type.SEQUENCE, [node(asn1.Type.OID, asn1.oidToDer(oid).getBytes()), ...parameters])
}

/** `encrypts`: whether the key can encrypt other keys. One that cannot must not say so: RFC 5480 s3, RFC 8410 s5. */
function extensions(
  { role, commonName, names = [], uris = [], emails = [], ips = [], limits = {} }: CertificateRequest,
  encrypts: boolean,
): object[] {
  if (role === 'authority') {
    const { pathLength, mayNotSign, domains = [] } = limits
    const length = pathLength === undefined ? {} : { pathLenConstraint: pathLength }
    return [
      { name: 'basicConstraints', cA: true, ...length, critical: true },
      { name: 'keyUsage', keyCertSign: !mayNotSign, cRLSign: true, critical: true },
      ...nameConstraints(domains),
    ]
  }
  const responds = role === 'responder' ? { [OCSP_SIGNING]: true } : {}
  const list = [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: encrypts, critical: true },
    { name: 'extKeyUsage', serverAuth: role === 'server', clientAuth: role === 'client', ...responds },
  ]
  if (role === 'not an authority') list.pop()
  // rfc822Name, dNSName, uniformResourceIdentifier, iPAddress: RFC 5280 s4.2.1.6
  const altNames = [
    ...emails.map(value => ({ type: 1, value })),
    ...names.map(value => ({ type: 2, value })),
    ...uris.map(value => ({ type: 6, value })),
    ...ips.map(ip => ({ type: 7, ip })),
  ]
  const critical = commonName === '' ? { critical: true } : {}
  return altNames.length > 0 ? [...list, { name: 'subjectAltName', altNames, ...critical }] : list
}

/** A URL as a general name: RFC 5280 s4.2.1.6, uniformResourceIdentifier [6]. */
const address = (url: string): forge.asn1.Asn1 => asn1.create(asn1.Class.CONTEXT_SPECIFIC, 6, false, url)

/** Nothing for a certificate without such addresses. */
function statusExtensions({ crl = [], ocsp = [], issuer = [] }: StatusAddresses): object[] {
  const inside = (...value: forge.asn1.Asn1[]) => asn1.create(asn1.Class.CONTEXT_SPECIFIC, 0, true, value)
  // DistributionPoint: distributionPoint [0] is fullName [0], a list of names.
  const points = crl.map(url => node(asn1.Type.SEQUENCE, [inside(inside(address(url)))]))
  const access = Object.entries({ ocsp, issuer }).flatMap(([kind, urls]) => {
    const method = asn1.oidToDer(ACCESS_METHODS[kind as keyof typeof ACCESS_METHODS]).getBytes()
    return urls.map(url => node(asn1.Type.SEQUENCE, [node(asn1.Type.OID, method), address(url)]))
  })
  return [
    { id: LIST_ADDRESSES, values: points },
    { id: ACCESS, values: access },
  ].flatMap(({ id, values }) => (values.length > 0 ? [{ id, value: node(asn1.Type.SEQUENCE, values) }] : []))
}

/** Permits names in these domains alone; nothing for an authority without limits. */
function nameConstraints(domains: readonly string[]): object[] {
  if (domains.length === 0) return []
  // GeneralSubtree: base is a general name, dNSName [2]. They are in permittedSubtrees [0].
  const subtrees = domains.map(domain =>
    node(asn1.Type.SEQUENCE, [asn1.create(asn1.Class.CONTEXT_SPECIFIC, 2, false, domain)]),
  )
  const permitted = asn1.create(asn1.Class.CONTEXT_SPECIFIC, 0, true, subtrees)
  return [{ id: NAME_CONSTRAINTS, critical: true, value: node(asn1.Type.SEQUENCE, [permitted]) }]
}
