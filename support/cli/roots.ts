import type { X509Certificate } from 'node:crypto'
import pc from 'picocolors'
import { jsonText } from '../json-text.ts'
import { certificatesAt, type Standing, type Store, standingOf, storeAt } from '../pki/store.ts'
import { counted } from '../quantities.ts'
import { COLUMNS, wrapped } from './columns.ts'
import { row, safe, subjectOf } from './server-certificate-text.ts'
import type { Look } from './terminal.ts'

export interface RootsOptions {
  store?: string
  json?: boolean
}

interface Judged {
  certificate: X509Certificate
  standing: Standing
}

const ADVICE: Record<Standing, string> = {
  trusted: 'This root is trusted.',
  expired: 'This root is in the store, but not valid today, so nothing that it has issued is.',
  'not a root':
    'This is the certificate of a server or of an intermediate authority. Only a root is trusted for others: give the file of the root.',
  'not in the store':
    'This root is not trusted. What it has issued is refused until an administrator installs exactly this certificate.',
  'another one with its name is in the store':
    'The store has a certificate with the same name, which is another one: compare the fingerprints. What this root has issued is refused.',
}

/** Says of each certificate in a file whether it is a trusted root. Gives 0 if all are, 1 if not. Throws InputError. */
export async function rootsCommand(file: string, options: RootsOptions & Look): Promise<0 | 1> {
  const certificates = certificatesAt(file)
  const store = storeAt(options.store)
  const judged = certificates.map(certificate => ({ certificate, standing: standingOf(certificate, store) }))
  const isTrusted = judged.every(({ standing }) => standing === 'trusted')
  process.stdout.write(options.json ? jsonText(rootsJson(judged, store)) : rootsText(judged, store, options))
  return isTrusted ? 0 : 1
}

/** Lines of at most 80 columns that end in a newline. */
function rootsText(judged: readonly Judged[], store: Store, { colour }: Look): string {
  const paint = pc.createColors(colour)
  const { certificates, place } = store
  const blocks = judged.map(({ certificate, standing }) => {
    const good = standing === 'trusted'
    const namesakes = certificates.filter(
      one => standing === 'another one with its name is in the store' && one.subject === certificate.subject,
    )
    return [
      row(good ? paint.green('✓ certificate ') : paint.red('✗ certificate '), subjectOf(certificate)),
      row('SHA-256', plain(certificate)),
      row('valid until', certificate.validToDate.toISOString().replace('.000Z', 'Z')),
      row('', ADVICE[standing]),
      ...namesakes.map(one => row('in the store', `${subjectOf(one)} ${plain(one)}`)),
      '',
    ].join('\n')
  })
  const looked = `Looked in ${safe(place)}: ${counted(certificates.length, 'certificate')}.`
  return `${[...blocks, wrapped(looked, COLUMNS)].join('\n')}\n`
}

const plain = ({ fingerprint256 }: X509Certificate): string => fingerprint256.replaceAll(':', '')

/** As in roots.schema.json. */
function rootsJson(judged: readonly Judged[], { place, certificates }: Store): object {
  return {
    schema: 1,
    store: place,
    certificates: judged.map(({ certificate, standing }) => ({
      subject: certificate.subject.split('\n').join(', '),
      fingerprint: plain(certificate),
      notAfter: certificate.validToDate,
      standing,
    })),
    inStore: certificates.length,
    trusted: judged.every(({ standing }) => standing === 'trusted'),
  }
}
