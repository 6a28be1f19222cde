import type { TlsOptions } from 'node:tls'
import type { Pki } from '../../pki/pki.ts'
import { opensslName } from '../../wire/tls/tls-names.ts'
import type { PartnerTls } from './behaviour.ts'

/** What Node needs to play one host of a partner, certificate included. JSON only: a lab elsewhere gets it so. */
export type HostTls = Pick<
  TlsOptions,
  | 'key'
  | 'cert'
  | 'ca'
  | 'minVersion'
  | 'maxVersion'
  | 'ciphers'
  | 'honorCipherOrder'
  | 'requestCert'
  | 'rejectUnauthorized'
>

/** `names` are those of a good certificate: the partner's domain and the host. */
export async function hostTls(pki: Pki, names: string[], tls: PartnerTls = {}): Promise<HostTls> {
  const identity = await pki.issue({
    names: tls.names ?? names,
    usage: 'server',
    ...(tls.authority ? { authority: tls.authority } : {}),
    ...(tls.presents ? { flaws: tls.presents } : {}),
  })
  const old = [tls.minVersion, tls.maxVersion].some(version => version === 'TLSv1' || version === 'TLSv1.1')
  const suites = tls.suites?.map(opensslName).join(':')
  return {
    key: identity.key,
    cert: identity.certificate,
    minVersion: tls.minVersion ?? (old ? 'TLSv1' : 'TLSv1.2'),
    ...(tls.maxVersion ? { maxVersion: tls.maxVersion } : {}),
    // Level 0 lets the partner speak old versions and show weak certificates; what is agreed is then up to the gateway.
    ciphers: `${suites ?? 'DEFAULT'}${old || tls.presents?.length || suites ? ':@SECLEVEL=0' : ''}`,
    honorCipherOrder: !tls.followsSender,
    ...(tls.clientCertificate
      ? {
          requestCert: true,
          rejectUnauthorized: tls.clientCertificate === 'requires',
          ca: [await pki.root()],
        }
      : {}),
  }
}
