import { generateKeyPairSync } from 'node:crypto'
import type { ConnectionOptions, TlsOptions } from 'node:tls'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { certificate } from '../pki/certificate.ts'
import type { Identity } from '../pki/pki.ts'
import type { ReceiverDefects, SenderDefects } from './defects.ts'

/** Strongest first, down to key exchange by RSA; those of TLS 1.3 are in front. */
const SUITES = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-SHA384',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-RSA-AES256-SHA',
  'ECDHE-RSA-AES128-SHA',
  'AES256-GCM-SHA384',
  'AES128-GCM-SHA256',
]

const EPHEMERAL = SUITES.filter(name => !name.startsWith('AES'))

/** How the gateway takes part in a handshake where it listens. */
export function serverTls(flow: MailFlow, defects: ReceiverDefects): TlsOptions {
  const { key, certificate: cert } = flow.identity
  const minVersion = defects.minVersion ?? flow.minVersion
  return {
    key,
    cert: defects.omitsIntermediate ? cert.slice(0, cert.indexOf('-----BEGIN', 1)) : cert,
    minVersion,
    ...(flow.maxVersion && !defects.ignoresHighestVersion && minVersion !== 'TLSv1.3'
      ? { maxVersion: flow.maxVersion }
      : {}),
    ...serverSuites(flow, defects, minVersion),
    honorCipherOrder: true,
    ...(defects.asksForNoCertificate ? {} : { requestCert: true, rejectUnauthorized: false, ca: flow.trust }),
  }
}

/** Below TLS 1.2 OpenSSL wants security level 0. */
function serverSuites(flow: MailFlow, defects: ReceiverDefects, minVersion: string): { ciphers?: string } {
  const old = minVersion === 'TLSv1' || minVersion === 'TLSv1.1'
  const ephemeral = flow.forwardSecrecy && !defects.takesStaticRsa
  if (!old && !ephemeral) return {}
  return { ciphers: `${ephemeral ? EPHEMERAL.join(':') : 'DEFAULT'}${old ? ':@SECLEVEL=0' : ''}` }
}

/** How it does where it connects. */
export function clientTls(
  flow: MailFlow,
  servername: string,
  defects: SenderDefects,
  again: boolean,
): ConnectionOptions {
  const { key, certificate: cert } = flow.identity
  const minVersion = again && defects.stepsDown ? 'TLSv1' : (defects.minVersion ?? flow.minVersion)
  const highest = defects.ignoresHighestVersion || minVersion === 'TLSv1.3' ? undefined : flow.maxVersion
  const maxVersion = again && defects.dancesDown ? 'TLSv1.2' : (defects.maxVersion ?? highest)
  return {
    servername,
    ca: defects.trustsFirstRootOnly ? flow.trust.slice(0, 1) : flow.trust,
    minVersion,
    ...(maxVersion ? { maxVersion } : {}),
    ciphers: `${suites(flow, defects).join(':')}${minVersion === 'TLSv1' ? ':@SECLEVEL=0' : ''}`,
    ...(cert ? { key, cert } : {}),
  }
}

function suites(flow: MailFlow, defects: SenderDefects): string[] {
  if (defects.offersOneSuite) return SUITES.filter(name => /^TLS_AES_256|^ECDHE-RSA-AES256-GCM/.test(name))
  if (defects.offersEcdheOnly || (flow.forwardSecrecy && !defects.offersStaticRsa)) return EPHEMERAL
  const favourites = defects.prefersShortKeys ? /128/ : defects.prefersCbc ? /^(?!.*GCM).*SHA\d*$/ : undefined
  if (!favourites) return SUITES
  const first = SUITES.filter(name => favourites.test(name))
  return [...first, ...SUITES.filter(name => !first.includes(name))]
}

/** The identity with a certificate of its name that is valid from tomorrow on, under the same issuer's name. */
export function tomorrows(flow: MailFlow): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = certificate({
    commonName: flow.hostname,
    names: [flow.hostname],
    publicKey,
    issuer: { commonName: 'Mail TLS test new intermediate', key: privateKey },
    role: 'server',
    from: 1,
    until: 30,
  })
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, certificate: pem }
}
