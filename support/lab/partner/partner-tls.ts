import type { TlsOptions } from 'node:tls'
import type { Pki } from '../../pki/pki.ts'
import { opensslName } from '../../wire/tls/tls-names.ts'
import type { PartnerTls } from './behaviour.ts'
import type { PartnerManner } from './manner.ts'

/**
 * The TLS options of Node for one mail exchanger of a partner. It is plain JSON, because it also goes to a lab in a
 * container.
 */
export type HostTls = Pick<
  TlsOptions,
  | 'key'
  | 'cert'
  | 'ca'
  | 'minVersion'
  | 'maxVersion'
  | 'ciphers'
  | 'honorCipherOrder'
  | 'ecdhCurve'
  | 'requestCert'
  | 'rejectUnauthorized'
>

/** Groups in one tuple are chosen by what the client sent a share for; tuples are chosen in their order. */
const GROUPS = ['X25519', 'P-256', 'P-384', 'P-521']

/**
 * `names` are those of a good certificate: the partner's domain and the host. What `tls` says counts before `manner`.
 */
export async function hostTls(
  pki: Pki,
  names: string[],
  tls: PartnerTls = {},
  manner: PartnerManner = {},
): Promise<HostTls> {
  const identity = await pki.issue({
    names: tls.names ?? names,
    usage: 'server',
    ...(tls.authority ? { authority: tls.authority } : {}),
    ...(tls.presents ? { flaws: tls.presents } : {}),
  })
  const old = [tls.minVersion, tls.maxVersion].some(version => version === 'TLSv1' || version === 'TLSv1.1')
  const suites = tls.suites?.map(opensslName).join(':')
  const at12 = manner.tlsVersion === 'TLS 1.2 at most' && !tls.minVersion
  const maxVersion = tls.maxVersion ?? (at12 ? 'TLSv1.2' : undefined)
  return {
    key: identity.key,
    cert: identity.certificate,
    minVersion: tls.minVersion ?? (old ? 'TLSv1' : 'TLSv1.2'),
    ...(maxVersion ? { maxVersion } : {}),
    ...(manner.group
      ? { ecdhCurve: `${manner.group}/${GROUPS.filter(one => one !== manner.group).join(':')}` }
      : {}),
    // Level 0 lets the partner speak old versions and show weak certificates. The gateway decides what it accepts.
    ciphers: `${suites ?? 'DEFAULT'}${old || tls.presents?.length || suites ? ':@SECLEVEL=0' : ''}`,
    honorCipherOrder: !tls.followsSender,
    ...(await clientCertificate(pki, tls, manner)),
  }
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
