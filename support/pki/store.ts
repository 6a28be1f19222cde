import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { getCACertificates } from 'node:tls'
import { InputError } from '../input-error.ts'
import { certificatesIn, isCurrent, isSelfSigned } from './chain.ts'

/** Trusted roots, or what somebody holds for such. */
export interface Store {
  /** Where they are, in words. */
  place: string
  certificates: X509Certificate[]
}

/** Largest file, in bytes, and most files of a folder. All roots of a system have about 200 kB in about 300 files. */
const MAX_FILE = 4 * 1024 * 1024
const MAX_FILES = 5_000

/**
 * The trusted roots of this machine, or those in a file (PEM with any number of certificates, or one in DER) or in the files
 * of a folder. Throws InputError where it cannot be read or holds no certificate.
 */
export function storeAt(path?: string): Store {
  if (path === undefined) return systemStore()
  const isFolder = reading(path, () => statSync(path).isDirectory())
  const names = isFolder ? reading(path, () => readdirSync(path)).slice(0, MAX_FILES) : []
  const found = isFolder
    ? names.flatMap(name => {
        const file = join(path, name)
        // Such a folder has links that lead nowhere and other files, too.
        return statSync(file, { throwIfNoEntry: false })?.isFile() ? readableIn(file) : []
      })
    : certificatesAt(path)
  if (found.length === 0) throw new InputError(`${path}: no file in it holds a certificate`)
  return { place: path, certificates: distinct(found) }
}

function systemStore(): Store {
  const found = getCACertificates('system').map(pem => new X509Certificate(pem))
  if (found.length === 0)
    throw new InputError('this machine has no trusted roots; name a file or a folder of them with --store')
  return { place: 'the trusted roots of this machine', certificates: distinct(found) }
}

/** The certificates in a file, at least one. Throws InputError. */
export function certificatesAt(file: string): X509Certificate[] {
  const found = reading(file, () => {
    if (statSync(file).size > MAX_FILE) throw new Error(`it has more than ${MAX_FILE} bytes`)
    return readFileSync(file)
  })
  let certificates: X509Certificate[]
  try {
    certificates = certificatesIn(found)
  } catch {
    throw new InputError(`${file}: holds a certificate that cannot be read`)
  }
  if (certificates.length === 0) throw new InputError(`${file}: holds no certificate in PEM or DER`)
  return certificates
}

function readableIn(file: string): X509Certificate[] {
  try {
    return certificatesAt(file)
  } catch (error) {
    if (error instanceof InputError) return []
    throw error
  }
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new InputError(`${path}: ${code === 'ENOENT' ? 'there is no such file' : message}`)
  }
}

const distinct = (those: readonly X509Certificate[]): X509Certificate[] => [
  ...new Map(those.map(one => [one.fingerprint256, one])).values(),
]

/** Whether a certificate is a trusted root, by its fingerprint. */
export type Standing =
  | 'trusted'
  | 'expired'
  | 'not a root'
  | 'not in the store'
  | 'another one with its name is in the store'

/** Only a root counts: a store that has the certificate of a server or of an intermediate authority trusts no authority. */
export function standingOf(
  certificate: X509Certificate,
  { certificates }: Store,
  now = Date.now(),
): Standing {
  if (!certificate.ca || !isSelfSigned(certificate)) return 'not a root'
  if (certificates.some(one => one.fingerprint256 === certificate.fingerprint256))
    return isCurrent(certificate, now) ? 'trusted' : 'expired'
  return certificates.some(one => one.subject === certificate.subject)
    ? 'another one with its name is in the store'
    : 'not in the store'
}
