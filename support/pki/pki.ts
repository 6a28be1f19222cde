import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  X509Certificate,
} from 'node:crypto'
import { domainToASCII, domainToUnicode } from 'node:url'
import { promisify } from 'node:util'
import { keyFingerprint } from '../wire/tls/certificate-facts.ts'
import { type CertificateRequest, certificate, type StatusAddresses } from './certificate.ts'
import {
  type AuthorityName,
  type CertificateFlaw,
  type CertificateKind,
  type CertificateSpec,
  FLAWS,
  type KeyName,
  withFlaws,
} from './flaws.ts'
import { Hierarchy, type HierarchyLeaf, type HierarchyName } from './hierarchies.ts'

/** A private key with its certificate, both in PEM. Intermediate certificates follow the certificate. */
export interface Identity {
  key: string
  certificate: string
}

/** What a server or a client asks for. */
export interface LeafRequest {
  /** DNS names; the first is the common name as well. */
  names: string[]
  usage: 'server' | 'client'
  /** Default: `root`. */
  authority?: AuthorityName
  /** Default: none. */
  flaws?: readonly CertificateFlaw[]
  /** Default: an RSA key of 2048 bits, with the intermediate and nothing else. A flaw of the same thing counts. */
  kind?: CertificateKind
  /** Where its status can be had; default: it does not say. */
  addresses?: StatusAddresses
  /** Of the host that shows it, for a certificate with an address in place of names; default: an address of nobody. */
  ip?: string
  /** It is shown by a partner or a client, which may play a role. */
  ofPeer?: true
}

/** What a certificate of the mail service has otherwise than its text says. */
export type ServiceLeaf = Omit<HierarchyLeaf, 'publicKey'> & { key?: KeyName; namesake?: boolean }

/** What partners and clients have in place of what servers of the lab usually have: they play the mail service. */
export interface Role {
  /** Whose names the issuers of good certificates have, and the organisation in the subject. */
  hierarchy: HierarchyName
  /** Names in good certificates, behind those that the gateway expects; the first is the common name. */
  names: readonly string[]
  /** Standard names, in the order of preference. */
  suites: readonly string[]
  minVersion: 'TLSv1' | 'TLSv1.2'
  maxVersion?: 'TLSv1.2'
  /** Called with the serial number of each good certificate, in hexadecimal, before anybody shows it. */
  issued?: (serial: string) => Promise<void>
}

interface Signer {
  commonName: string
  key: KeyObject
  /** PEM */
  certificate: string
}

interface Authority {
  root: Signer
  intermediate: Signer
}

const makeKeyPair = promisify(generateKeyPair)

/**
 * Issues the certificates of one run. This class writes no key to disk. An RSA key pair costs about 80 ms with 2048 bits
 * and 1.5 s with 4096, so all leaf certificates share one of each kind, and each authority has its own. Equal requests
 * get the same certificate.
 */
export class Pki {
  readonly #authorities = new Map<AuthorityName, Promise<Authority>>()
  readonly #leaves = new Map<string, Promise<Identity>>()
  /** Of leaves. */
  readonly #keys = new Map<KeyName, Promise<KeyPair>>([['RSA 2048', makeKey('RSA 2048')]])
  readonly #given: Partial<Record<AuthorityName, Identity>>
  readonly #crossSigned = new Map<HierarchyName, { certificate: string }>()
  /** By the name, and once more for those that only bear it. */
  readonly #hierarchies = new Map<string, Hierarchy>()

  /** Which role partners and clients play; undefined: none. */
  peersPlay: Role | undefined

  /** `given`: roots that exist already, from `readAuthorities`. The others are made for this run. */
  constructor(given: Partial<Record<AuthorityName, Identity>> = {}) {
    this.#given = given
  }

  /** Root certificate of an authority, in PEM. */
  async root(name: AuthorityName = 'root'): Promise<string> {
    return (await this.#authority(name)).root.certificate
  }

  /** Who has issued the good certificates of an authority, to sign what tells their status. */
  async issuer(name: AuthorityName = 'root'): Promise<Signer> {
    return (await this.#authority(name)).intermediate
  }

  /** A certificate with its key and its chain. Throws where the flaws that are asked for contradict each other. */
  async issue(request: LeafRequest): Promise<Identity> {
    const { names, usage, authority, flaws = [], kind, addresses, ip = NOBODY } = request
    const spec = withFlaws(flaws, authority, kind)
    // There is no signature of this key over a SHA-1 digest.
    if (spec.key === 'Ed25519' && spec.issuer === 'itself' && spec.digest === 'sha1') spec.key = 'RSA 2048'
    const role = request.ofPeer && spec.authority === 'root' ? this.peersPlay : undefined
    const shownIp = spec.namesIn === 'address only' ? ip : ''
    const id = JSON.stringify([names, usage, spec, addresses, shownIp, role?.hierarchy])
    const issued = this.#leaves.get(id) ?? this.#issue(names, usage, spec, addresses, shownIp, role)
    // Minutes from its dates, it may be on the other side of them when it is asked for again.
    if (!isAtItsEdge(spec)) this.#leaves.set(id, issued)
    return issued
  }

  /** What a connector pins to accept the public key of all leaves of the usual kind. */
  async keyPin(): Promise<string> {
    return keyFingerprint((await this.#key('RSA 2048')).publicKey)
  }

  /** The authority that bears the name of a published one. */
  lookAlike(name: HierarchyName): Hierarchy {
    return this.#hierarchy(name)
  }

  /** Root certificate of an authority that bears the name of a published one, in PEM. */
  lookAlikeRoot(name: HierarchyName): string {
    return this.#hierarchy(name).root.certificate
  }

  /**
   * A certificate of the mail service under such an authority. `namesake`: under another authority, with the same names
   * and other keys.
   */
  async issueLikeService(
    name: HierarchyName,
    { key = 'RSA 2048', namesake = false, ...leaf }: ServiceLeaf = {},
  ): Promise<Identity> {
    const { publicKey, privateKey } = await this.#key(key)
    const hierarchy = this.#hierarchy(name, namesake)
    const own = hierarchy.leaf({ ...leaf, publicKey }).certificate
    return { key: pem(privateKey), certificate: own + hierarchy.intermediate.certificate }
  }

  #hierarchy(name: HierarchyName, namesake = false): Hierarchy {
    const id = `${name} ${namesake}`
    const hierarchy = this.#hierarchies.get(id) ?? new Hierarchy(name)
    this.#hierarchies.set(id, hierarchy)
    return hierarchy
  }

  async #issue(
    names: string[],
    usage: LeafRequest['usage'],
    spec: CertificateSpec,
    addresses?: StatusAddresses,
    ip = '',
    role?: Role,
  ): Promise<Identity> {
    const { publicKey, privateKey } = await this.#key(spec.key)
    const { root, intermediate: usual } = await this.#authority(spec.authority)
    const played = role && (await this.#played(role, root))
    const intermediate = played ?? usual
    const plain = spec.hosts === 'asked' && spec.namesIn === 'alternative names'
    const shown = [...new Set([...names.map(NAMED[spec.hosts]), ...((plain && role?.names) || [])])]
    // Without DNS names, a common name may count: RFC 6125 s6.4.4.
    const host = OTHERWISE_NAMED.has(spec.namesIn) ? shown.map(NAMED.others)[0] : shown[0]
    const named = (plain && role?.names[0]) || (host ?? 'nobody.test').slice(0, 64)
    const commonName = spec.subject === 'empty' ? '' : named
    const otherUsage = usage === 'server' ? 'client' : 'server'
    const hidden = usage === 'client' && spec.chain === 'leaf alone' ? await this.#hidden(root) : undefined
    const issuers = {
      'the intermediate': () => hidden ?? special ?? intermediate,
      itself: () => ({
        ...(spec.subject === 'empty' ? {} : played?.subject),
        ...{ commonName, key: privateKey, certificate: '' },
      }),
      'no authority': () => this.#impostor(root, intermediate),
    }
    const special = await this.#special(spec, root, shown)
    const issuer = issuers[spec.issuer]()
    const leaf = certificate({
      ...(spec.subject === 'empty' ? {} : played?.subject),
      commonName,
      ...alternativeNames(spec.namesIn, shown, ip),
      publicKey,
      issuer,
      role: spec.usage === 'wrong' ? otherUsage : usage,
      from: spec.from,
      until: spec.until,
      digest: spec.digest,
      addresses: addresses ?? played?.addresses ?? {},
      ...(spec.promises === 'a stapled answer' ? { mustStaple: true } : {}),
    })
    if (issuer === played) await role?.issued?.(new X509Certificate(leaf).serialNumber)
    const sent = issuer === special && spec.intermediate === 'a namesake' ? intermediate : issuer
    const chain = spec.chain === 'leaf alone' ? '' : sent.certificate + (await this.#added(spec.chain, root))
    const own = spec.signature === 'broken' ? withBrokenSignature(leaf) : leaf
    return { key: pem(privateKey), certificate: own + chain }
  }

  /**
   * The intermediate of a role. Its root bears the published name and has a key of its own; the lab's root has signed it, so
   * that who trusts that one needs to install nothing.
   */
  async #played({ hierarchy: name }: Role, root: Signer) {
    const { root: top, intermediate, subject, addresses } = this.#hierarchy(name)
    const { certificate: _, key, ...named } = top
    const crossSigned = this.#crossSigned.get(name) ?? {
      certificate: certificate({
        ...named,
        publicKey: createPublicKey(key),
        issuer: root,
        ...VALIDITY,
      }),
    }
    this.#crossSigned.set(name, crossSigned)
    return {
      ...intermediate,
      certificate: intermediate.certificate + crossSigned.certificate,
      subject,
      addresses,
    }
  }

  /** An intermediate with what is special about it; nothing for a good one. Its certificate may be followed by others. */
  async #special(
    { intermediate }: CertificateSpec,
    root: Signer,
    names: string[],
  ): Promise<Signer | undefined> {
    if (intermediate === 'good') return undefined
    const { publicKey, privateKey } = await this.#key('ECDSA P-256')
    const suffix = intermediate === 'a namesake' ? '' : ` ${intermediate}`
    const commonName = `${root.commonName.replace(/root$/, '')}intermediate${suffix}`
    const below = (issuer: Signer, limits?: CertificateRequest['limits']) =>
      certificate({
        commonName,
        publicKey,
        issuer,
        ...VALIDITY,
        ...PATCHES[intermediate],
        ...(limits ? { limits } : {}),
      })
    if (intermediate !== 'beyond the path length') {
      const domains = intermediate === 'for other domains' ? ['other.test'] : names
      const limits = /^for (other|its) domains$/.test(intermediate) ? { domains } : undefined
      return { commonName, key: privateKey, certificate: below(root, limits) }
    }
    const key = await this.#key('ECDSA P-384')
    const last = { commonName: `${commonName}, the last`, key: key.privateKey }
    const allowed = certificate({
      ...last,
      publicKey: key.publicKey,
      issuer: root,
      ...VALIDITY,
      limits: { pathLength: 0 },
    })
    return { commonName, key: privateKey, certificate: below({ ...last, certificate: allowed }) + allowed }
  }

  /** What is sent behind the intermediate. */
  async #added(chain: CertificateSpec['chain'], root: Signer): Promise<string> {
    switch (chain) {
      case 'with its root':
        return root.certificate
      case 'with its root as an expired authority signed it':
        return crossSigned(root)
      case 'with a certificate of another chain':
        return (await this.#authority('other')).intermediate.certificate
      default:
        return ''
    }
  }

  /** An intermediate that nobody ever shows, because some programs remember those that they have seen. */
  async #hidden(root: Signer): Promise<Signer> {
    const { publicKey, privateKey } = await this.#key('ECDSA P-256')
    const commonName = 'Mail TLS test hidden intermediate'
    const made = certificate({
      commonName,
      publicKey,
      issuer: root,
      role: 'authority',
      from: -30,
      until: 365,
    })
    return { commonName, key: privateKey, certificate: made }
  }

  #key(name: KeyName): Promise<KeyPair> {
    const key = this.#keys.get(name) ?? makeKey(name)
    this.#keys.set(name, key)
    return key
  }

  /** An issuer with the key of the intermediate and a certificate without the CA flag: RFC 5280 s4.2.1.9. */
  #impostor(root: Signer, { key }: Signer): Signer {
    const commonName = 'Mail TLS test impostor'
    const made = certificate({
      commonName,
      publicKey: createPublicKey(key),
      issuer: root,
      role: 'not an authority',
      from: -30,
      until: 365,
    })
    return { commonName, key, certificate: made }
  }

  #authority(name: AuthorityName): Promise<Authority> {
    let authority = this.#authorities.get(name)
    if (!authority) {
      authority = makeAuthority(name, this.#given[name])
      this.#authorities.set(name, authority)
    }
    return authority
  }
}

/** The root may be given. The intermediate below it is always new. */
async function makeAuthority(name: AuthorityName, given?: Identity): Promise<Authority> {
  const [root, key] = await Promise.all([given ? signerOf(given) : makeRoot(name), makeKey('RSA 2048')])
  const commonName = `${root.commonName.replace(/root$/, '')}intermediate`
  const intermediate = certificate({ commonName, publicKey: key.publicKey, issuer: root, ...VALIDITY })
  return { root, intermediate: { commonName, key: key.privateKey, certificate: intermediate } }
}

const NAMED: Record<CertificateSpec['hosts'], (name: string) => string> = {
  asked: name => name,
  'in capitals': name => name.toUpperCase(),
  others: name => `other-${name}`,
  'wildcards for one label': name => name.replace(/^[^.]+/, '*'),
  'a wildcard for several labels': name => `*.${name.split('.').at(-1)}`,
  'wildcards in a label': name => `*${name.slice(1)}`,
  'wildcards behind the first label': name => name.replace(/\.[^.]+/, '.*'),
  'wildcards in two labels': name => name.replace(/^[^.]+\.[^.]+/, '*.*'),
  'a wildcard alone': () => '*',
  'asked, with NUL and more behind': name => `${name}\0.other.test`,
  'with another letter': name =>
    domainToASCII(domainToUnicode(name).replace(/[üe]/, letter => (letter === 'ü' ? 'ű' : 'ė'))),
}

/** 192.0.2.0/24 is for examples: RFC 5737. */
const NOBODY = '192.0.2.1'

/** Where the common name is not to be one of the names that were asked for. */
const OTHERWISE_NAMED: ReadonlySet<CertificateSpec['namesIn']> = new Set([
  'URI only',
  'e-mail address only',
  'address only',
  'alternative names, beside another common name',
])

/** One of its dates, or of its issuer's, is minutes from now. */
const isAtItsEdge = ({ from, until, intermediate }: CertificateSpec): boolean =>
  Math.min(Math.abs(from), Math.abs(until)) < 1 || /^(just|about) /.test(intermediate)

/** Where the names of a certificate stand, beside its common name. */
function alternativeNames(namesIn: CertificateSpec['namesIn'], names: string[], ip: string) {
  switch (namesIn) {
    case 'common name only':
      return {}
    case 'common name, beside others':
      return { names: names.map(NAMED.others) }
    case 'URI only':
      return { uris: names.map(name => `smtp://${name}`) }
    case 'e-mail address only':
      return { emails: names.map(name => `postmaster@${name}`) }
    case 'address only':
      return { ips: [ip] }
    default:
      return { names }
  }
}

/** The last bit of the signature is the wrong one. */
function withBrokenSignature(text: string): string {
  const der = new X509Certificate(text).raw
  der[der.length - 1]! ^= 1
  return new X509Certificate(der).toString()
}

/** How the certificate of an intermediate differs from a good one. */
const PATCHES: Partial<Record<CertificateSpec['intermediate'], Partial<CertificateRequest>>> = {
  expired: { until: -1 },
  'not yet valid': { from: 1 },
  'just expired': { until: FLAWS['a few minutes past its end'].until },
  'about to become valid': { from: FLAWS['a few minutes before its beginning'].from },
  'about to expire': { until: FLAWS['a few minutes before its end'].until },
  'just become valid': { from: FLAWS['a few minutes past its beginning'].from },
  'signed with SHA-1': { digest: 'sha1' },
  'without the right to sign': { limits: { mayNotSign: true } },
}

const VALIDITY = { role: 'authority', from: -365, until: 365 } as const

async function makeRoot(name: AuthorityName): Promise<Signer> {
  const { publicKey, privateKey } = await makeKey('RSA 2048')
  const bears = name.replace('namesake of ', '')
  const issuer = { commonName: `Mail TLS test ${bears === 'root' ? '' : `${bears} `}root`, key: privateKey }
  const { commonName } = issuer
  // As the roots of 2018 did. Whoever trusts a root has no reason to look at its signature: EXO-CRT-11.
  const digest = name === 'former' ? 'sha1' : 'sha256'
  return { ...issuer, certificate: certificate({ commonName, publicKey, issuer, digest, ...VALIDITY }) }
}

function signerOf(root: Identity): Signer {
  return {
    commonName: new X509Certificate(root.certificate).subject.replace(/^CN=/, ''),
    key: createPrivateKey(root.key),
    certificate: root.certificate,
  }
}

/** The root under a second issuer, and that issuer, whose own certificate has expired. */
async function crossSigned(root: Signer): Promise<string> {
  const { publicKey, privateKey } = await makeKey('ECDSA P-256')
  const issuer = { commonName: 'Mail TLS test expired root', key: privateKey }
  const expired = { ...VALIDITY, until: -1 }
  const [{ commonName }, rootKey] = [root, createPublicKey(root.key)]
  return (
    certificate({ commonName, publicKey: rootKey, issuer, ...VALIDITY }) +
    certificate({ commonName: issuer.commonName, publicKey, issuer, ...expired })
  )
}

interface KeyPair {
  publicKey: KeyObject
  privateKey: KeyObject
}

async function makeKey(name: KeyName): Promise<KeyPair> {
  const [type, size] = name.split(' ') as [string, string]
  if (type === 'Ed25519') return await makeKeyPair('ed25519', {})
  if (type === 'ECDSA') return await makeKeyPair('ec', { namedCurve: size })
  return await makeKeyPair('rsa', { modulusLength: Number(size) })
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string
}
