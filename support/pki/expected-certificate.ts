import type { X509Certificate } from 'node:crypto'
import { readYaml, schemaOf } from '../yaml-file.ts'
import type { CertificateAttributes } from './attributes.ts'
import schemaJson from './expected.schema.json' with { type: 'json' }

/** What somebody expects of a certificate. What is absent is not compared; null: there is none. */
export interface ExpectedAttributes {
  /** SHA-256 fingerprints of the roots, in hexadecimal with or without colons; one of them. */
  roots?: string[]
  name?: string
  organisation?: string | null
  unit?: string | null
  /** Such as `RSA 2048`, `ECDSA P-256` or `Ed25519`. */
  key?: string
}

/** As Microsoft published them for the service's certificate; roots by fingerprint, because labels are no names. */
export const PUBLISHED = {
  'exchange-online-former': {
    roots: ['16AF57A9F676B0AB126095AA5EBADEF22AB31119D644AC95CD4B93DBF3F26AEB'],
    name: 'mail.protection.outlook.com',
    organisation: 'Microsoft Corporation',
    unit: 'Microsoft Corporation',
    key: 'RSA 2048',
  },
  'exchange-online-2018': {
    roots: ['EBD41040E4BB3EC742C9E381D31EF2A41A48B6685C96E7CEF3C1DF6CD4331C99'],
    name: 'mail.protection.outlook.com',
    organisation: 'Microsoft Corporation',
    unit: null,
    key: 'RSA 2048',
  },
  'exchange-online-later': {
    roots: [
      '4348A0E9444C78CB265E058D5E8944B4D84F9662BD26DB257F8934A443C70161',
      'CB3CCBB76031E5E0138F8DD39A23F9DE47FFC35E43C1144CEA27D46A5AB1CB5F',
    ],
    name: 'mail.protection.outlook.com',
    organisation: 'Microsoft Corporation',
    unit: 'www.digicert.com',
    key: 'RSA 2048',
  },
} as const satisfies Record<string, ExpectedAttributes>
export type PublishedName = keyof typeof PUBLISHED

/** When the certificates with these attributes were in use. */
export const IN_USE: Record<PublishedName, string> = {
  'exchange-online-former': 'until 2018-09-03',
  'exchange-online-2018': 'from 2018-09-03 on',
  'exchange-online-later': 'from 2020-09-24 on',
}

const schema = schemaOf<ExpectedAttributes>(schemaJson)

/** What a file expects (expected.schema.json). Throws InputError. */
export const expectedIn = (file: string): ExpectedAttributes => readYaml(file, schema).value

/** One expected attribute, and what the certificate has in its place. */
export interface Compared {
  attribute: 'root' | 'name' | 'organisation' | 'unit' | 'key'
  expected: string | null
  found: string | null
  same: boolean
}

/** `root`: at the end of the certificate's path, if it is known. Texts are compared as they are, names without regard to case. */
export function compared(
  attributes: CertificateAttributes,
  root: X509Certificate | undefined,
  expected: ExpectedAttributes,
): Compared[] {
  const { roots, name, organisation, unit, key } = expected
  const fingerprint = root && plain(root.fingerprint256)
  const list: (Compared | undefined)[] = [
    roots && {
      attribute: 'root',
      expected: roots.map(plain).join(' or '),
      found: fingerprint ?? null,
      same: fingerprint !== undefined && roots.map(plain).includes(fingerprint),
    },
    name === undefined ? undefined : nameCompared(attributes, name),
    organisation === undefined ? undefined : oneOf('organisation', attributes.organisations, organisation),
    unit === undefined ? undefined : oneOf('unit', attributes.units, unit),
    key === undefined
      ? undefined
      : {
          attribute: 'key',
          expected: key,
          found: keyName(attributes.key),
          same: keyName(attributes.key).toLowerCase() === key.toLowerCase(),
        },
  ]
  return list.filter(one => one !== undefined)
}

const plain = (fingerprint: string): string => fingerprint.replaceAll(':', '').toUpperCase()

/** The common name counts only where there are no DNS names: RFC 6125 s6.4.4. */
function nameCompared({ names, commonNames }: CertificateAttributes, name: string): Compared {
  const counting = names.length > 0 ? names : commonNames
  const same = counting.some(one => one.toLowerCase() === name.toLowerCase())
  return { attribute: 'name', expected: name, found: same ? name : (counting[0] ?? null), same }
}

/** A certificate with another value beside the expected one is another certificate; and none is not any. */
function oneOf(attribute: 'organisation' | 'unit', found: string[], expected: string | null): Compared {
  const same = expected === null ? found.length === 0 : found.length === 1 && found[0] === expected
  return { attribute, expected, found: found.length > 0 ? found.join(', ') : null, same }
}

const CURVES: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }
const TYPES: Record<string, string> = {
  rsa: 'RSA',
  'rsa-pss': 'RSA-PSS',
  ec: 'ECDSA',
  ed25519: 'Ed25519',
  ed448: 'Ed448',
}

/** Such as `RSA 2048`, `ECDSA P-256` or `Ed25519`. */
export function keyName({ type, bits, curve }: CertificateAttributes['key']): string {
  return [TYPES[type] ?? type, bits, curve && (CURVES[curve] ?? curve)].filter(Boolean).join(' ')
}
