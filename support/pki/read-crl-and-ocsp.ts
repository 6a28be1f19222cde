import { createHash, verify, X509Certificate } from 'node:crypto'
import * as pkijs from 'pkijs'
import { Fault } from '../fault.ts'
import { hasIssued, isCurrent } from './chain.ts'
import { type Element, elementAt, elementsIn, TAGS } from './der.ts'
import { bytes, OCSP_REFUSALS, OIDS, pkijsCertificate } from './write-crl-and-ocsp.ts'

/** Object identifiers: RFC 5280 s4.2.1.3, RFC 6960 s4.2.2.2. */
const KEY_USAGE = '2.5.29.15'
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9'

/** What a list or an answer says of one certificate. `good` of a list: the certificate is not in it. */
export interface CertificateStatus {
  status: 'good' | 'revoked' | 'unknown'
  /** When the authority said so, and when it will say something newer. */
  thisUpdate: Date
  nextUpdate?: Date
  revokedAt?: Date
}

/** Why a list or an answer tells nothing. */
export type StatusFault =
  | 'wrong content'
  | 'wrong issuer'
  | 'wrong signature'
  | 'expired'
  | 'not yet valid'
  | 'wrong certificate'
  | 'no answer'

/** A list or an answer says nothing about a certificate; the message says why, in a part of a sentence. */
export class NoStatus extends Fault<StatusFault> {}

/** Of which certificate, who has issued it, and at which time, in ms since 1970. */
export interface Subject {
  certificate: X509Certificate
  issuer: X509Certificate
  now: number
}

/** Clocks of authorities and of mail servers may differ by so much, in ms. */
const CLOCK_DIFFERENCE = 5 * 60_000

const WORDS = { 45: 'PEM in place of DER', 60: 'a web page' } as const

/**
 * What a revocation list says. Counts only if it is one list in DER, from the issuer of the certificate, signed by it,
 * current, and about such certificates: RFC 5280 s6.3.3. `address`: where it was fetched, for lists that name their
 * addresses. Throws NoStatus.
 */
export async function statusInList(
  der: Buffer,
  subject: Subject,
  address?: string,
): Promise<CertificateStatus> {
  const { certificate, issuer, now } = subject
  const { list, content, entries } = readList(der)
  if (!list.issuer.isEqual(pkijsCertificate(certificate).issuer))
    throw new NoStatus('wrong issuer', 'the list is from another issuer')
  if (!signsLists(issuer)) throw new NoStatus('wrong issuer', 'the issuer may not sign lists')
  if (!(await isSignedBy(issuer, content, list.signatureValue, list.signatureAlgorithm)))
    throw new NoStatus('wrong signature', 'the key of the issuer has not signed the list')
  const { thisUpdate, nextUpdate } = list
  if (!nextUpdate) throw new NoStatus('wrong content', 'the list does not say until when it counts')
  current(thisUpdate.value, nextUpdate.value, now)
  about(list, certificate, address)
  const revokedAt = entries && revocationOf(der, entries, certificate.serialNumber)
  return {
    status: revokedAt ? 'revoked' : 'good',
    thisUpdate: thisUpdate.value,
    nextUpdate: nextUpdate.value,
    ...(revokedAt ? { revokedAt } : {}),
  }
}

/** The list without its entries, what its issuer has signed, and where the entries are: RFC 5280 s5.1. */
function readList(der: Buffer) {
  if (der.length === 0) throw new NoStatus('wrong content', 'it is empty')
  const words = WORDS[der[0] as keyof typeof WORDS]
  if (words) throw new NoStatus('wrong content', `it is ${words}`)
  try {
    const whole = elementAt(der, 0)
    if (whole.end !== der.length) throw new RangeError('something follows the list')
    const content = elementAt(der, whole.content, whole.end)
    const fields = [...elementsIn(der, content)]
    const lastTime = fields.findLastIndex(({ tag }) => tag === TAGS.utcTime || tag === TAGS.generalizedTime)
    const next = fields[lastTime + 1]
    const entries = next?.tag === TAGS.sequence ? next : undefined
    const short = entries ? without(der, whole, content, entries) : der
    const list = pkijs.CertificateRevocationList.fromBER(bytes(short))
    return { list, content: der.subarray(content.at, content.end), entries }
  } catch (error) {
    const why = error instanceof RangeError ? `: ${error.message}` : ''
    throw new NoStatus('wrong content', `it is no revocation list${why}`)
  }
}

/** The same list, as if it had no entries. */
function without(der: Buffer, whole: Element, content: Element, cut: Element): Buffer {
  const kept = Buffer.concat([der.subarray(content.content, cut.at), der.subarray(cut.end, content.end)])
  return sequence(Buffer.concat([sequence(kept), der.subarray(content.end, whole.end)]))
}

function sequence(content: Buffer): Buffer {
  const head = Buffer.from([TAGS.sequence, 0x84, 0, 0, 0, 0])
  head.writeUInt32BE(content.length, 2)
  return Buffer.concat([head, content])
}

/** When the list has the serial number, in hexadecimal, as revoked: the date of the entry. */
function revocationOf(der: Buffer, entries: Element, serial: string): Date | undefined {
  const wanted = Buffer.from(serial.length % 2 ? `0${serial}` : serial, 'hex')
  try {
    for (const entry of elementsIn(der, entries)) {
      const number = elementAt(der, entry.content, entry.end)
      // An integer with a high first bit has a zero byte in front.
      const from = der[number.content] === 0 && number.end - number.content > 1 ? 1 : 0
      if (!der.subarray(number.content + from, number.end).equals(wanted)) continue
      const date = elementAt(der, number.end, entry.end)
      return dateIn(der.toString('latin1', date.content, date.end))
    }
    return undefined
  } catch {
    throw new NoStatus('wrong content', 'its entries cannot be read')
  }
}

/** YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ: RFC 5280 s4.1.2.5. */
function dateIn(text: string): Date {
  const full = text.length === 13 ? `${Number(text.slice(0, 2)) < 50 ? 20 : 19}${text}` : text
  return new Date(full.replace(/^(....)(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}

/** Bit 6 of the key usage; Node's `keyUsage` is the extended one, so the whole extension is read. */
function signsLists(issuer: X509Certificate): boolean {
  const usage = pkijsCertificate(issuer).extensions?.find(({ extnID }) => extnID === KEY_USAGE)
  const bits = (usage?.parsedValue as { valueBlock?: { valueHexView: Uint8Array } } | undefined)?.valueBlock
  return bits === undefined || (bits.valueHexView[0]! & 0x02) !== 0
}

/** Refuses a list about something else: RFC 5280 s5.2.4, s5.2.5 and s6.3.3 (b)(2). */
function about(list: pkijs.CertificateRevocationList, certificate: X509Certificate, address?: string): void {
  const extensions = list.crlExtensions?.extensions ?? []
  for (const { extnID, critical, parsedValue } of extensions) {
    if (extnID === OIDS.deltaCrlIndicator)
      throw new NoStatus('wrong content', 'the list has only the changes of another list')
    if (extnID === OIDS.issuingDistributionPoint) {
      const point = parsedValue as pkijs.IssuingDistributionPoint
      const { onlyContainsUserCerts, onlyContainsCACerts, onlyContainsAttributeCerts } = point
      if (certificate.ca ? onlyContainsUserCerts : onlyContainsCACerts || onlyContainsAttributeCerts)
        throw new NoStatus('wrong certificate', 'the list is about other kinds of certificates')
      const places = Array.isArray(point.distributionPoint) ? point.distributionPoint : []
      const named = places.filter(({ type }) => type === 6).map(({ value }) => String(value))
      if (address !== undefined && named.length > 0 && !named.includes(address))
        throw new NoStatus('wrong certificate', 'the list belongs to another address')
    } else if (critical && !UNDERSTOOD.includes(extnID))
      throw new NoStatus('wrong content', `the list has a critical extension that is not known: ${extnID}`)
  }
}

const UNDERSTOOD: string[] = [OIDS.authorityKeyIdentifier, OIDS.crlNumber]

function current(thisUpdate: Date, nextUpdate: Date | undefined, now: number): void {
  if (thisUpdate.getTime() > now + CLOCK_DIFFERENCE)
    throw new NoStatus('not yet valid', `it counts from ${thisUpdate.toISOString()} on`)
  if (nextUpdate && nextUpdate.getTime() < now)
    throw new NoStatus('expired', `it counted until ${nextUpdate.toISOString()}`)
}

/** Ed25519 and Ed448, RFC 8410 s3, which pkijs does not check. */
const EDWARDS = ['1.3.101.112', '1.3.101.113']

async function isSignedBy(
  signer: X509Certificate,
  content: Uint8Array,
  signature: pkijs.BasicOCSPResponse['signature'],
  algorithm: pkijs.AlgorithmIdentifier,
): Promise<boolean> {
  try {
    if (EDWARDS.includes(algorithm.algorithmId))
      return verify(undefined, content, signer.publicKey, signature.valueBlock.valueHexView)
    const key = pkijsCertificate(signer).subjectPublicKeyInfo
    return await pkijs.getCrypto(true).verifyWithPublicKey(bytes(content), signature, key, algorithm)
  } catch {
    // A signature of another kind than the key.
    return false
  }
}

/**
 * What an OCSP answer says: RFC 6960 s3.2. Counts only if it is about the certificate, signed by its issuer or by a
 * responder to whom the issuer has given a certificate for this, and current. Throws NoStatus.
 */
export async function statusInAnswer(der: Buffer, subject: Subject): Promise<CertificateStatus> {
  const { certificate, issuer, now } = subject
  const basic = readAnswer(der)
  const single = basic.tbsResponseData.responses.find(({ certID }) => isAbout(certID, certificate, issuer))
  if (!single) throw new NoStatus('wrong certificate', 'the answer is about another certificate')
  await signedForIssuer(basic, subject)
  current(single.thisUpdate, single.nextUpdate, now)
  const status = (['good', 'revoked', 'unknown'] as const)[single.certStatus.idBlock?.tagNumber as number]
  if (!status) throw new NoStatus('wrong content', 'the answer has no status')
  const [revokedAt] = single.certStatus.valueBlock?.value ?? []
  return {
    status,
    thisUpdate: single.thisUpdate,
    ...(single.nextUpdate ? { nextUpdate: single.nextUpdate } : {}),
    ...(status === 'revoked' && revokedAt ? { revokedAt: revokedAt.toDate() } : {}),
  }
}

function readAnswer(der: Buffer): pkijs.BasicOCSPResponse {
  let response: pkijs.OCSPResponse
  try {
    response = pkijs.OCSPResponse.fromBER(bytes(der))
  } catch {
    throw new NoStatus('wrong content', 'it is no OCSP answer')
  }
  const code = response.responseStatus.valueBlock.valueDec
  if (code !== 0) {
    const [name = `code ${code}`] = Object.entries(OCSP_REFUSALS).find(([, value]) => value === code) ?? []
    throw new NoStatus('no answer', `the responder gives no status: ${name}`)
  }
  try {
    return pkijs.BasicOCSPResponse.fromBER(bytes(response.responseBytes!.response.valueBlock.valueHexView))
  } catch {
    throw new NoStatus('wrong content', 'it is no OCSP answer')
  }
}

const DIGESTS: Record<string, string> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

/** RFC 6960 s4.1.1: the digests of the issuer's name and key, and the serial number. */
function isAbout(id: pkijs.CertID, certificate: X509Certificate, issuer: X509Certificate): boolean {
  const digest = DIGESTS[id.hashAlgorithm.algorithmId]
  if (!digest) return false
  const { subject, subjectPublicKeyInfo } = pkijsCertificate(issuer)
  const matches = (hash: { valueBlock: { valueHexView: Uint8Array } }, of: Uint8Array) =>
    createHash(digest).update(of).digest().equals(hash.valueBlock.valueHexView)
  return (
    id.serialNumber.isEqual(pkijsCertificate(certificate).serialNumber) &&
    matches(id.issuerNameHash, new Uint8Array(subject.valueBeforeDecode)) &&
    matches(id.issuerKeyHash, subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView)
  )
}

/** Of the certificates in an answer, at most so many may be the signer's. */
const MAX_SIGNERS = 5

/** Empty where OpenSSL cannot read what pkijs could: such a certificate has signed nothing. */
function readable(certificate: pkijs.Certificate): X509Certificate[] {
  try {
    return [new X509Certificate(Buffer.from(certificate.toSchema(false).toBER(false)))]
  } catch {
    return []
  }
}

/** RFC 6960 s4.2.2.2. */
async function signedForIssuer(basic: pkijs.BasicOCSPResponse, { issuer, now }: Subject): Promise<void> {
  const { tbsResponseData, signature, signatureAlgorithm, certs = [] } = basic
  for (const signer of [issuer, ...certs.slice(0, MAX_SIGNERS).flatMap(readable)]) {
    if (!(await isSignedBy(signer, tbsResponseData.tbsView, signature, signatureAlgorithm))) continue
    if (signer === issuer) return
    if (!hasIssued(issuer, signer))
      throw new NoStatus(
        'wrong issuer',
        'somebody has signed the answer who has no certificate of the issuer',
      )
    if (!signer.keyUsage?.includes(OCSP_SIGNING))
      throw new NoStatus('wrong issuer', 'the signer of the answer may not sign answers')
    if (!isCurrent(signer, now))
      throw new NoStatus('expired', 'the certificate of the signer of the answer is not valid now')
    return
  }
  throw new NoStatus('wrong signature', 'neither the issuer nor a responder of it has signed the answer')
}
