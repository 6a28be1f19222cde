import type { DeliveryEvent } from '../../support/evidence/gateway-words.ts'
import type { ContainerProduct, Place, Rendered } from '../../support/gateway/adapter.ts'
import { suitesOf } from '../../support/gateway/suites.ts'
import {
  covers,
  type InboundConnector,
  type MailFlow,
  type OutboundConnector,
} from '../../support/mailflow/mail-flow.ts'
import { debian } from '../debian.ts'
import { certificateFile, usersFile } from '../files.ts'

const FOLDER = '/etc/mail'
const CERTIFICATE = `${FOLDER}/tls/chain.pem`
const KEY = `${FOLDER}/tls/key.pem`
/** Sendmail trusts only the roots in this file. */
const AUTHORITIES = `${FOLDER}/tls/authorities.pem`
/** Of both directions. Sendmail sets no lowest and highest version, it switches versions off. */
const options = ({ minVersion, maxVersion }: MailFlow): string =>
  [
    ...[...['SSLv2', 'SSLv3'], ...(minVersion === 'TLSv1' ? [] : ['TLSv1', 'TLSv1_1'])].map(
      version => `+SSL_OP_NO_${version}`,
    ),
    // SSL_OP_NO_TLSv1_3, a name that Sendmail 8.15 does not know.
    ...(maxVersion ? ['+0x20000000'] : []),
    '+SSL_OP_CIPHER_SERVER_PREFERENCE',
  ].join(' ')

/** OpenSSL 3 has TLS 1.0 and 1.1 at its lowest level of security only, because they sign with SHA-1. */
const ciphers = (flow: MailFlow): string =>
  [...suitesOf(flow), ...(flow.minVersion === 'TLSv1' ? ['@SECLEVEL=0'] : [])].join(':')

/** The least number of bits of a cipher. Every cipher that a mail flow permits has more. */
const BITS = 112

/** Sendmail also logs this line at a restart by SIGHUP. */
const STARTED = /sendmail\[\d+\]: starting daemon/

/** Sendmail as Debian builds it, with OpenSSL. */
export const sendmail: ContainerProduct = {
  name: 'sendmail',
  releases: debian('trixie', 'bookworm', 'bullseye'),
  standsIn: true,
  context: {
    folder: import.meta.dirname,
    files: ['Dockerfile', 'sendmail.mc', 'start'],
  },
  deviations: `${import.meta.dirname}/deviations.yaml`,
  capabilities: new Set([
    'encryption-only',
    'certificate-validation',
    'domain-validation',
    'tls-domain',
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
    'status-required': 'Sendmail requires lists from files or nothing, and the suite does not set that up',
    'status-online': 'Sendmail asks nobody for the status of a certificate',
  },
  ready: STARTED,
  command: ['/usr/local/sbin/start'],
  reload: ['/usr/local/sbin/start', 'again'],
  reloaded: STARTED,
  versionCommand: ['sh', '-c', 'sendmail -d0.20 -bv root'],

  readVersion(text: string) {
    const version = /^Version (\d\S*)/m.exec(text)?.[1]
    const library = /^\s*OpenSSL: linked\s+0x([0-9a-f]+)/m.exec(text)?.[1]
    if (!version || !library) throw new Error(`no version of Sendmail: ${text}`)
    return { version, library: `OpenSSL ${opensslVersion(Number.parseInt(library, 16))}` }
  },

  // Without -v, mailq truncates long senders.
  queue: ['mailq', '-v'],

  /** A queue run over the messages with a recipient in this domain. */
  retry: (domain: string) => ['sendmail', `-qR@${domain}`],

  /** A queue run for which the time of every message is over. */
  expire: (recipient: string) => ['sendmail', '-OTimeout.queuereturn=now', `-qR${recipient}`],

  render(flow: MailFlow, place: Place): Rendered {
    return {
      files: [
        { path: `${FOLDER}/flow.m4`, content: settings(flow, place) },
        { path: `${FOLDER}/access`, content: access(flow) },
        usersFile(`${FOLDER}/users`, flow),
        {
          path: `${FOLDER}/sasl/Sendmail.conf.2`,
          content: 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN\n',
        },
        { path: AUTHORITIES, content: [...flow.trust, ...issuers(flow)].join('') },
        { path: KEY, content: flow.identity.key, mode: '0600' },
        ...certificateFile(CERTIFICATE, flow),
      ],
    }
  },

  /** Sendmail serves each connection with a process of its own. */
  sessionOf(line: string): string | undefined {
    return /sendmail\[(\d+)\]: (?:STARTTLS=server|\w+: from=<)/.exec(line)?.[1]
  },

  session(line: string) {
    const { version, suite, verify } =
      /sendmail\[\d+\]: (?:\w+: )?STARTTLS=(?:server|client), relay=.*?, version=(?<version>\S+), verify=(?<verify>\w+), cipher=(?<suite>[^,]+)/.exec(
        line,
      )?.groups ?? {}
    if (!version || !suite) return undefined
    return { tls: true, version, suite, verified: verify === 'OK' }
  },

  /** One line for all recipients of a transaction. */
  read(line: string): DeliveryEvent[] | undefined {
    const { recipients, kind, reply, reason } =
      /sendmail\[\d+\]: \w+: to=<(?<recipients>[^>]*(?:>,<[^>]*)*)>, .*?\bdsn=(?<kind>[245])\.[\d.]+, (?:reply=(?<reply>.*), )?stat=(?<reason>(?!queued).*)$/.exec(
        line.trimEnd(),
      )?.groups ?? {}
    if (!recipients || !kind || reason === undefined) return undefined
    // Since 8.16 the log has the partner's reply in a field of its own.
    const said = { kind: KINDS[kind]!, reason: reply ? `${reason} (${reply})` : reason }
    return recipients.split('>,<').map(recipient => ({ ...said, recipient }))
  },
}

const KINDS: Record<string, DeliveryEvent['kind']> = { 2: 'delivered', 4: 'deferred', 5: 'bounced' }

/** `0x30500090` is 3.5.9. Before 3.0 the digits have other positions, and a letter from `a` follows them. */
function opensslVersion(number: number): string {
  const at = (shift: number) => (number >>> shift) & 0xff
  return at(28) >= 3
    ? `${at(28)}.${at(20)}.${at(4)}`
    : `${at(28)}.${at(20)}.${at(12)}${String.fromCharCode(at(4) + 96)}`
}

/** Rows of the access map, which say what our rulesets in sendmail.mc require from a session. */
const access = ({ outbound, inbound }: MailFlow): string =>
  [
    ...rows(
      'Outbound',
      outbound.map((c): Row => [c.to, outboundDemand(c)]),
    ),
    ...rows(
      'Inbound',
      inbound.map((c): Row => [c.from, inboundDemand(c)]),
    ),
  ]
    .map(([key, value]) => `${key}\t${value}\n`)
    .join('')

type Row = [pattern: string, demand: string]

/**
 * In the access map, a key with a leading dot covers the names below the domain, a key without a dot also covers the domain
 * itself, and the empty key covers everything. The longest key decides. A connector without a wildcard must not cover the
 * names below its domain, so these names get their own row. SKIP means that nothing is required.
 */
function rows(tag: string, connectors: Row[]): Row[] {
  const below = (name: string) =>
    connectors
      .filter(([pattern]) => pattern.startsWith('*.') && covers(pattern, `x.${name}`))
      .sort(([one], [other]) => other.length - one.length)[0]?.[1] ?? 'SKIP'
  const alone = connectors
    .filter(([name]) => !name.startsWith('*') && !connectors.some(([pattern]) => pattern === `*.${name}`))
    .map(([name]): Row => [`*.${name}`, below(name)])
  return [...connectors, ...alone].map(([pattern, demand]) => [`${tag}:${pattern.replace('*', '')}`, demand])
}

/** In the syntax of the ruleset TLS_connection. `CN` without a name means the name of the recipient's domain. */
function outboundDemand({ tls, tlsDomain }: OutboundConnector): string {
  switch (tls) {
    case 'opportunistic':
      return 'OK'
    case 'encryption-only':
      return `TEMP+ENCR:${BITS}`
    case 'certificate-validation':
      return `TEMP+VERIFY:${BITS}`
    case 'domain-validation':
      return `TEMP+VERIFY:${BITS}+CN${tlsDomain ? `:${tlsDomain}` : ''}`
  }
}

function inboundDemand({ tls, clientCertificate }: InboundConnector): string {
  if (clientCertificate) return `PERM+VERIFY:${BITS}+CN:${clientCertificate}`
  return tls === 'required' ? `PERM+ENCR:${BITS}` : 'OK'
}

/** The settings in `sendmail.mc` that depend on the flow. */
const settings = (flow: MailFlow, { address, inbound, submission, submissions }: Place): string =>
  [
    define('confDOMAIN_NAME', flow.hostname),
    define('confAUTH_REALM', flow.domain),
    define('confAUTH_OPTIONS', 'p'),
    define('confCIPHER_LIST', ciphers(flow)),
    define('confSERVER_SSL_OPTIONS', options(flow)),
    define('confCLIENT_SSL_OPTIONS', options(flow)),
    define('confSERVER_CERT', CERTIFICATE),
    define('confSERVER_KEY', KEY),
    define('confCLIENT_CERT', CERTIFICATE),
    define('confCLIENT_KEY', KEY),
    define('confCACERT', AUTHORITIES),
    call('RELAY_DOMAIN', flow.domain),
    call('DAEMON_OPTIONS', `Name=MTA, Family=inet, Addr=${address}, Port=${inbound}, M=A`),
    call('DAEMON_OPTIONS', `Name=MSA, Family=inet, Addr=${address}, Port=${submission}`),
    call('DAEMON_OPTIONS', `Name=TLSMSA, Family=inet, Addr=${address}, Port=${submissions}, M=s`),
  ].join('')

const define = (name: string, value: string): string => call('define', name, value)

const call = (macro: string, ...values: string[]): string =>
  `${macro}(${values.map(value => `\`${value}'`).join(', ')})dnl\n`

/**
 * Sendmail reads only one certificate of its own chain; OpenSSL finds the other certificates among the authorities. The same
 * list is used in both directions, so Sendmail also accepts a partner that does not show these intermediate certificates.
 */
const issuers = ({ identity }: MailFlow): string[] =>
  identity.certificate.match(/^-----BEGIN [\s\S]*?^-----END .*\n/gm)?.slice(1) ?? []
