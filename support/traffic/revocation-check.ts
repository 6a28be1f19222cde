import { X509Certificate } from 'node:crypto'
import { attributesOf } from '../pki/attributes.ts'
import type { StatusAddresses } from '../pki/certificate.ts'
import { hasIssued, isSelfSigned, pathOf } from '../pki/chain.ts'
import {
  type CertificateStatus,
  NoStatus,
  type StatusFault,
  type Subject,
  statusInAnswer,
  statusInList,
} from '../pki/read-crl-and-ocsp.ts'
import { ocspRequest } from '../pki/write-crl-and-ocsp.ts'
import { type FetchFault, type FetchOptions, fetched, NotFetched } from './fetching.ts'

/** One place where something about a certificate can be had, and what came of asking there. */
export interface Source {
  kind: 'list' | 'responder' | 'issuer' | 'stapled'
  /** Absent for an answer that the server sent along. */
  address?: string
  /** What it says of the certificate, `had` for an issuer's certificate, or why nothing was had. */
  outcome: CertificateStatus['status'] | 'had' | 'not asked' | FetchFault | StatusFault
  /** A sentence part; not safe to print where it repeats an address. */
  detail?: string
  bytes?: number
  thisUpdate?: Date
  nextUpdate?: Date
  revokedAt?: Date
}

/** What can be known of one certificate of a path. */
export interface StatusReport {
  certificate: X509Certificate
  sources: Source[]
  /** `undetermined`: no source says anything, or they say `unknown`. */
  status: 'good' | 'revoked' | 'undetermined'
  /** Every source could be had, but those that were not asked. */
  complete: boolean
}

export interface CheckOptions extends Pick<FetchOptions, 'lookup' | 'wait'> {
  /** The OCSP answer that came with the first certificate. */
  stapled?: Buffer
  /** Where that answer tells the status, nobody is asked for it: RFC 6066 s8. */
  stapledSuffices?: boolean
  now?: number
}

/** Longest list, answer and certificate of an issuer, in bytes. The longest public lists have some megabytes. */
const MOST = { list: 32 * 1024 * 1024, responder: 64 * 1024, issuer: 256 * 1024 } as const
/** Certificates of one path whose status is asked for at most. */
const MAX_CERTIFICATES = 6

/**
 * Asks every address in the certificates of a path for their status, as a validating gateway would: RFC 5280 s6.3, RFC 6960.
 * The issuer of the last certificate is fetched where nobody has shown it. Roots have no status. A list behind https is
 * fetched without asking for the status of that host's certificate, so that no circle can arise. If that status is in the
 * list itself, the list tells nothing.
 */
export async function checkRevocation(
  shown: readonly X509Certificate[],
  store: readonly X509Certificate[],
  { stapled, stapledSuffices = false, now = Date.now(), ...how }: CheckOptions = {},
): Promise<StatusReport[]> {
  const fetching: Fetching = { ...how, roots: store.map(String) }
  const known = [...shown]
  const reports: StatusReport[] = []
  for (let depth = 0; depth < MAX_CERTIFICATES; depth++) {
    const [certificate, next] = pathOf(known, store).certificates.slice(depth)
    if (!certificate || isSelfSigned(certificate)) break
    const { addresses } = attributesOf(certificate)
    const issuers = askForIssuer(certificate, addresses.issuer, fetching)
    const issuer = next ?? (await issuers).issuer
    if (issuer && !next) known.push(issuer)
    const subject = issuer && { certificate, issuer, now }
    const along = depth === 0 && subject && stapled ? [await inStapled(stapled, subject)] : []
    const told = stapledSuffices && along.some(({ outcome }) => outcome === 'good' || outcome === 'revoked')
    const others = async () => (subject ? askForStatus(subject, addresses, fetching) : notAsked(addresses))
    const status = told ? along : [...along, ...(await others())]
    const sources = (await Promise.all([status, issuers.then(one => one.sources)])).flat()
    reports.push({ certificate, sources, ...summary(sources) })
    if (!issuer) break
  }
  return reports
}

function summary(sources: readonly Source[]): Pick<StatusReport, 'status' | 'complete'> {
  const says = (outcome: Source['outcome']) => sources.some(source => source.outcome === outcome)
  const complete = sources.every(({ outcome }) => ['good', 'revoked', 'had', 'not asked'].includes(outcome))
  return { status: says('revoked') ? 'revoked' : says('good') ? 'good' : 'undetermined', complete }
}

type Fetching = Omit<FetchOptions, 'most' | 'question'>

function notAsked({ crl, ocsp }: Required<StatusAddresses>): Source[] {
  const unasked = (kind: Source['kind'], address: string): Source => ({
    kind,
    address,
    outcome: 'not asked',
    detail: 'the certificate of the issuer is not known',
  })
  return [
    ...crl.map(address => unasked('list', address)),
    ...ocsp.map(address => unasked('responder', address)),
  ]
}

/** Whether a certificate names this address as that of its list. */
const isIn =
  (address: string) =>
  (host: X509Certificate): boolean =>
    attributesOf(host).addresses.crl.includes(address)

const inStapled = (stapled: Buffer, subject: Subject): Promise<Source> =>
  judged({ kind: 'stapled' }, stapled, body => statusInAnswer(body, subject))

async function askForStatus(
  subject: Subject,
  { crl, ocsp }: Required<StatusAddresses>,
  fetching: Fetching,
): Promise<Source[]> {
  const read = (body: Buffer) => statusInAnswer(body, subject)
  const question = {
    type: 'application/ocsp-request',
    body: ocspRequest(subject.certificate, subject.issuer),
  }
  return Promise.all([
    ...crl.map(address =>
      ask('list', address, { ...fetching, most: MOST.list, isCircular: isIn(address) }, body =>
        statusInList(body, subject, address),
      ),
    ),
    ...ocsp.map(address => ask('responder', address, { ...fetching, most: MOST.responder, question }, read)),
  ])
}

/** The issuer from the first address that has it, and what came of all addresses. */
async function askForIssuer(
  certificate: X509Certificate,
  addresses: readonly string[],
  fetching: Fetching,
): Promise<{ issuer?: X509Certificate | undefined; sources: Source[] }> {
  const all = await Promise.all(
    addresses.map(async address => {
      let issuer: X509Certificate | undefined
      const source = await ask('issuer', address, { ...fetching, most: MOST.issuer }, async body => {
        issuer = issuerIn(body, certificate)
        return { status: 'had' }
      })
      return { source, issuer }
    }),
  )
  return { issuer: all.find(one => one.issuer)?.issuer, sources: all.map(({ source }) => source) }
}

/** One certificate in DER, RFC 5280 s4.2.2.1. Bundles of PKCS #7 are not read. */
function issuerIn(body: Buffer, certificate: X509Certificate): X509Certificate {
  let issuer: X509Certificate
  try {
    issuer = new X509Certificate(body)
  } catch {
    throw new NoStatus('wrong content', 'it is no certificate')
  }
  if (!hasIssued(issuer, certificate))
    throw new NoStatus('wrong issuer', 'it is not the certificate of the issuer')
  return issuer
}

type Said = Omit<Partial<CertificateStatus>, 'status'> & { status: 'had' | CertificateStatus['status'] }

async function ask(
  kind: Exclude<Source['kind'], 'stapled'>,
  address: string,
  options: FetchOptions,
  read: (body: Buffer) => Promise<Said>,
): Promise<Source> {
  if (!/^https?:/i.test(address))
    return { kind, address, outcome: 'not asked', detail: 'only http and https are asked' }
  try {
    return await judged({ kind, address }, await fetched(address, options), read)
  } catch (error) {
    if (!(error instanceof NotFetched)) throw error
    return { kind, address, outcome: error.fault, detail: error.message }
  }
}

async function judged(
  source: Pick<Source, 'kind' | 'address'>,
  body: Buffer,
  read: (body: Buffer) => Promise<Said>,
): Promise<Source> {
  try {
    const { status, ...times } = await read(body)
    return { ...source, outcome: status, bytes: body.length, ...times }
  } catch (error) {
    if (!(error instanceof NoStatus)) throw error
    return { ...source, outcome: error.fault, detail: error.message, bytes: body.length }
  }
}
