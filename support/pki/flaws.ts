/**
 * Authorities of the lab. `root` is the authority that every server trusts, `other` one that no server trusts.
 * `former` and `new` are the two ends of a certificate transition.
 */
export type AuthorityName = 'root' | 'other' | 'former' | 'new'

/** All that can be chosen of one certificate and of the chain that is sent with it, beside its names; RFC 5280 s4. */
export interface CertificateSpec {
  authority: AuthorityName
  /**
   * Who signs it: the intermediate of the authority, the certificate's own key, or an issuer that is no authority.
   */
  issuer: 'the intermediate' | 'itself' | 'no authority'
  /** Whether it names the hosts that were asked for, or others. */
  hosts: 'asked' | 'others'
  /** Where the names stand: RFC 6125 s6.4.4 has those of the subject alternative name count. */
  namesIn: 'alternative names' | 'common name only'
  /** Whether the extended key usage is that of the server or client that shows it, or that of the other side. */
  usage: 'right' | 'wrong'
  /** Days from now until it becomes valid; negative for the past. */
  from: number
  /** Days from now until it expires; negative for the past. */
  until: number
  digest: 'sha256' | 'sha1'
  key: KeyName
  /**
   * What is sent: the certificate with its intermediate, the certificate alone, or more than the first. An expired
   * authority may have signed the root once; then there are two ways up from the intermediate, of which one still
   * leads to what is trusted.
   */
  chain:
    | 'whole'
    | 'leaf alone'
    | 'with its root'
    | 'with its root as an expired authority signed it'
    | 'with a certificate of another chain'
}

/** What a certificate may have in one way or another, and be flawless all the same. */
export type CertificateKind = Partial<Pick<CertificateSpec, 'key' | 'chain'>>

/** Keys of certificates, with their size in bits or their curve. */
export type KeyName =
  | 'RSA 1024'
  | 'RSA 2048'
  | 'RSA 3072'
  | 'RSA 4096'
  | 'ECDSA P-256'
  | 'ECDSA P-384'
  | 'Ed25519'

/** A certificate without any flaw. */
export const FLAWLESS: CertificateSpec = {
  authority: 'root',
  issuer: 'the intermediate',
  hosts: 'asked',
  namesIn: 'alternative names',
  usage: 'right',
  from: -30,
  until: 30,
  digest: 'sha256',
  key: 'RSA 2048',
  chain: 'whole',
}

/** What can be wrong with a certificate, in the words of the features, as a change of its specification. */
export const FLAWS = {
  expired: { until: -1 },
  'not yet valid': { from: 1 },
  'for another name': { hosts: 'others' },
  'from an unknown authority': { authority: 'other' },
  'self-signed': { issuer: 'itself' },
  'for the wrong usage': { usage: 'wrong' },
  'without its intermediate': { chain: 'leaf alone' },
  'issued by a server instead of an authority': { issuer: 'no authority' },
  'signed with SHA-1': { digest: 'sha1' },
  'with a key of 1024 bits': { key: 'RSA 1024' },
  'with its name in the common name only': { namesIn: 'common name only' },
} as const satisfies Record<string, Partial<CertificateSpec>>
export type CertificateFlaw = keyof typeof FLAWS

/**
 * The specification of a certificate with several flaws, in whatever order they are given; `authority` where it is
 * not `root`. Throws where two of these set the same field differently: a certificate cannot have both. A flaw counts
 * before the kind.
 */
export function withFlaws(
  flaws: readonly CertificateFlaw[],
  authority?: AuthorityName,
  kind: CertificateKind = {},
): CertificateSpec {
  const patches: [words: string, patch: Partial<CertificateSpec>][] = flaws.map(flaw => [flaw, FLAWS[flaw]])
  if (authority) patches.unshift([`of the ${authority} authority`, { authority }])
  const setBy = new Map<string, string>()
  const spec = { ...FLAWLESS, ...kind }
  for (const [words, patch] of patches)
    for (const [field, value] of Object.entries(patch)) {
      const before = setBy.get(field)
      if (before !== undefined && spec[field as keyof CertificateSpec] !== value)
        throw new Error(`no certificate is ${before} and ${words}: both set its ${field}`)
      setBy.set(field, words)
      Object.assign(spec, { [field]: value })
    }
  return spec
}
