import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  X509Certificate,
} from 'node:crypto'
import { promisify } from 'node:util'
import { certificate } from './certificate.ts'
import { type AuthorityName, type CertificateFlaw, type CertificateSpec, withFlaws } from './flaws.ts'

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
 * Issues the certificates of one run. This class writes no key to disk. An RSA key pair costs about 80 ms, so all
 * leaf certificates share one, and each authority has its own. Equal requests get the same certificate.
 */
export class Pki {
  readonly #authorities = new Map<AuthorityName, Promise<Authority>>()
  readonly #leaves = new Map<string, Promise<Identity>>()
  readonly #leafKey = makeKey(2048)
  #weakKey: ReturnType<typeof makeKey> | undefined
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
  async issue({ names, usage, authority, flaws = [] }: LeafRequest): Promise<Identity> {
    const spec = withFlaws(flaws, authority)
    const id = JSON.stringify([names, usage, spec])
    let leaf = this.#leaves.get(id)
    if (!leaf) {
      leaf = this.#issue(names, usage, spec)
      this.#leaves.set(id, leaf)
    }
    return leaf
  }

  async #issue(names: string[], usage: LeafRequest['usage'], spec: CertificateSpec): Promise<Identity> {
    const { publicKey, privateKey } = await this.#key(spec.bits)
    const { root, intermediate } = await this.#authority(spec.authority)
    const shown = spec.hosts === 'others' ? names.map(name => `other-${name}`) : names
    const commonName = (shown[0] ?? 'nobody.test').slice(0, 64)
    const otherUsage = usage === 'server' ? 'client' : 'server'
    const issuers = {
      'the intermediate': () => intermediate,
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
    return { key: pem(privateKey), certificate: spec.chain === 'whole' ? leaf + issuer.certificate : leaf }
  }

  #key(bits: CertificateSpec['bits']): ReturnType<typeof makeKey> {
    if (bits === 2048) return this.#leafKey
    this.#weakKey ??= makeKey(bits)
    return this.#weakKey
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
  const [root, key] = await Promise.all([given ? signerOf(given) : makeRoot(name), makeKey(2048)])
  const commonName = `${root.commonName.replace(/root$/, '')}intermediate`
  const intermediate = certificate({ commonName, publicKey: key.publicKey, issuer: root, ...VALIDITY })
  return { root, intermediate: { commonName, key: key.privateKey, certificate: intermediate } }
}

const VALIDITY = { role: 'authority', from: -365, until: 365 } as const

async function makeRoot(name: AuthorityName): Promise<Signer> {
  const { publicKey, privateKey } = await makeKey(2048)
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

async function makeKey(modulusLength: number): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return await makeKeyPair('rsa', { modulusLength })
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string
}
