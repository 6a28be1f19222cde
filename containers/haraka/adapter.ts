import { getDiffieHellman } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import forge from 'node-forge'
import type { DeliveryEvent } from '../../support/evidence/gateway-words.ts'
import type {
  Adapter,
  ContainerProduct,
  EmbeddedProduct,
  Place,
  Rendered,
  RenderedFile,
} from '../../support/gateway/adapter.ts'
import { hasImplicitTls } from '../../support/gateway/adapter.ts'
import { suitesOf } from '../../support/gateway/suites.ts'
import { jsonText } from '../../support/json-text.ts'
import type { MailFlow } from '../../support/mailflow/mail-flow.ts'
import { debian } from '../debian.ts'
import { LINE } from './own-log.ts'

const require = createRequire(import.meta.url)
const home = dirname(require.resolve('Haraka/package.json'))

/** Set explicitly, because OpenSSL's own order begins with AES-128-GCM. */
const TLS13_SUITES = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256']

const deviations = `${import.meta.dirname}/deviations.yaml`

/** Haraka 3.3 from npm, embedded or in a container. `plugin.cjs` implements the connectors; it reads `flow.json`. */
const adapter: Adapter = {
  name: 'haraka',
  standsIn: true,
  capabilities: new Set([
    'domain-validation',
    'inbound-required',
    'client-certificates',
    'client-certificate-outbound',
    'submission',
    'implicit-tls',
    'retry',
    'expiry',
    'forced-tls-inbound',
    'session-log',
    'tls12-only',
    'forward-secrecy-only',
  ]),
  reasons: {
    'status-required': 'Haraka cannot require the status of certificates',
    'status-online': 'Haraka asks nobody for the status of a certificate',
    'encryption-only': 'Haraka verifies the certificate of every host in force_tls_hosts',
    'certificate-validation': 'Haraka verifies the name of every host in force_tls_hosts',
    'tls-domain': 'Haraka compares the certificate only with the host name that it connects to',
  },
  ready: /files in my temp fail queue/,

  render(flow: MailFlow, place: Place): Rendered {
    // Haraka ends where it is to begin with TLS and has no certificate.
    const implicit = hasImplicitTls(haraka, flow) ? [place.submissions] : []
    return {
      files: [
        { path: 'config/me', content: flow.hostname },
        {
          path: 'config/smtp.ini',
          content: ini({
            listen: [place.inbound, place.submission, ...implicit]
              .map(port => `${place.address}:${port}`)
              .join(','),
            ...(flow.identity.certificate ? { smtps_port: place.submissions } : {}),
            // One process, because several workers would divide the queue among them.
            nodes: 0,
            inactivity_timeout: 60,
            // At the end Haraka finishes its open connections, which may take at most this number of seconds.
            graceful_shutdown: true,
            force_shutdown_timeout: 2,
            // Set here, so that Haraka does not ask a STUN server on the internet.
            public_ip: place.address,
          }),
        },
        // Without this file the first connection ends Haraka 3.3.4, which reads the greeting from [message] in it.
        { path: 'config/connection.ini', content: readFileSync(join(home, 'config/connection.ini'), 'utf8') },
        // By default Haraka asks DNS once. Node's resolver adapts its time-out to fast answers, down to 250 ms.
        { path: 'config/net-utils.ini', content: '[dns]\ntries=5\n' },
        { path: 'config/log.ini', content: ini({ level: 'INFO', format: 'DEFAULT' }) },
        { path: 'config/plugins', content: 'tls\nauth/flat_file\nconnectors\n' },
        { path: 'config/tls.ini', content: tlsIni(flow) },
        ...identityFiles(flow),
        { path: 'config/ca.pem', content: flow.trust.join('\n') },
        { path: 'config/dhparams.pem', content: dhParameters() },
        {
          path: 'config/outbound.ini',
          content: ini({
            local_mx_ok: true,
            connect_timeout: 10,
            // Long, because the suite asks for the next attempt itself.
            temp_fail_intervals: flow.attempts > 1 ? `1h*${flow.attempts - 1}` : 'none',
          }),
        },
        {
          path: 'config/auth_flat_file.ini',
          content: `[core]\nmethods=PLAIN,LOGIN\n[users]\n${flow.users.map(u => `${u.name}=${u.password}`).join('\n')}\n`,
          mode: '0600',
        },
        {
          path: 'flow.json',
          content: jsonText({
            inbound: flow.inbound,
            outbound: flow.outbound,
            domain: flow.domain,
            resolver: flow.network.resolver,
            partnerPort: flow.network.partnerPort,
            submissionPorts: [place.submission, place.submissions],
            maxVersion: flow.maxVersion,
          }),
        },
        {
          path: 'plugins/connectors.js',
          content: readFileSync(new URL('plugin.cjs', import.meta.url), 'utf8'),
        },
      ],
    }
  },

  /** Every line has the id of its connection. Outgoing mail has the id of the incoming connection and two more numbers. */
  sessionOf(line: string): string | undefined {
    const { id, origin } = LINE.exec(line)?.groups ?? {}
    if (!id || id === '-') return undefined
    return origin === 'outbound' ? `out ${id}` : `in ${id.split('.')[0]}`
  },

  session(line: string) {
    const { origin, said = '' } = LINE.exec(line)?.groups ?? {}
    if (
      (origin === 'outbound' && said.startsWith('secured ')) ||
      (origin === 'tls' && said.startsWith('secured:'))
    )
      return {
        tls: true,
        verified: value(said, 'verified') === 'true',
        ...facts({ version: value(said, 'version'), suite: value(said, 'cipher') }),
      }
    // This is the last line of a session. For a session with TLS an earlier line says more.
    const last = origin === 'outbound' ? /^ ?delivered file=/.test(said) : /^ ?disconnect ip=/.test(said)
    return last && value(said, 'tls') === 'N' ? { tls: false } : undefined
  },

  read(line: string): DeliveryEvent | undefined {
    const at = line.indexOf('mail-tls event ')
    if (at < 0) return undefined
    try {
      const said = JSON.parse(line.slice(at + 15)) as DeliveryEvent
      return { kind: said.kind, recipient: said.recipient, reason: said.reason }
    } catch {
      return undefined
    }
  },
}

/** SIGTERM would end Haraka at once, in the middle of a session, unless Haraka is process 1. */
const END_SIGNAL = 'SIGINT'

const library = (openssl: string, node: string): string => `OpenSSL ${openssl} (Node ${node})`

/** A message to the process over its IPC channel. */
const retry = (domain: string): object => ({ event: 'connectors.retry', domain })

/** Haraka as a child process on loopback addresses. */
export const haraka: EmbeddedProduct = {
  ...adapter,
  endSignal: END_SIGNAL,
  deviations,

  async version() {
    const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string }
    return { version, library: library(process.versions.openssl, process.versions.node) }
  },

  command(folder: string) {
    return {
      program: process.execPath,
      args: [join(home, 'bin/haraka'), '-c', folder],
      env: {
        HARAKA: folder,
        // `ca` in tls.ini is for inbound sessions only. For outbound sessions Haraka trusts the roots of Node.
        NODE_EXTRA_CA_CERTS: join(folder, 'config/ca.pem'),
      },
    }
  },

  retry,
}

const FOLDER = '/haraka'

/** The same Haraka in a container, on the same Node. */
export const harakaInContainer: ContainerProduct = {
  ...adapter,
  releases: debian('trixie'),
  context: {
    folder: `${import.meta.dirname}/image`,
    files: ['Dockerfile', 'package.json', 'start.mjs'],
  },
  deviations,
  command: ['node', '/opt/haraka/start.mjs', FOLDER, END_SIGNAL],
  versionCommand: [
    'node',
    '-p',
    '[require("/opt/haraka/node_modules/Haraka/package.json").version, process.versions.openssl, process.versions.node].join(" ")',
  ],

  readVersion(text: string) {
    const [version, openssl, node] = text.trim().split(' ')
    if (!version || !openssl || !node) throw new Error(`no version of Haraka: ${text}`)
    return { version, library: library(openssl, node) }
  },

  // Haraka has one file for each message and host, with the recipients in JSON at the beginning. A file may disappear
  // while `cat` reads the others.
  queue: ['sh', '-c', `cat ${FOLDER}/queue/* 2>/dev/null || true`],

  retry: (domain: string) => ['sh', '-c', `echo '${JSON.stringify(retry(domain))}' >/run/ask`],

  render(flow: MailFlow, place: Place): Rendered {
    const { files } = adapter.render(flow, place)
    return { files: files.map(file => ({ ...file, path: `${FOLDER}/${file.path}` })) }
  },
}

const value = (said: string, key: string): string | undefined =>
  new RegExp(`\\b${key}=(\\S+)`).exec(said)?.[1]

function facts({ version, suite }: { version: string | undefined; suite: string | undefined }) {
  return { ...(version ? { version } : {}), ...(suite ? { suite } : {}) }
}

/** Without a certificate file Haraka runs and does not offer STARTTLS. An empty file would end Haraka at the start. */
function identityFiles({ identity }: MailFlow): RenderedFile[] {
  const key = { path: 'config/tls_key.pem', content: identity.key, mode: '0600' }
  const certificate = { path: 'config/tls_cert.pem', content: identity.certificate }
  return identity.certificate ? [key, certificate] : [key]
}

function tlsIni(flow: MailFlow): string {
  const suites = [...TLS13_SUITES, ...suitesOf(flow)].join(':')
  // OpenSSL does not speak TLS 1.0 and 1.1 above security level 0, and takes weak certificates there: not of partners.
  const inbound = flow.minVersion === 'TLSv1' ? `${suites}:@SECLEVEL=0` : suites
  return `${ini({
    minVersion: flow.minVersion,
    requestCert: true,
    rejectUnauthorized: false,
    ca: 'ca.pem',
    honorCipherOrder: true,
    ...(flow.forwardSecrecy || flow.service ? { ciphers: inbound } : {}),
  })}[redis]\ndisable_for_failed_hosts=false\n[outbound]\n${ini({
    ciphers: suites,
    // Without these Haraka shows no certificate as a client: EXO-CRT-02.
    ...(flow.service ? { key: 'tls_key.pem', cert: 'tls_cert.pem' } : {}),
  })}`
}

function ini(values: Record<string, string | number | boolean>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

/** Without this file Haraka makes its own parameters, which takes seconds. This is group 14 of RFC 3526, 2048 bits. */
function dhParameters(): string {
  const { asn1 } = forge
  const group = getDiffieHellman('modp14')
  const integer = (bytes: Buffer) =>
    asn1.create(
      asn1.Class.UNIVERSAL,
      asn1.Type.INTEGER,
      false,
      `${bytes[0]! & 0x80 ? '\0' : ''}${bytes.toString('latin1')}`,
    )
  const der = asn1.toDer(
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, [
      integer(group.getPrime()),
      integer(group.getGenerator()),
    ]),
  )
  return forge.pem.encode({ type: 'DH PARAMETERS', body: der.getBytes() })
}
