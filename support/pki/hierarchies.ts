import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { certificate, type DistinguishedName, type StatusAddresses } from './certificate.ts'

/** An authority with its own certificate in PEM. */
type Signer = DistinguishedName & { key: KeyObject; certificate: string }

/** How an authority of the published tables is named, and where it answers; requirements.md s4 of the catalogue's sources. */
interface Naming {
  root: DistinguishedName
  intermediate: DistinguishedName
  /** Beside the common name. */
  leaf: Omit<DistinguishedName, 'commonName'>
  /** Host and path of the responder, the list and the issuer's certificate. The real ones end in .com. */
  ocsp: string
  crl: string
  issuer: string
}

/** The name of the service's certificate in all tables. */
export const SERVICE_NAME = 'mail.protection.outlook.com'

/**
 * The authorities of the service's certificate over the years: until 2018-09-03, from then on, from 2020-09-24 on, and the
 * next root of the last. Names are those of the real ones, keys are not: what looks at names alone believes them.
 */
const NAMINGS = {
  former: {
    root: {
      commonName: 'Baltimore CyberTrust Root',
      unit: 'CyberTrust',
      organisation: 'Baltimore',
      country: 'IE',
    },
    intermediate: {
      commonName: 'Microsoft IT TLS CA 4',
      unit: 'Microsoft IT',
      organisation: 'Microsoft Corporation',
      country: 'US',
    },
    leaf: { organisation: 'Microsoft Corporation', unit: 'Microsoft Corporation', country: 'US' },
    ocsp: 'ocsp.msocsp.test',
    crl: 'crl.msocsp.test/mitca4.crl',
    issuer: 'www.msocsp.test/mitca4.crt',
  },
  '2018': {
    root: {
      commonName: 'GlobalSign Root CA',
      unit: 'Root CA',
      organisation: 'GlobalSign nv-sa',
      country: 'BE',
    },
    intermediate: {
      commonName: 'GlobalSign Organization Validation CA - SHA256 - G3',
      organisation: 'GlobalSign nv-sa',
      country: 'BE',
    },
    leaf: { organisation: 'Microsoft Corporation', country: 'US' },
    ocsp: 'ocsp.globalsign.test/gsorganizationvalsha2g3',
    crl: 'crl.globalsign.test/gsorganizationvalsha2g3.crl',
    issuer: 'secure.globalsign.test/gsorganizationvalsha2g3.crt',
  },
  later: {
    root: {
      commonName: 'DigiCert Global Root CA',
      unit: 'www.digicert.com',
      organisation: 'DigiCert Inc',
      country: 'US',
    },
    intermediate: { commonName: 'DigiCert Cloud Services CA-1', organisation: 'DigiCert Inc', country: 'US' },
    leaf: { organisation: 'Microsoft Corporation', country: 'US' },
    ocsp: 'ocsp.digicert.test',
    crl: 'crl3.digicert.test/DigiCertCloudServicesCA-1.crl',
    issuer: 'cacerts.digicert.test/DigiCertCloudServicesCA-1.crt',
  },
  '2026': {
    root: {
      commonName: 'DigiCert Global Root G2',
      unit: 'www.digicert.com',
      organisation: 'DigiCert Inc',
      country: 'US',
    },
    intermediate: {
      commonName: 'DigiCert Global G2 TLS RSA SHA256 2020 CA1',
      organisation: 'DigiCert Inc',
      country: 'US',
    },
    leaf: { organisation: 'Microsoft Corporation', country: 'US' },
    ocsp: 'ocsp.digicert.test/g2',
    crl: 'crl3.digicert.test/DigiCertGlobalG2TLSRSASHA2562020CA1.crl',
    issuer: 'cacerts.digicert.test/DigiCertGlobalG2TLSRSASHA2562020CA1.crt',
  },
} as const satisfies Record<string, Naming>
export type HierarchyName = keyof typeof NAMINGS

/** What one leaf has of its own. */
export interface HierarchyLeaf {
  /** DNS names; default: that of the service. The first is the common name, unless it is given. */
  names?: string[]
  commonName?: string
  /** In place of those of the naming; null: none. */
  organisation?: string
  unit?: string | null
  publicKey?: KeyObject
  addresses?: StatusAddresses
  /** Days from now. */
  from?: number
  until?: number
}

/** A root, an intermediate authority and the certificates that it issues, named as in one of the published tables. */
export class Hierarchy {
  readonly root: Signer
  intermediate!: Signer
  /** Of what the intermediate issues, and of the intermediate itself. */
  addresses!: Required<StatusAddresses>
  rootAddresses!: Required<StatusAddresses>
  readonly #naming: Naming
  readonly #key: KeyObject

  /**
   * `at`: the URL at which a host and path of the naming can be had; default: over http. `keys`: makes the keys of the
   * authorities; default: RSA with 2048 bits.
   */
  constructor(
    name: HierarchyName,
    {
      at = place => `http://${place}`,
      keys = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
    }: { at?: (place: string) => string; keys?: () => KeyObject } = {},
  ) {
    this.#naming = NAMINGS[name]
    this.root = authority(this.#naming.root, keys())
    this.#key = keys()
    this.lead(at)
  }

  /** Hosts with a path: where the authorities answer. */
  get places(): string[] {
    const { ocsp, crl, issuer } = this.#naming
    return [ocsp, crl, issuer, ...this.#rootPlaces]
  }

  get #rootPlaces(): [crl: string, issuer: string] {
    const [host] = this.#naming.issuer.split('/')
    return [`${host}/root.crl`, `${host}/root.crt`]
  }

  /** From now on the places are at these URLs. What was issued before names the earlier ones. */
  lead(at: (place: string) => string): void {
    const { ocsp, crl, issuer, intermediate } = this.#naming
    const [rootCrl, rootIssuer] = this.#rootPlaces
    this.addresses = { ocsp: [at(ocsp)], crl: [at(crl)], issuer: [at(issuer)] }
    this.rootAddresses = { ocsp: [], crl: [at(rootCrl)], issuer: [at(rootIssuer)] }
    this.intermediate = authority(intermediate, this.#key, this.root, this.rootAddresses)
  }

  /** Of its leaves, beside their common names. */
  get subject(): Omit<DistinguishedName, 'commonName'> {
    return this.#naming.leaf
  }

  /** A certificate for a server, in PEM and without its intermediate. */
  leaf({ names = [SERVICE_NAME], publicKey, addresses, from = -1, until = 90, ...who }: HierarchyLeaf = {}) {
    const { unit, commonName, ...named } = { unit: null, commonName: undefined, ...this.#naming.leaf, ...who }
    const key = publicKey ? undefined : generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const made = certificate({
      ...named,
      ...(unit ? { unit } : {}),
      commonName: commonName ?? names[0]!,
      names,
      publicKey: publicKey ?? createPublicKey(key!),
      issuer: this.intermediate,
      role: 'server',
      from,
      until,
      addresses: addresses ?? this.addresses,
    })
    return { certificate: made, key }
  }
}

function authority(
  name: DistinguishedName,
  key: KeyObject,
  issuer?: Signer,
  addresses?: StatusAddresses,
): Signer {
  const made = certificate({
    ...name,
    publicKey: createPublicKey(key),
    issuer: issuer ?? { ...name, key },
    role: 'authority',
    from: -3650,
    until: 3650,
    ...(addresses ? { addresses } : {}),
  })
  return { ...name, key, certificate: made }
}
