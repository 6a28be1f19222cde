import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { existsSync, lstatSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { InputError } from '../input-error.ts'
import { certificate } from './certificate.ts'
import { isCurrent } from './chain.ts'
import type { Identity } from './pki.ts'

/**
 * The authorities that last longer than one run. A gateway must trust the certificate of `root`, and not that of
 * `other`.
 */
const LASTING_AUTHORITIES = ['root', 'other'] as const
export type LastingAuthorities = Record<(typeof LASTING_AUTHORITIES)[number], Identity>

/** Certificate and key of each authority in its folder (docs/gateway-file.md). */
export const AUTHORITY_FILES = {
  root: { certificate: 'root.pem', key: 'root-key.pem' },
  other: { certificate: 'other-root.pem', key: 'other-root-key.pem' },
} as const

/** How long the roots are valid, in days. An administrator does not want to exchange a trusted root each year. */
const LIFETIME = 3650

/**
 * Makes new authorities in a new folder that only its owner may enter. Returns false, and changes nothing, when
 * something with the name of the folder exists already. Throws InputError when the folder cannot be made; then
 * nothing is left behind.
 */
export function writeAuthorities(folder: string): boolean {
  if (lstatSync(folder, { throwIfNoEntry: false })) return false
  let making: string | undefined
  try {
    making = mkdtempSync(join(dirname(folder), `.${basename(folder)}-`))
    for (const name of LASTING_AUTHORITIES) {
      const made = makeRoot(name)
      writeFileSync(join(making, AUTHORITY_FILES[name].certificate), made.certificate, { mode: 0o644 })
      writeFileSync(join(making, AUTHORITY_FILES[name].key), made.key, { mode: 0o600 })
    }
    renameSync(making, folder)
    return true
  } catch (error) {
    if (making) rmSync(making, { recursive: true, force: true })
    throw new InputError(`${folder}: ${(error as Error).message}`)
  }
}

/**
 * A name that no other suite's authority has: one gateway may trust several, and libraries find an issuer by its
 * name.
 */
function makeRoot(name: keyof LastingAuthorities): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const commonName = `Mail TLS test ${name === 'root' ? '' : `${name} `}${randomBytes(4).toString('hex')} root`
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    certificate: certificate({
      commonName,
      publicKey,
      issuer: { commonName, key: privateKey },
      role: 'authority',
      from: -1,
      until: LIFETIME,
    }),
  }
}

/**
 * Reads what `writeAuthorities` wrote, for `new Pki(…)`. Throws InputError that names the file when one is missing or
 * unreadable, is no certificate or key, does not fit its other half, is not valid now, or was not made by this suite.
 */
export function readAuthorities(folder: string): LastingAuthorities {
  if (!existsSync(folder))
    throw new InputError(`${folder}: there are no authorities here; mail-tls init creates them`)
  const root = readAuthority(folder, 'root')
  const other = readAuthority(folder, 'other')
  if (root.certificate === other.certificate)
    throw new InputError(
      `${join(folder, AUTHORITY_FILES.other.certificate)}: is the same certificate as ${AUTHORITY_FILES.root.certificate}`,
    )
  return { root, other }
}

function readAuthority(folder: string, name: keyof LastingAuthorities): Identity {
  const place = join(folder, AUTHORITY_FILES[name].certificate)
  const keyPlace = join(folder, AUTHORITY_FILES[name].key)
  const made = { certificate: readPem(place), key: readPem(keyPlace) }
  const parsed = parse(place, 'certificate', () => new X509Certificate(made.certificate))
  const key = parse(keyPlace, 'private key', () => createPrivateKey(made.key))
  if (
    !parsed.ca ||
    !parsed.verify(parsed.publicKey) ||
    !/^CN=Mail TLS test [^\n]+ root$/.test(parsed.subject)
  )
    throw new InputError(`${place}: is not a root that mail-tls init has made`)
  if (!parsed.checkPrivateKey(key))
    throw new InputError(`${keyPlace}: is not the key of ${AUTHORITY_FILES[name].certificate}`)
  if (!isCurrent(parsed, Date.now()))
    throw new InputError(
      `${place}: is valid from ${parsed.validFrom} to ${parsed.validTo} only; remove ${folder} and make it anew with mail-tls init`,
    )
  return made
}

function readPem(place: string): string {
  try {
    return readFileSync(place, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new InputError(`${place}: ${code === 'ENOENT' ? 'there is no such file' : message}`)
  }
}

function parse<T>(place: string, what: string, read: () => T): T {
  try {
    return read()
  } catch {
    throw new InputError(`${place}: holds no ${what} in PEM`)
  }
}
