import { constants, hash, randomBytes, X509Certificate } from 'node:crypto'
import type { StatusAddresses } from '../../pki/certificate.ts'
import { type CertificateFlaw, FLAWS, type KeyName } from '../../pki/flaws.ts'
import type { Pki } from '../../pki/pki.ts'
import type { AnswerName } from '../../pki/status-words.ts'
import { opensslName } from '../../wire/tls/tls-names.ts'
import type { PartnerTls } from './behaviour.ts'
import type { HostTls } from './host-tls.ts'
import type { PartnerManner } from './partner-manner.ts'

/** OpenSSL chooses within a tuple by the share that the client sent, and takes tuples in their order. */
const GROUPS = ['X25519', 'P-256', 'P-384', 'P-521']

/** Signature schemes behind the one that a partner prefers. */
const SIGNATURES = [
  ...['ecdsa_secp256r1_sha256', 'ed25519', 'ecdsa_secp384r1_sha384'],
  ...['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha512'],
  ...['rsa_pkcs1_sha256', 'rsa_pkcs1_sha384', 'rsa_pkcs1_sha512'],
]

/** The signature scheme that a partner with a certificate of such a key prefers. */
const PREFERRED_SIGNATURE: Partial<Record<KeyName, string>> = {
  'ECDSA P-256': 'ecdsa_secp256r1_sha256',
  'ECDSA P-384': 'ecdsa_secp384r1_sha384',
  Ed25519: 'ed25519',
}

/**
 * `names` are those of a good certificate: the partner's domain and the host. What `tls` says counts before `manner`.
 * `ip`: the address of the host.
 */
export async function hostTls(
  pki: Pki,
  names: readonly string[],
  tls: PartnerTls = {},
  manner: PartnerManner = {},
  ip?: string,
): Promise<HostTls> {
  const old = [tls.minVersion, tls.maxVersion].some(version => version === 'TLSv1' || version === 'TLSv1.1')
  // What a Given says of versions, suites and groups counts before the role that the partner plays.
  const free = !(tls.minVersion || tls.maxVersion || tls.suites || tls.groups || tls.followsSender)
  const role = free ? pki.peersPlay : undefined
  const listed = tls.suites ?? role?.suites
  const suites = listed?.map(opensslName).join(':')
  const at12 = manner.tlsVersion === 'TLS 1.2 at most' && !tls.minVersion
  const maxVersion = tls.maxVersion ?? (at12 ? 'TLSv1.2' : role?.maxVersion)
  const shown = await certificates(pki, names, tls, manner, ip)
  return {
    ...shown,
    ...(tls.staples ? { stapled: await stapled(pki, tls.staples, shown, tls.authority) } : {}),
    minVersion: tls.minVersion ?? (old ? 'TLSv1' : (role?.minVersion ?? 'TLSv1.2')),
    ...(maxVersion ? { maxVersion } : {}),
    ...(manner.group && !tls.groups
      ? { ecdhCurve: `${manner.group}/${GROUPS.filter(one => one !== manner.group).join(':')}` }
      : {}),
    // Level 0 lets the partner speak old versions and show weak certificates; what is agreed is then up to the gateway.
    ciphers: `${suites ?? 'DEFAULT'}${old || tls.presents?.length || suites ? ':@SECLEVEL=0' : ''}`,
    honorCipherOrder: !tls.followsSender,
    ...(listed?.some(name => name.includes('_DHE_')) ? { dhparam: 'auto' } : {}),
    ...(tls.groups ? { ecdhCurve: tls.groups.join(':') } : {}),
    ...(manner.tickets === 'short ones' ? { secureOptions: constants.SSL_OP_NO_TICKET } : {}),
    ...(tls.resumes ? { ticketKeys: ticketKeys(names, tls.resumes) } : {}),
    ...(manner.tickets === 'taken again' && !tls.resumes
      ? { ticketKeys: randomBytes(48).toString('base64') }
      : {}),
    ...(await clientCertificate(pki, tls, manner)),
  }
}

/** Of a partner with these names; the same each time. Node takes 48 bytes. */
const ticketKeys = (names: readonly string[], how: string): string =>
  hash('sha512', [how, ...names].join(), 'buffer')
    .subarray(0, 48)
    .toString('base64')

/** Its status is not to be had, and each certificate has a key of its own. */
const OF_SERVICE = (
  when: NonNullable<PartnerTls['ofService']>,
  names: string[],
): Parameters<Pki['issueLikeService']> => {
  const leaf = { names, addresses: {} }
  return when === 'before'
    ? ['former', { ...leaf, unit: 'Microsoft Corporation' }]
    : ['2018', { ...leaf, key: 'RSA 3072' }]
}

async function certificates(
  pki: Pki,
  names: readonly string[],
  { presents: flaws = [], ...tls }: PartnerTls,
  { certificateKey, certificateChain, certificateChoice }: PartnerManner,
  ip?: string,
): Promise<Pick<HostTls, 'key' | 'cert' | 'byName' | 'sigalgs'>> {
  if (tls.ofService) {
    const { key, certificate } = await pki.issueLikeService(...OF_SERVICE(tls.ofService, [...names]))
    return { key, cert: certificate }
  }
  const request = {
    names: tls.names ?? [...names],
    usage: 'server' as const,
    // What tells the status of a certificate comes from the lab's own authority.
    ...(tls.addresses || tls.staples ? {} : { ofPeer: true as const }),
    ...(tls.authority ? { authority: tls.authority } : {}),
    ...addressesOf(names[0]!, tls),
    ...(ip ? { ip } : {}),
  }
  const signature = certificateKey && PREFERRED_SIGNATURE[certificateKey]
  // Not every client takes such a certificate: one of an RSA key is there, too.
  const keys: KeyName[] = signature ? [certificateKey, 'RSA 2048'] : [certificateKey ?? 'RSA 2048']
  const shown = async (flaws: readonly CertificateFlaw[]) => {
    const kinds = keys.map(key => ({
      key,
      ...(certificateChain ? { chain: certificateChain } : {}),
      ...tls.kind,
    }))
    const all = await Promise.all(kinds.map(kind => pki.issue({ ...request, flaws, kind })))
    const [key, cert] = [all.map(one => one.key), all.map(one => one.certificate)]
    return all.length === 1 ? { key: key[0]!, cert: cert[0]! } : { key, cert }
  }
  const own = await shown(flaws)
  const sigalgs = signature ? { sigalgs: [signature, ...SIGNATURES].join(':') } : {}
  if (certificateChoice === undefined) return { ...own, ...sigalgs }
  const others = flaws.filter(flaw => !('hosts' in FLAWS[flaw]))
  return { ...(await shown([...others, 'for another name'])), byName: own, ...sigalgs }
}

/** An answer may count only for a certificate that names a responder (LibreSSL's libtls). */
function addressesOf(domain: string, { addresses, staples }: PartnerTls): { addresses?: StatusAddresses } {
  if (addresses) return { addresses }
  return staples ? { addresses: { ocsp: [`http://ocsp.${domain}/`] } } : {}
}

/** The same answer for each of its certificates, of which the hello of the client decides. */
async function stapled(
  pki: Pki,
  name: AnswerName,
  { cert, byName }: Pick<HostTls, 'cert' | 'byName'>,
  authority: PartnerTls['authority'],
): Promise<string> {
  // Loaded here, because few partners need it.
  const { namedAnswer } = await import('../../pki/ocsp-responder-answers.ts')
  const serials = [cert, byName?.cert ?? []].flat(2).map(pem => new X509Certificate(pem).serialNumber)
  const about = { issuer: await pki.issuer(authority), serials, other: await pki.issuer('other') }
  return namedAnswer(name, about).toString('base64')
}

/** The names of `ca` are in the request. */
async function clientCertificate(
  pki: Pki,
  tls: PartnerTls,
  manner: PartnerManner,
): Promise<Partial<HostTls>> {
  const how = tls.clientCertificate ?? manner.clientCertificate
  if (!how) return {}
  return {
    requestCert: true,
    rejectUnauthorized: how === 'requires',
    ...(how === 'asked for without names of authorities' ? {} : { ca: [await pki.root()] }),
  }
}
