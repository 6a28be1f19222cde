import type { X509Certificate } from 'node:crypto'
import type * as pkijs from 'pkijs'
import { keyOf } from '../wire/tls/certificate-facts.ts'
import type { StatusAddresses } from './certificate.ts'
import { pkijsCertificate } from './write-crl-and-ocsp.ts'

/** Object identifiers: RFC 5280 s4.1.2.4, s4.2.1 and s4.2.2.1. */
const OIDS = {
  commonName: '2.5.4.3',
  country: '2.5.4.6',
  organisation: '2.5.4.10',
  unit: '2.5.4.11',
  subjectAltName: '2.5.29.17',
  crlDistributionPoints: '2.5.29.31',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  ocsp: '1.3.6.1.5.5.7.48.1',
  caIssuers: '1.3.6.1.5.5.7.48.2',
} as const

/** What the published tables say of a certificate, and what else an administrator compares. Texts are as they stand in it. */
export interface CertificateAttributes {
  /** Several where the subject has several. */
  commonNames: string[]
  organisations: string[]
  units: string[]
  /** Subject and issuer in one line, most general part first. */
  subject: string
  issuer: string
  /** DNS names of the subject alternative name. */
  names: string[]
  key: { type: string; bits?: number; curve?: string }
  serial: string
  notBefore: Date
  notAfter: Date
  /** SHA-256, in capitals without separators. */
  fingerprint: string
  addresses: Required<StatusAddresses>
}

/** Names that one certificate may have at most, and addresses of each kind: no peer may fill the screen. */
const MAX_NAMES = 1000
const MAX_ADDRESSES = 10

const SHORT: Record<string, string> = {
  [OIDS.commonName]: 'CN',
  [OIDS.country]: 'C',
  [OIDS.organisation]: 'O',
  [OIDS.unit]: 'OU',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '0.9.2342.19200300.100.1.25': 'DC',
}

/** Throws for a certificate that pkijs cannot read. */
export function attributesOf(certificate: X509Certificate): CertificateAttributes {
  const { subject, issuer, extensions = [] } = pkijsCertificate(certificate)
  const of = (type: string) => subject.typesAndValues.filter(one => one.type === type).map(text)
  return {
    commonNames: of(OIDS.commonName),
    organisations: of(OIDS.organisation),
    units: of(OIDS.unit),
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    names: generalNames(parsed(extensions, OIDS.subjectAltName), 2).slice(0, MAX_NAMES),
    key: keyOf(certificate).key ?? { type: 'unknown' },
    serial: certificate.serialNumber,
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
    fingerprint: certificate.fingerprint256.replaceAll(':', ''),
    addresses: addressesIn(extensions),
  }
}

const text = ({ value }: pkijs.AttributeTypeAndValue): string => String(value.valueBlock.value)

const oneLine = ({ typesAndValues }: pkijs.RelativeDistinguishedNames): string =>
  typesAndValues.map(one => `${SHORT[one.type] ?? one.type}=${text(one)}`).join(', ')

const parsed = (extensions: readonly pkijs.Extension[], id: string): unknown =>
  extensions.find(({ extnID }) => extnID === id)?.parsedValue

/** Values of the names of one type, RFC 5280 s4.2.1.6; none where pkijs could not read the extension. */
function generalNames(value: unknown, type: number): string[] {
  const { names, altNames } = (value ?? {}) as { names?: pkijs.GeneralName[]; altNames?: pkijs.GeneralName[] }
  return (names ?? altNames ?? []).filter(name => name.type === type).map(name => String(name.value))
}

/** The addresses of lists, of responders and of the issuer's certificate, as URLs of whatever scheme. */
function addressesIn(extensions: readonly pkijs.Extension[]): Required<StatusAddresses> {
  const points = parsed(extensions, OIDS.crlDistributionPoints) as pkijs.CRLDistributionPoints | undefined
  const access = parsed(extensions, OIDS.authorityInfoAccess) as pkijs.InfoAccess | undefined
  const crl = (points?.distributionPoints ?? []).flatMap(({ distributionPoint }) =>
    Array.isArray(distributionPoint) ? generalNames({ names: distributionPoint }, 6) : [],
  )
  const of = (method: string) =>
    (access?.accessDescriptions ?? [])
      .filter(({ accessMethod, accessLocation }) => accessMethod === method && accessLocation.type === 6)
      .map(({ accessLocation }) => String(accessLocation.value))
  return {
    crl: crl.slice(0, MAX_ADDRESSES),
    ocsp: of(OIDS.ocsp).slice(0, MAX_ADDRESSES),
    issuer: of(OIDS.caIssuers).slice(0, MAX_ADDRESSES),
  }
}
