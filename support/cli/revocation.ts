import pc from 'picocolors'
import { jsonText } from '../json-text.ts'
import { isSelfSigned } from '../pki/chain.ts'
import { certificatesAt, storeAt } from '../pki/store.ts'
import { checkRevocation, type Source, type StatusReport } from '../traffic/revocation-check.ts'
import { COLUMNS, wrapped } from './columns.ts'
import { isFile, row, safe, serverAt, shownAt, subjectOf } from './server-certificate-text.ts'
import type { Look } from './terminal.ts'

export interface RevocationOptions {
  store?: string
  json?: boolean
}

/**
 * Asks every address in the certificates of a server or a file for their status. Gives 0 if all of it can be had and none is
 * revoked, 1 if not. Throws InputError where there is no certificate.
 */
export async function revocationCommand(target: string, options: RevocationOptions & Look): Promise<0 | 1> {
  const store = storeAt(options.store)
  const shown = isFile(target) ? { certificates: certificatesAt(target) } : await shownAt(serverAt(target))
  const { certificates, status: stapled } = { status: undefined, ...shown }
  if (process.stderr.isTTY) process.stderr.write('mail-tls: asking the addresses in the certificates\n')
  const reports = await checkRevocation(certificates, store.certificates, stapled ? { stapled } : {})
  const isRoot = isSelfSigned(certificates[0]!)
  process.stdout.write(
    options.json ? jsonText(revocationJson(target, reports)) : revocationText(reports, isRoot, options),
  )
  return isAllHad(reports) ? 0 : 1
}

const isAllHad = (reports: readonly StatusReport[]): boolean =>
  reports.length > 0 && reports.every(({ status, complete }) => status === 'good' && complete)

const GOOD: readonly Source['outcome'][] = ['good', 'had']
const KINDS: Record<Source['kind'], string> = {
  list: 'list',
  responder: 'OCSP',
  issuer: 'issuer',
  stapled: 'sent along',
}

/** Lines of at most 80 columns that end in a newline. */
function revocationText(reports: readonly StatusReport[], isRoot: boolean, { colour }: Look): string {
  const paint = pc.createColors(colour)
  const colours = { good: paint.green, revoked: paint.red, undetermined: paint.yellow }
  const blocks = reports.map(({ certificate, sources, status }) => [
    paint.bold(wrapped(subjectOf(certificate), COLUMNS)),
    row('status', colours[status](status), 2),
    ...(sources.length > 0
      ? sources.flatMap(source => sourceRows(source))
      : [row('', 'The certificate names no address where its status can be had.', 2)]),
    '',
  ])
  return `${[...blocks.flat(), wrapped(summary(reports, isRoot), COLUMNS)].join('\n')}\n`
}

function sourceRows(source: Source): string[] {
  const { kind, address, outcome, detail, bytes, thisUpdate, nextUpdate, revokedAt } = source
  const mark = GOOD.includes(outcome) ? '✓' : outcome === 'not asked' ? '-' : '✗'
  const facts = [
    detail,
    bytes === undefined ? undefined : `${bytes} bytes`,
    revokedAt && `revoked on ${date(revokedAt)}`,
    thisUpdate && `of ${date(thisUpdate)}`,
    nextUpdate && `next by ${date(nextUpdate)}`,
  ].filter(fact => fact !== undefined)
  const said = [outcome, facts.join(', ')].filter(Boolean).join(': ')
  return [
    row(`${mark} ${KINDS[kind]}`, safe(said), 2),
    ...(address ? [`    ${wrapped(safe(address), COLUMNS, 4)}`] : []),
  ]
}

const date = (value: Date): string => value.toISOString().replace(/\.\d+Z$/, 'Z')

function summary(reports: readonly StatusReport[], isRoot: boolean): string {
  if (reports.length === 0)
    return isRoot
      ? 'This is a root, which has no status: nobody above it could revoke it.'
      : 'There is nothing to ask about.'
  if (reports.some(({ status }) => status === 'revoked')) return 'A certificate is revoked.'
  if (isAllHad(reports)) return 'All of the status can be had from this machine.'
  const faults = reports
    .flatMap(({ sources }) => sources)
    .filter(({ outcome }) => !GOOD.includes(outcome) && outcome !== 'not asked')
    .map(({ outcome }) => outcome)
  const counted = [...new Set(faults)].map(
    fault => `${fault} (${faults.filter(one => one === fault).length})`,
  )
  const causes = counted.length > 0 ? `: ${counted.join(', ')}` : ''
  return `Not all of the status can be had from this machine${causes}.`
}

/** As in revocation.schema.json. */
function revocationJson(target: string, reports: readonly StatusReport[]): object {
  return {
    schema: 1,
    target,
    certificates: reports.map(({ certificate, sources, status, complete }) => ({
      subject: certificate.subject.split('\n').join(', '),
      serial: certificate.serialNumber,
      fingerprint: certificate.fingerprint256.replaceAll(':', ''),
      status,
      complete,
      sources,
    })),
    allHad: isAllHad(reports),
  }
}
