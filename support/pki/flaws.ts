/**
 * Authorities of the lab. `root` is the authority that every server trusts, `other` one that no server trusts.
 * `former` and `new` are the two ends of a certificate transition. A namesake has the names of one of them, and other keys.
 */
export type AuthorityName = 'root' | 'other' | 'former' | 'new' | 'namesake of former' | 'namesake of new'

/** All that can be chosen of one certificate and of the chain that is sent with it, beside its names; RFC 5280 s4. */
export interface CertificateSpec {
  authority: AuthorityName
  /**
   * Who signs it: the intermediate of the authority, the certificate's own key, or an issuer that is no authority.
   */
  issuer: 'the intermediate' | 'itself' | 'no authority'
  /** What is special about the intermediate below which it is. */
  intermediate:
    | 'good'
    | 'expired'
    | 'not yet valid'
    /** Minutes to one side or the other of its dates. */
    | 'just expired'
    | 'about to become valid'
    | 'about to expire'
    | 'just become valid'
    | 'signed with SHA-1'
    | 'without the right to sign'
    | 'beyond the path length'
    /** By its name constraints: RFC 5280 s4.2.1.10. */
    | 'for other domains'
    | 'for its domains'
    /** Somebody with the name of the intermediate signs. The real intermediate is sent. */
    | 'a namesake'
  signature: 'right' | 'broken'
  /** Whether it names the hosts that were asked for, or others; or what stands in place of them. RFC 6125 s6.4.3. */
  hosts:
    | 'asked'
    | 'in capitals'
    | 'others'
    | 'wildcards for one label'
    | 'a wildcard for several labels'
    | 'wildcards in a label'
    | 'wildcards behind the first label'
    | 'wildcards in two labels'
    | 'a wildcard alone'
    /** A program that ends a text at NUL reads the asked name: CVE-2009-2408. */
    | 'asked, with NUL and more behind'
    /** Which people take for the asked name: RFC 5890 s4.4. */
    | 'with another letter'
  /** Where the names stand: RFC 6125 s6.4.4 has those of the subject alternative name count. */
  namesIn:
    | 'alternative names'
    | 'common name only'
    | 'common name, beside others'
    | 'alternative names, beside another common name'
    | 'URI only'
    | 'e-mail address only'
    /** The address of the host in place of names: RFC 5280 s4.2.1.6, iPAddress. */
    | 'address only'
  /** Without a subject, the alternative names are critical: RFC 5280 s4.1.2.6. */
  subject: 'a common name' | 'empty'
  /** Whether it promises that the server sends along an answer about its status: RFC 7633. */
  promises: 'nothing' | 'a stapled answer'
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
export type CertificateKind = Partial<
  Pick<CertificateSpec, 'key' | 'chain' | 'hosts' | 'intermediate' | 'promises'>
>

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
  intermediate: 'good',
  signature: 'right',
  hosts: 'asked',
  namesIn: 'alternative names',
  subject: 'a common name',
  promises: 'nothing',
  usage: 'right',
  from: -30,
  until: 90,
  digest: 'sha256',
  key: 'RSA 2048',
  chain: 'whole',
}

/** Days between a date of a certificate and now that are minutes: longer than an example takes. */
const MINUTES = 5 / (24 * 60)

/**
 * What can be wrong with a certificate, in the words of the features, as a change of its specification; and what is
 * right, but only just.
 */
export const FLAWS = {
  expired: { until: -1 },
  'not yet valid': { from: 1 },
  'a few minutes past its end': { until: -MINUTES },
  'a few minutes before its beginning': { from: MINUTES },
  'a few minutes before its end': { until: MINUTES },
  'a few minutes past its beginning': { from: -MINUTES },
  'for another name': { hosts: 'others' },
  'from an unknown authority': { authority: 'other' },
  'self-signed': { issuer: 'itself' },
  'for the wrong usage': { usage: 'wrong' },
  'without its intermediate': { chain: 'leaf alone' },
  'issued by a server instead of an authority': { issuer: 'no authority' },
  'signed with SHA-1': { digest: 'sha1' },
  'with a key of 1024 bits': { key: 'RSA 1024' },
  'with the right name only as common name': { namesIn: 'common name only' },
  'for another name, with the right name as common name': { namesIn: 'common name, beside others' },
  'for a wildcard that would have to cover several labels': { hosts: 'a wildcard for several labels' },
  'for a wildcard that is only a part of a label': { hosts: 'wildcards in a label' },
  'for a wildcard in the second label': { hosts: 'wildcards behind the first label' },
  'for a wildcard in each of the first two labels': { hosts: 'wildcards in two labels' },
  'for * as the whole name': { hosts: 'a wildcard alone' },
  'for the right name with a NUL byte and more behind it': { hosts: 'asked, with NUL and more behind' },
  'for a name that looks like the right one': { hosts: 'with another letter' },
  'with the right name only in a URI': { namesIn: 'URI only' },
  'with the right name only in an e-mail address': { namesIn: 'e-mail address only' },
  'with an IP address in place of a name': { namesIn: 'address only' },
  'with another common name beside the right name': {
    namesIn: 'alternative names, beside another common name',
  },
  'without a subject': { subject: 'empty' },
  'with a signature that does not fit': { signature: 'broken' },
  'issued by somebody with the name of the intermediate': { intermediate: 'a namesake' },
  'issued by an intermediate that has expired': { intermediate: 'expired' },
  'issued by an intermediate that is not yet valid': { intermediate: 'not yet valid' },
  'issued by an intermediate a few minutes past its end': { intermediate: 'just expired' },
  'issued by an intermediate a few minutes before its beginning': { intermediate: 'about to become valid' },
  'issued by an intermediate a few minutes before its end': { intermediate: 'about to expire' },
  'issued by an intermediate a few minutes past its beginning': { intermediate: 'just become valid' },
  'issued by an intermediate that is signed with SHA-1': { intermediate: 'signed with SHA-1' },
  'issued by an intermediate that may not sign certificates': { intermediate: 'without the right to sign' },
  'issued by one intermediate too many': { intermediate: 'beyond the path length' },
  'issued by an intermediate for other domains only': { intermediate: 'for other domains' },
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
