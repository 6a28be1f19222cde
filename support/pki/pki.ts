import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  X509Certificate,
} from 'node:crypto'
import { promisify } from 'node:util'
import { certificate } from './certificate.ts'
import type { CertificateFlaw } from './flaws.ts'

/** A key with its certificate, both PEM. Intermediates follow the certificate. */
export interface Identity {
  key: string
  certificate: string
}

/**
 * Authorities of the lab. `root` is what everybody trusts; `other` nobody. `former` and `new` are the two ends of a
 * certificate transition.
 */
export type AuthorityName = 'root' | 'other' | 'former' | 'new'

export interface LeafRequest {
  /** DNS names; the first is the common name as well. */
  names: string[]
  usage: 'server' | 'client'
  /** Default: `root`. */
  authority?: AuthorityName
  flaw?: CertificateFlaw
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
 * The certificates of one run. Keys live in memory and are never written by this class; RSA key pairs cost about
 * 80 ms each, so one serves all leaves and one each authority. Certificates are made once for each request.
 */
export class Pki {
  readonly #authorities = new Map<AuthorityName, Promise<Authority>>()
  readonly #leaves = new Map<string, Promise<Identity>>()
  readonly #leafKey = makeKey(2048)
  #weakKey: ReturnType<typeof makeKey> | undefined
  readonly #given: Partial<Record<AuthorityName, Identity>>

  /** `given`: roots that are there already, as `readAuthorities` gives them; the others are made for this run. */
  constructor(given: Partial<Record<AuthorityName, Identity>> = {}) {
    this.#given = given
  }

  /** Root certificate of an authority, PEM. */
  async root(name: AuthorityName = 'root'): Promise<string> {
    return (await this.#authority(name)).root.certificate
  }

  async issue(request: LeafRequest): Promise<Identity> {
    const id = JSON.stringify(request)
    let leaf = this.#leaves.get(id)
    if (!leaf) {
      leaf = this.#issue(request)
      this.#leaves.set(id, leaf)
    }
    return leaf
  }

  async #issue({ names, usage, authority = 'root', flaw }: LeafRequest): Promise<Identity> {
    const weak = flaw === 'with a key of 1024 bits'
    if (weak) this.#weakKey ??= makeKey(1024)
    const key = await (weak ? this.#weakKey! : this.#leafKey)
    const { root, intermediate } = await this.#authority(
      flaw === 'from an unknown authority' ? 'other' : authority,
    )
    const shown = flaw === 'for another name' ? names.map(name => `other-${name}`) : names
    const commonName = shown[0] ?? 'nobody.test'
    const wrongUsage = usage === 'server' ? 'client' : 'server'
    const request = {
      commonName: commonName.slice(0, 64),
      names: flaw === 'with its name in the common name only' ? [] : shown,
      publicKey: key.publicKey,
      role: flaw === 'for the wrong usage' ? wrongUsage : usage,
      from: flaw === 'not yet valid' ? 1 : -30,
      until: flaw === 'expired' ? -1 : 30,
      ...(flaw === 'signed with SHA-1' ? { digest: 'sha1' as const } : {}),
    } as const
    const made = (issuer: { commonName: string; key: KeyObject }) => certificate({ ...request, issuer })
    const chain = () => {
      if (flaw === 'self-signed') return [made({ commonName: request.commonName, key: key.privateKey })]
      if (flaw === 'without its intermediate') return [made(intermediate)]
      if (flaw === 'issued by no authority') {
        const impostor = this.#impostor(root, intermediate)
        return [made(impostor), impostor.certificate]
      }
      return [made(intermediate), intermediate.certificate]
    }
    return { key: pem(key.privateKey), certificate: chain().join('') }
  }

  /** The intermediate's key under a certificate without the CA flag: RFC 5280 s4.2.1.9. */
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

/** The root may be given, the intermediate under it is always new. */
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
