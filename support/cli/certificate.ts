import type { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import pc from 'picocolors'
import { InputError } from '../input-error.ts'
import { jsonText } from '../json-text.ts'
import { attributesOf, type CertificateAttributes } from '../pki/attributes.ts'
import { isCurrent, isSelfSigned, type Path, pathOf } from '../pki/chain.ts'
import {
  type Compared,
  compared,
  type ExpectedAttributes,
  expectedIn,
  IN_USE,
  keyName,
  PUBLISHED,
  type PublishedName,
} from '../pki/expected-certificate.ts'
import { certificatesAt, type Store, storeAt } from '../pki/store.ts'
import { counted, daysUntil } from '../quantities.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'
import { COLUMNS, wrapped } from './columns.ts'
import { row, safe, serverAt, shownAt, subjectOf } from './server-certificate-text.ts'
import type { Look, Paint } from './terminal.ts'

export interface CertificateOptions {
  expect?: string
  /** The file from which the server reads its certificate. */
  installed?: string
  store?: string
  json?: boolean
}

/** What `mail-tls certificate` found. */
interface CertificateFindings {
  server: Endpoint
  version: string
  attributes: CertificateAttributes
  path: Path
  store: Store
  expectation?: { name: string; compared: Compared[]; like?: PublishedName }
  installed?: Installed
}

/** The certificate in the file from which the server reads it, beside the one that the server shows. */
interface Installed {
  file: string
  certificate: X509Certificate
  /** The server has read it: `older` and `newer` say which of them the file has otherwise, by the end of their validity. */
  state: 'shown' | 'newer' | 'older'
  /** Issuers in the file that the server does not send. */
  missing: number
}

/**
 * Prints the attributes of a server's certificate. Gives 0 if it is valid today and has what is expected, 1 if not. Throws
 * InputError where the server shows none.
 */
export async function certificateCommand(target: string, options: CertificateOptions & Look): Promise<0 | 1> {
  const server = serverAt(target)
  const expectation = options.expect === undefined ? undefined : expectationOf(options.expect)
  const onDisk = options.installed === undefined ? undefined : certificatesAt(options.installed)
  const store = storeAt(options.store)
  const { certificates, version } = await shownAt(server)
  const path = pathOf(certificates, store.certificates)
  const attributes = attributesOf(certificates[0]!)
  const findings: CertificateFindings = { server, version, attributes, path, store }
  if (expectation) findings.expectation = compare(findings, expectation)
  if (onDisk) findings.installed = installedIn(options.installed!, onDisk, certificates)
  process.stdout.write(
    options.json ? jsonText(certificateJson(findings)) : certificateText(findings, options),
  )
  return isAsExpected(findings) ? 0 : 1
}

function installedIn(
  file: string,
  onDisk: readonly X509Certificate[],
  shown: readonly X509Certificate[],
): Installed {
  const [certificate] = onDisk
  const sent = new Set(shown.map(({ fingerprint256 }) => fingerprint256))
  const own = shown[0]!
  const state =
    certificate!.fingerprint256 === own.fingerprint256
      ? 'shown'
      : certificate!.validToDate > own.validToDate
        ? 'newer'
        : 'older'
  const issuers = onDisk.slice(1).filter(one => !isSelfSigned(one))
  const missing = issuers.filter(({ fingerprint256 }) => !sent.has(fingerprint256)).length
  return { file, certificate: certificate!, state, missing: state === 'shown' ? missing : 0 }
}

const hasRead = ({ installed }: CertificateFindings): boolean =>
  installed === undefined || (installed.state === 'shown' && installed.missing === 0)

interface Expectation {
  name: string
  expected: ExpectedAttributes
}

function expectationOf(given: string): Expectation {
  const published = PUBLISHED[given as PublishedName] as ExpectedAttributes | undefined
  if (published) return { name: given, expected: published }
  if (!existsSync(given) && !/[./]/.test(given))
    throw new InputError(
      `--expect: there is no ${safe(given)}; there are ${Object.keys(PUBLISHED).join(', ')}, or a file`,
    )
  return { name: given, expected: expectedIn(given) }
}

function compare(
  findings: CertificateFindings,
  { name, expected }: Expectation,
): NonNullable<CertificateFindings['expectation']> {
  const against = (one: ExpectedAttributes) => compared(findings.attributes, rootOf(findings), one)
  const list = against(expected)
  const isLike = (other: PublishedName) =>
    against(PUBLISHED[other] as ExpectedAttributes).every(({ same }) => same)
  const like = list.every(({ same }) => same)
    ? undefined
    : (Object.keys(PUBLISHED) as PublishedName[]).find(other => other !== name && isLike(other))
  return { name, compared: list, ...(like ? { like } : {}) }
}

const rootOf = ({ path }: CertificateFindings) => (path.complete ? path.certificates.at(-1) : undefined)

const isValid = ({ path }: CertificateFindings): boolean => isCurrent(path.certificates[0]!, Date.now())

function isAsExpected(findings: CertificateFindings): boolean {
  const { compared: list = [] } = findings.expectation ?? {}
  return isValid(findings) && hasRead(findings) && list.every(({ same }) => same)
}

const NONE = '(none)'
const listed = (texts: readonly string[]): string => (texts.length > 0 ? texts.map(safe).join(', ') : NONE)

/** Lines of at most 80 columns that end in a newline. */
function certificateText(findings: CertificateFindings, { colour }: Look): string {
  const paint = pc.createColors(colour)
  const { server, version, attributes, path, store, expectation, installed } = findings
  const root = rootOf(findings)
  const { host, port } = server
  const where = path.trusted ? `is in ${safe(store.place)}` : `is not in ${safe(store.place)}`
  return `${[
    wrapped(`${paint.bold(safe(`${host} port ${port}`))} shows over ${version}:`, COLUMNS),
    '',
    row('root', root ? `${subjectOf(root)}; ${where}` : 'not shown and not in the store'),
    ...(root ? [row('', plain(root.fingerprint256))] : []),
    row('issuer', safe(attributes.issuer)),
    row('common name', listed(attributes.commonNames)),
    row('names', listed(attributes.names)),
    row('organisation', listed(attributes.organisations)),
    row('unit', listed(attributes.units)),
    row('key', safe(keyName(attributes.key))),
    row('valid', validity(findings, paint)),
    row('serial', attributes.serial),
    row('SHA-256', attributes.fingerprint),
    ...(expectation ? comparison(expectation, paint) : []),
    ...(installed ? ['', wrapped(reading(installed, attributes, paint), COLUMNS)] : []),
  ].join('\n')}\n`
}

const plain = (fingerprint: string): string => fingerprint.replaceAll(':', '')

function validity(findings: CertificateFindings, paint: Paint): string {
  const { notBefore, notAfter } = findings.attributes
  const days = daysUntil(notAfter)
  const left = isValid(findings)
    ? `${counted(days, 'day')} left`
    : paint.red(notBefore.getTime() > Date.now() ? 'not yet valid' : 'expired')
  return `from ${day(notBefore)} to ${day(notAfter)}, ${left}`
}

/** Whether the server has read its file, in a sentence. */
function reading(
  { file, certificate, state, missing }: Installed,
  { notAfter }: CertificateAttributes,
  paint: Paint,
): string {
  const until = `until ${day(certificate.validToDate)}`
  switch (state) {
    case 'newer':
      return paint.red(
        `${safe(file)} has a later certificate, ${until}, than the server shows, until ${day(notAfter)}: the server has not read the file again. Reload it.`,
      )
    case 'older':
      return paint.red(
        `${safe(file)} has another certificate, ${until}, and not a later one than the server shows: it is not the file that the server reads, or an older copy.`,
      )
    case 'shown':
      return missing > 0
        ? paint.red(
            `The server shows the certificate in ${safe(file)}, but not ${counted(missing, 'issuer')} in it.`,
          )
        : paint.green(`The server shows the certificate in ${safe(file)}.`)
  }
}

const day = (date: Date): string => date.toISOString().replace('.000Z', 'Z')

function comparison(
  { name, compared: list, like }: NonNullable<CertificateFindings['expectation']>,
  paint: Paint,
): string[] {
  const rows = list.map(({ attribute, expected, found, same }) => {
    const value = same ? safe(found ?? NONE) : `${safe(found ?? NONE)}, expected: ${safe(expected ?? NONE)}`
    return row(same ? `✓ ${attribute}` : `✗ ${attribute}`, same ? value : paint.red(value))
  })
  const differing = list.filter(({ same }) => !same).map(({ attribute }) => attribute)
  const end =
    differing.length === 0
      ? paint.green('It has all that is expected.')
      : `${paint.red(`It differs in: ${differing.join(', ')}.`)}${
          like ? ` It is as in ${like}, which was in use ${IN_USE[like]}.` : ''
        }`
  return ['', wrapped(`Compared with ${safe(name)}:`, COLUMNS), ...rows, '', wrapped(end, COLUMNS)]
}

/** As in certificate.schema.json. */
function certificateJson(findings: CertificateFindings): object {
  const { server, version, attributes, path, store, expectation, installed } = findings
  const root = rootOf(findings)
  return {
    schema: 1,
    server,
    version,
    certificate: { ...attributes, daysLeft: daysUntil(attributes.notAfter), valid: isValid(findings) },
    path: path.certificates.map(one => ({
      subject: one.subject.split('\n').join(', '),
      notAfter: one.validToDate,
      fingerprint: plain(one.fingerprint256),
    })),
    root: root ? plain(root.fingerprint256) : null,
    store: store.place,
    trusted: path.trusted,
    ...(expectation
      ? {
          expected: {
            name: expectation.name,
            same: expectation.compared.every(({ same }) => same),
            attributes: expectation.compared,
            like: expectation.like ?? null,
          },
        }
      : {}),
    ...(installed
      ? {
          installed: {
            file: installed.file,
            fingerprint: plain(installed.certificate.fingerprint256),
            notAfter: installed.certificate.validToDate,
            state: installed.state,
            missing: installed.missing,
          },
        }
      : {}),
    asExpected: isAsExpected(findings),
  }
}
