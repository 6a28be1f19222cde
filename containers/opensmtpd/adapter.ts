import type { DeliveryEvent } from '../../support/evidence/gateway-words.ts'
import type { ContainerProduct, Place, Rendered } from '../../support/gateway/adapter.ts'
import { TLS12_SUITES } from '../../support/gateway/suites.ts'
import { type MailFlow, requiresTlsOfAll, specificity } from '../../support/mailflow/mail-flow.ts'
import { debian } from '../debian.ts'
import { certificateFile, LAN, usersFile } from '../files.ts'

const FOLDER = '/etc/smtpd'
const CERTIFICATE = `${FOLDER}/tls/chain.pem`
const KEY = `${FOLDER}/tls/key.pem`
const TRUST = `${FOLDER}/tls/roots.pem`

/** The portable OpenSMTPD as Debian builds it, with OpenSSL. */
export const opensmtpd: ContainerProduct = {
  name: 'opensmtpd',
  releases: [
    ...debian('trixie'),
    // bookworm itself has OpenSMTPD 6.8 with OpenSSL 3, and cannot use a private key (OpenSMTPD issue 1171). bullseye has
    // OpenSMTPD 6.8 with OpenSSL 1.1, where the key works.
    ...debian('bookworm').map(release => ({ ...release, args: { SUITE: 'bookworm-backports' } })),
    ...debian('bullseye'),
  ],
  context: { folder: import.meta.dirname, files: ['Dockerfile', 'start', 'retry'] },
  deviations: `${import.meta.dirname}/deviations.yaml`,
  capabilities: new Set([
    'encryption-only',
    'domain-validation',
    'client-certificate-outbound',
    'submission',
    'implicit-tls',
    'retry',
    'forced-tls-inbound',
    'session-log',
  ]),
  reasons: {
    'status-required': 'OpenSMTPD cannot require the status of certificates',
    'status-online': 'OpenSMTPD asks nobody for the status of a certificate',
    'certificate-validation': 'OpenSMTPD verifies a chain and a name together, or neither',
    'tls-domain': 'OpenSMTPD compares the certificate only with the name of the host that it connects to',
    // smtpd.conf(5) documents `match tls`, but ruleset_match_smtp_starttls (ruleset.c, 6.8 to 7.8) does not implement it.
    // A rule with `match tls` defers every message.
    'inbound-required':
      'OpenSMTPD has `match tls` only in its manual: a rule with `match tls` defers all mail',
    'client-certificates':
      'OpenSMTPD requires a certificate of every client or of none, and does not look at the name in it',
    expiry: 'OpenSMTPD gives up a message after a time, not after a number of attempts',
  },
  ready: /^info: OpenSMTPD \S+ starting$/,
  command: ['/usr/local/sbin/start'],
  remembers: 'OpenSMTPD keeps the mail exchangers of a domain for a while',
  versionCommand: ['sh', '-c', "smtpd -h 2>&1; dpkg-query -W 'libssl*'"],

  readVersion(text: string) {
    const version = /^version: OpenSMTPD (\d[\d.]*(?:p\d+)?)/m.exec(text)?.[1]
    const library = /^libssl\S*\s+(\d[^-\s]*)/m.exec(text)?.[1]
    if (!version || !library) throw new Error(`no version of OpenSMTPD: ${text}`)
    return { version, library: `OpenSSL ${library}` }
  },

  queue: ['smtpctl', 'show', 'queue'],

  retry: (domain: string) => ['/usr/local/sbin/retry', domain],

  render(flow: MailFlow, place: Place): Rendered {
    return {
      files: [
        { path: `${FOLDER}/smtpd.conf`, content: configuration(flow, place) },
        // Without this file OpenSMTPD uses the host name of the container.
        { path: '/etc/mailname', content: `${flow.hostname}\n` },
        usersFile(`${FOLDER}/users`, flow),
        { path: TRUST, content: flow.trust.join('') },
        { path: KEY, content: flow.identity.key, mode: '0600' },
        ...certificateFile(CERTIFICATE, flow),
      ],
    }
  },

  /** Each incoming and outgoing session has an id of 16 hexadecimal digits. */
  sessionOf: (line: string) => LINE.exec(line)?.groups?.['id'],

  session(line: string) {
    const { side, said = '' } = LINE.exec(line)?.groups ?? {}
    const { version, suite } = /^tls ciphers=(?<version>[^:]+):(?<suite>[^:]+)/.exec(said)?.groups ?? {}
    if (version && suite) return { tls: true, version, suite }
    const check = /^cert-check result="([^"]+)"/.exec(said)?.[1]
    // A line `smtp cert-check` with "no certificate presented" can also be about an outgoing session.
    if (check) return { tls: true, verified: check === (side === 'mta' ? 'valid' : 'verified') }
    return /^connecting address=smtp\+notls:/.test(said) ? { tls: false } : undefined
  },

  read(line: string): DeliveryEvent | undefined {
    const { recipient, result, reason } =
      /^[\da-f]{16} mta delivery .*? to=<(?<recipient>[^>]*)> .*\bresult="(?<result>\w+)" stat="(?<reason>.*)"$/.exec(
        line.trimEnd(),
      )?.groups ?? {}
    const kind = KINDS[result ?? '']
    if (!recipient || !kind) return undefined
    return { kind, recipient, reason: reason ?? '' }
  },
}

/** `4b3c9d0b1a2f8e77 mta tls ciphers=TLSv1.3:TLS_AES_256_GCM_SHA384:256` */
const LINE = /^(?<id>[\da-f]{16}) (?<side>smtp|mta) (?<said>.*)/
const KINDS: Record<string, DeliveryEvent['kind']> = {
  Ok: 'delivered',
  TempFail: 'deferred',
  PermFail: 'bounced',
}

/** A `*` in OpenSMTPD's own patterns stops at the first dot (util.c, hostname_match): `*.x` does not cover `a.b.x`. */
const expression = (pattern: string): string => `(?i)^${pattern.replaceAll('.', '[.]').replace(/^\*/, '.*')}$`

function configuration(flow: MailFlow, { address, inbound, submission, submissions }: Place): string {
  const secured = flow.identity.certificate !== ''
  const identity = secured ? ' pki gateway' : ''
  // OpenSMTPD does not start if the file of a pki is missing.
  const listen = (port: number, level: string, options = '') =>
    `listen on ${address} port ${port}${secured ? ` ${level} pki gateway` : ''} hostname "${flow.hostname}"${options}\n`
  const relay = (name: string, options = '') =>
    `action "${name}" relay helo "${flow.hostname}"${options} ca lab${identity}\n`
  // OpenSMTPD uses the first rule that fits.
  const connectors = [...flow.outbound].sort((one, other) => specificity(other.to) - specificity(one.to))
  return [
    ...(secured ? [`pki gateway cert "${CERTIFICATE}"\n`, `pki gateway key "${KEY}"\n`] : []),
    `ca lab cert "${TRUST}"\n`,
    // This setting is for both directions. TLS 1.2 is the lowest version by default.
    `smtp ciphers "${TLS12_SUITES.join(':')}"\n`,
    'table users file:/run/credentials\n',
    // The networks that may relay through the submission port: those of containers and of a machine.
    `table lan { ${LAN.join(', ')} }\n`,
    '# OpenSMTPD must not give up or send a warning, because the suite asks for the next attempt.\n',
    'queue ttl 30d\n',
    'bounce warn-interval 30d\n',
    '# Undocumented limits: no pause between connections to one host, and no connection that waits for more mail.\n',
    ...['conn-delay-route', 'conn-delay-relay', 'reconn-delay-route', 'session-keepalive'].map(
      limit => `mta limit ${limit} 0\n`,
    ),
    listen(inbound, requiresTlsOfAll(flow) ? 'tls-require' : 'tls'),
    listen(submission, 'tls', `${secured ? ' auth-optional <users>' : ''} tag submission`),
    ...(secured ? [listen(submissions, 'smtps', ' auth-optional <users> tag submission')] : []),
    relay('opportunistic'),
    relay('encryption-only', ' tls no-verify'),
    relay('domain-validation', ' tls'),
    'match tag submission ! from src <lan> ! auth for any reject\n',
    // OpenSMTPD's own notifications come from local, without a tag.
    ...['tag submission from any', 'from local'].flatMap(source => [
      ...connectors.map(
        ({ to, tls }) => `match ${source} for domain regex "${expression(to)}" action "${tls}"\n`,
      ),
      `match ${source} for any action "opportunistic"\n`,
    ]),
    `match from any for domain "${flow.domain}" action "opportunistic"\n`,
  ].join('')
}
