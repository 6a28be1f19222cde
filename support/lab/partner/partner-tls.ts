import { constants, randomBytes } from 'node:crypto'
import type { CertificateFlaw, KeyName } from '../../pki/flaws.ts'
import type { Pki } from '../../pki/pki.ts'
import { opensslName } from '../../wire/tls/tls-names.ts'
import type { PartnerTls } from './behaviour.ts'
import type { PartnerManner } from './partner-manner.ts'
import type { HostTls } from './tls-options.ts'

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
 */
export async function hostTls(
  pki: Pki,
  names: readonly string[],
  tls: PartnerTls = {},
  manner: PartnerManner = {},
): Promise<HostTls> {
  const old = [tls.minVersion, tls.maxVersion].some(version => version === 'TLSv1' || version === 'TLSv1.1')
  const suites = tls.suites?.map(opensslName).join(':')
  const at12 = manner.tlsVersion === 'TLS 1.2 at most' && !tls.minVersion
  const maxVersion = tls.maxVersion ?? (at12 ? 'TLSv1.2' : undefined)
  return {
    ...(await certificates(pki, names, tls, manner)),
    minVersion: tls.minVersion ?? (old ? 'TLSv1' : 'TLSv1.2'),
    ...(maxVersion ? { maxVersion } : {}),
    ...(manner.group
      ? { ecdhCurve: `${manner.group}/${GROUPS.filter(one => one !== manner.group).join(':')}` }
      : {}),
    // Level 0 lets the partner speak old versions and show weak certificates; what is agreed is then up to the gateway.
    ciphers: `${suites ?? 'DEFAULT'}${old || tls.presents?.length || suites ? ':@SECLEVEL=0' : ''}`,
    honorCipherOrder: !tls.followsSender,
    ...(manner.tickets === 'short ones' ? { secureOptions: constants.SSL_OP_NO_TICKET } : {}),
    ...(manner.tickets === 'taken again' ? { ticketKeys: randomBytes(48).toString('base64') } : {}),
    ...(await clientCertificate(pki, tls, manner)),
  }
}

async function certificates(
  pki: Pki,
  names: readonly string[],
  { presents: flaws = [], ...tls }: PartnerTls,
  { certificateKey, certificateChain, certificateChoice }: PartnerManner,
): Promise<Pick<HostTls, 'key' | 'cert' | 'byName' | 'sigalgs'>> {
  const request = {
    names: tls.names ?? [...names],
    usage: 'server' as const,
    ...(tls.authority ? { authority: tls.authority } : {}),
  }
  const signature = certificateKey && PREFERRED_SIGNATURE[certificateKey]
  // Not every client takes such a certificate: one of an RSA key is there, too.
  const keys: KeyName[] = signature ? [certificateKey, 'RSA 2048'] : [certificateKey ?? 'RSA 2048']
  const shown = async (flaws: readonly CertificateFlaw[]) => {
    const kinds = keys.map(key => ({ key, ...(certificateChain ? { chain: certificateChain } : {}) }))
    const all = await Promise.all(kinds.map(kind => pki.issue({ ...request, flaws, kind })))
    const [key, cert] = [all.map(one => one.key), all.map(one => one.certificate)]
    return all.length === 1 ? { key: key[0]!, cert: cert[0]! } : { key, cert }
  }
  const own = await shown(flaws)
  const sigalgs = signature ? { sigalgs: [signature, ...SIGNATURES].join(':') } : {}
  if (certificateChoice === undefined) return { ...own, ...sigalgs }
  return { ...(await shown([...flaws, 'for another name'])), byName: own, ...sigalgs }
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
