import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  X509Certificate,
} from 'node:crypto'
import { promisify } from 'node:util'
import { certificate } from './certificate.ts'
import {
  type AuthorityName,
  type CertificateFlaw,
  type CertificateKind,
  type CertificateSpec,
  type KeyName,
  withFlaws,
} from './flaws.ts'

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

  /** `given`: roots that exist already, from `readAuthorities`. The others are made for this run. */
  constructor(given: Partial<Record<AuthorityName, Identity>> = {}) {
    this.#given = given
  }

  /** Root certificate of an authority, in PEM. */
  async root(name: AuthorityName = 'root'): Promise<string> {
    return (await this.#authority(name)).root.certificate
  }

  /** A certificate with its key and its chain. Throws where the flaws that are asked for contradict each other. */
  async issue({ names, usage, authority, flaws = [], kind }: LeafRequest): Promise<Identity> {
    const spec = withFlaws(flaws, authority, kind)
    // There is no signature of this key over a SHA-1 digest.
    if (spec.key === 'Ed25519' && spec.issuer === 'itself' && spec.digest === 'sha1') spec.key = 'RSA 2048'
    const id = JSON.stringify([names, usage, spec])
    let leaf = this.#leaves.get(id)
    if (!leaf) {
      leaf = this.#issue(names, usage, spec)
      this.#leaves.set(id, leaf)
    }
    return leaf
  }

  async #issue(names: string[], usage: LeafRequest['usage'], spec: CertificateSpec): Promise<Identity> {
    const { publicKey, privateKey } = await this.#key(spec.key)
    const { root, intermediate } = await this.#authority(spec.authority)
    const shown = spec.hosts === 'others' ? names.map(name => `other-${name}`) : names
    const commonName = (shown[0] ?? 'nobody.test').slice(0, 64)
    const otherUsage = usage === 'server' ? 'client' : 'server'
    const hidden = usage === 'client' && spec.chain === 'leaf alone' ? await this.#hidden(root) : undefined
    const issuers = {
      'the intermediate': () => hidden ?? intermediate,
      itself: () => ({ commonName, key: privateKey, certificate: '' }),
      'no authority': () => this.#impostor(root, intermediate),
    }
    const issuer = issuers[spec.issuer]()
    const leaf = certificate({
      commonName,
      names: spec.namesIn === 'common name only' ? [] : shown,
      publicKey,
      issuer,
      role: spec.usage === 'wrong' ? otherUsage : usage,
      from: spec.from,
      until: spec.until,
      digest: spec.digest,
    })
    const chain =
      spec.chain === 'leaf alone' ? '' : issuer.certificate + (await this.#added(spec.chain, root))
    return { key: pem(privateKey), certificate: leaf + chain }
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

const VALIDITY = { role: 'authority', from: -365, until: 365 } as const

async function makeRoot(name: AuthorityName): Promise<Signer> {
  const { publicKey, privateKey } = await makeKey('RSA 2048')
  const issuer = { commonName: `Mail TLS test ${name === 'root' ? '' : `${name} `}root`, key: privateKey }
  const { commonName } = issuer
  return { ...issuer, certificate: certificate({ commonName, publicKey, issuer, ...VALIDITY }) }
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
