import { createHash, createPublicKey, type KeyObject, sign, X509Certificate } from 'node:crypto'
import * as asn1 from 'asn1js'
import * as pkijs from 'pkijs'
import { DAY } from '../quantities.ts'

/** Who signs lists and answers: a certificate in PEM and its key. */
export interface StatusSigner {
  certificate: string
  key: KeyObject
}

/** A list of revoked certificates: RFC 5280 s5. */
export interface RevocationList {
  issuer: StatusSigner
  /** Serial numbers in hexadecimal. */
  revoked?: readonly string[]
  /** thisUpdate and nextUpdate, in days from now; default: from yesterday until tomorrow. Null: no nextUpdate. */
  from?: number
  until?: number | null
  /** Signs in place of the issuer. */
  signedBy?: KeyObject
  /** The number of the list of which this one has the changes alone: RFC 5280 s5.2.4. */
  deltaOf?: number
  /** The list is about the certificates of authorities alone: RFC 5280 s5.2.5. */
  onlyAuthorities?: boolean
}

/** Object identifiers: RFC 5280 s5.2, RFC 6960 s4.2.1. */
export const OIDS = {
  crlNumber: '2.5.29.20',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  authorityKeyIdentifier: '2.5.29.35',
  basicOcspResponse: '1.3.6.1.5.5.7.48.1.1',
  sha1: '1.3.14.3.2.26',
} as const

/** Of signatures with SHA-256, by the kind of the key: RFC 4055 s5, RFC 5758 s3.2, RFC 8410 s3. */
const SIGNATURES: Record<string, string> = {
  rsa: '1.2.840.113549.1.1.11',
  ec: '1.2.840.10045.4.3.2',
  ed25519: '1.3.101.112',
}

/** A list in DER. */
export function revocationList(list: RevocationList): Buffer {
  const { issuer, revoked = [], from = -1, until = 1, signedBy = issuer.key, deltaOf, onlyAuthorities } = list
  const made = new pkijs.CertificateRevocationList()
  made.version = 1
  made.issuer = pkijsCertificate(new X509Certificate(issuer.certificate)).subject
  made.thisUpdate = new pkijs.Time({ value: date(from) })
  if (until !== null) made.nextUpdate = new pkijs.Time({ value: date(until) })
  if (revoked.length > 0)
    made.revokedCertificates = revoked.map(serial => {
      const revocationDate = new pkijs.Time({ value: date(from) })
      return new pkijs.RevokedCertificate({ userCertificate: integer(serial), revocationDate })
    })
  const keyIdentifier = octets(digestOfKey(createPublicKey(issuer.key)))
  const extensions = [
    extension(
      OIDS.authorityKeyIdentifier,
      new pkijs.AuthorityKeyIdentifier({ keyIdentifier }).toSchema(),
      false,
    ),
    extension(OIDS.crlNumber, new asn1.Integer({ value: (deltaOf ?? 0) + 1 }), false),
  ]
  if (deltaOf !== undefined)
    extensions.push(extension(OIDS.deltaCrlIndicator, new asn1.Integer({ value: deltaOf }), true))
  if (onlyAuthorities) {
    const point = new pkijs.IssuingDistributionPoint({ onlyContainsCACerts: true })
    extensions.push(extension(OIDS.issuingDistributionPoint, point.toSchema(), true))
  }
  made.crlExtensions = new pkijs.Extensions({ extensions })
  made.signature = signatureAlgorithm(signedBy)
  made.signatureAlgorithm = made.signature
  made.signatureValue = signed(made.toSchema(true).valueBlock.value[0]!, signedBy)
  return Buffer.from(made.toSchema(true).toBER(false))
}

/** What an OCSP responder says instead of a status: RFC 6960 s4.2.1. */
export const OCSP_REFUSALS = {
  malformedRequest: 1,
  internalError: 2,
  tryLater: 3,
  sigRequired: 5,
  unauthorized: 6,
} as const
export type OcspRefusal = keyof typeof OCSP_REFUSALS

/** An answer about one certificate, or about several of the same status: RFC 6960 s4.2. */
export interface OcspAnswer {
  issuer: StatusSigner
  /** Serial number in hexadecimal. */
  serial: string | readonly string[]
  status: 'good' | 'revoked' | 'unknown'
  /** As in RevocationList. */
  from?: number
  until?: number | null
  /** A responder with a certificate of its own, which the answer contains; default: the issuer itself. */
  responder?: StatusSigner
  /** Signs in place of the one who the answer says has signed. */
  signedBy?: KeyObject
}

/** An OCSPResponse in DER. */
export function ocspAnswer(answer: OcspAnswer): Buffer {
  const { issuer, serial, status, from = -1, until = 1, responder } = answer
  const signer = answer.signedBy ?? (responder ?? issuer).key
  const responderCertificate = pkijsCertificate(new X509Certificate((responder ?? issuer).certificate))
  const data = new pkijs.ResponseData({
    responderID: responderCertificate.subject,
    producedAt: date(from),
    responses: [serial].flat().map(
      one =>
        new pkijs.SingleResponse({
          certID: certId(new X509Certificate(issuer.certificate), one),
          certStatus: certStatus(status, from),
          thisUpdate: date(from),
          ...(until === null ? {} : { nextUpdate: date(until) }),
        }),
    ),
  })
  const content = data.toSchema(true)
  data.tbsView = new Uint8Array(content.toBER(false))
  const basic = new pkijs.BasicOCSPResponse({
    tbsResponseData: data,
    signatureAlgorithm: signatureAlgorithm(signer),
    signature: signed(content, signer),
    ...(responder ? { certs: [responderCertificate] } : {}),
  })
  return ocspResponse(0, Buffer.from(basic.toSchema().toBER(false)))
}

/** An OCSPResponse that gives no status, in DER. */
export const ocspRefusal = (refusal: OcspRefusal): Buffer => ocspResponse(OCSP_REFUSALS[refusal])

function ocspResponse(status: number, basic?: Buffer): Buffer {
  const responseStatus = new asn1.Enumerated({ value: status })
  const responseBytes =
    basic && new pkijs.ResponseBytes({ responseType: OIDS.basicOcspResponse, response: octets(basic) })
  const response = new pkijs.OCSPResponse({ responseStatus, ...(responseBytes ? { responseBytes } : {}) })
  return Buffer.from(response.toSchema().toBER(false))
}

/** The question for the status of a certificate, in DER, without a nonce; RFC 6960 s4.1. */
export function ocspRequest(certificate: X509Certificate, issuer: X509Certificate): Buffer {
  const requestList = [new pkijs.Request({ reqCert: certId(issuer, certificate.serialNumber) })]
  const request = new pkijs.OCSPRequest({ tbsRequest: new pkijs.TBSRequest({ requestList }) })
  return Buffer.from(request.toSchema(true).toBER(false))
}

/** Throws for what pkijs cannot read. */
export const pkijsCertificate = (certificate: X509Certificate): pkijs.Certificate =>
  pkijs.Certificate.fromBER(bytes(certificate.raw))

/** A copy, because a Buffer may lie in the middle of a longer one. */
export const bytes = (buffer: Uint8Array): ArrayBuffer => new Uint8Array(buffer).buffer

const octets = (content: Uint8Array) => new asn1.OctetString({ valueHex: bytes(content) })

/** So many days from now, in whole seconds: RFC 5280 s4.1.2.5 and RFC 6960 s4.2.2.1 have no fractions. */
const date = (days: number): Date => new Date(Math.floor((Date.now() + days * DAY) / 1000) * 1000)

/** The integer of a serial number in hexadecimal, as Node has it. */
function integer(serial: string): asn1.Integer {
  const even = serial.length % 2 ? `0${serial}` : serial
  const positive = Number.parseInt(even.slice(0, 2), 16) < 0x80 ? even : `00${even}`
  return new asn1.Integer({ valueHex: bytes(Buffer.from(positive, 'hex')) })
}

const extension = (extnID: string, value: asn1.BaseBlock, critical: boolean): pkijs.Extension =>
  new pkijs.Extension({ extnID, critical, extnValue: value.toBER(false) })

/** With RSA the parameters are NULL, with the others they are absent. */
const signatureAlgorithm = ({ asymmetricKeyType: type }: KeyObject): pkijs.AlgorithmIdentifier =>
  new pkijs.AlgorithmIdentifier({
    algorithmId: SIGNATURES[type!]!,
    ...(type === 'rsa' ? { algorithmParams: new asn1.Null() } : {}),
  })

/** The signature over what is to be signed, as the bit string that stands behind it. */
function signed(content: asn1.BaseBlock, key: KeyObject): asn1.BitString {
  const digest = key.asymmetricKeyType === 'ed25519' ? undefined : 'sha256'
  return new asn1.BitString({ valueHex: bytes(sign(digest, Buffer.from(content.toBER(false)), key)) })
}

/** SHA-1 of the bits of a key: RFC 5280 s4.2.1.2 (1), RFC 6960 s4.1.1. */
function digestOfKey(key: KeyObject): Buffer {
  const info = pkijs.PublicKeyInfo.fromBER(bytes(key.export({ type: 'spki', format: 'der' })))
  return sha1(info.subjectPublicKey.valueBlock.valueHexView)
}

const sha1 = (content: Uint8Array): Buffer => createHash('sha1').update(content).digest()

/** RFC 6960 s4.1.1, with SHA-1: the one digest that every responder knows, RFC 5019 s2.1.1. */
function certId(issuer: X509Certificate, serial: string): pkijs.CertID {
  const name = new Uint8Array(pkijsCertificate(issuer).subject.valueBeforeDecode)
  return new pkijs.CertID({
    hashAlgorithm: new pkijs.AlgorithmIdentifier({
      algorithmId: OIDS.sha1,
      algorithmParams: new asn1.Null(),
    }),
    issuerNameHash: octets(sha1(name)),
    issuerKeyHash: octets(digestOfKey(issuer.publicKey)),
    serialNumber: integer(serial),
  })
}

/** CertStatus: good [0] NULL, revoked [1] with its time, unknown [2] NULL. */
function certStatus(status: OcspAnswer['status'], since: number): asn1.BaseBlock {
  const idBlock = { tagClass: 3, tagNumber: { good: 0, revoked: 1, unknown: 2 }[status] }
  if (status !== 'revoked') return new asn1.Primitive({ idBlock })
  return new asn1.Constructed({ idBlock, value: [new asn1.GeneralizedTime({ valueDate: date(since) })] })
}
