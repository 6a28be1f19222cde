import type { DeliveryEvent } from '../../support/evidence/gateway-words.ts'
import type { ContainerProduct, Place, Rendered } from '../../support/gateway/adapter.ts'
import { suitesOf } from '../../support/gateway/suites.ts'
import {
  type InboundConnector,
  type MailFlow,
  type OutboundConnector,
  requiresTlsOfAll,
} from '../../support/mailflow/mail-flow.ts'
import { debian } from '../debian.ts'
import { identityFile, usersFile } from '../files.ts'

const FOLDER = '/etc/postfix'
const IDENTITY = `${FOLDER}/tls/identity.pem`
const TRUST = `${FOLDER}/tls/roots.pem`
/** All releases know this syntax. `>=TLSv1.2` needs Postfix 3.6. */
const protocolsOf = ({ minVersion, maxVersion }: MailFlow): string =>
  [
    '!SSLv2',
    '!SSLv3',
    ...(minVersion === 'TLSv1' ? [] : ['!TLSv1', '!TLSv1.1']),
    ...(maxVersion ? ['!TLSv1.3'] : []),
  ].join(', ')

/** Postfix as Debian builds it, with OpenSSL. */
export const postfix: ContainerProduct = {
  name: 'postfix',
  releases: debian('trixie', 'bookworm', 'bullseye'),
  standsIn: true,
  context: { folder: import.meta.dirname, files: ['Dockerfile', 'start'] },
  deviations: `${import.meta.dirname}/deviations.yaml`,
  capabilities: new Set([
    'encryption-only',
    'domain-validation',
    'tls-domain',
    'pin-key',
    'inbound-required',
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
    'status-required': 'Postfix cannot require the status of certificates',
    'status-online': 'Postfix knows no lists and asks nobody for the status of a certificate',
    'certificate-validation': 'if Postfix verifies the certificate chain, it also compares a name',
    // Postfix 3.5 to 3.11 know `search_order = subject_cn` of check_ccert_access, but do not implement it.
    'client-certificates': 'Postfix recognises client certificates by their fingerprints, not by their names',
  },
  ready: /postfix\/master\[\d+\]: daemon started/,
  command: ['/usr/local/sbin/start'],
  reload: ['/usr/local/sbin/start', 'again'],
  reloaded: /postfix\/master\[\d+\]: reload -- version/,
  versionCommand: ['sh', '-c', 'postconf -h mail_version && postconf -T run-version'],

  readVersion(text: string) {
    const [version, library] = text.trim().split(/\r?\n/)
    if (!version || !/^\d+\.\d+/.test(version) || !library) throw new Error(`no version of Postfix: ${text}`)
    return { version, library: library.replace(/^(\S+ \S+).*/, '$1') }
  },

  queue: ['postqueue', '-p'],

  /** Needs `fast_flush_domains`. `postqueue -f` would also try all other messages in the queue. */
  retry: (domain: string) => ['postqueue', '-s', domain],

  /** `postsuper -e` is there since 3.5. The next attempt then returns the message, with the reason that it waited for. */
  expire: (recipient: string) => [
    'sh',
    '-c',
    `postqueue -j | grep -F '"${recipient}"' | sed 's/.*"queue_id": "\\([^"]*\\)".*/\\1/' | while read -r id; do postsuper -e "$id" && postqueue -i "$id"; done`,
  ],

  render(flow: MailFlow, place: Place): Rendered {
    return {
      files: [
        { path: `${FOLDER}/main.cf`, content: mainCf(flow) },
        { path: `${FOLDER}/master.cf`, content: masterCf(place) },
        { path: `${FOLDER}/outbound`, content: table(flow.outbound.map(c => [pattern(c.to), policy(c)])) },
        { path: `${FOLDER}/inbound`, content: table(named(flow).map(c => [pattern(c.from), access(c)])) },
        usersFile(`${FOLDER}/users`, flow),
        {
          path: `${FOLDER}/sasl/smtpd.conf`,
          content: 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN\n',
        },
        { path: TRUST, content: flow.trust.join('') },
        ...identityFile(IDENTITY, flow),
      ],
    }
  },

  /** With `smtpd_client_port_logging`, every line of an incoming session has the client's port. */
  sessionOf(line: string): string | undefined {
    return /postfix[\w-]*\/(?:[\w-]+\/)*smtpd\[\d+\]: .*\[([\d.]+\]:\d+)/.exec(line)?.[1]
  },

  session(line: string) {
    const { daemon, word, version, suite } =
      /postfix[\w-]*\/(?:[\w-]+\/)*(?<daemon>smtpd?)\[\d+\]: (?<word>Anonymous|Untrusted|Trusted|Verified) TLS connection established (?:from|to) \S+: (?<version>\S+) with cipher (?<suite>\S+)/.exec(
        line,
      )?.groups ?? {}
    if (!version || !suite) return undefined
    // Postfix as a receiver compares no name, so `Trusted` is its highest level there.
    return {
      tls: true,
      version,
      suite,
      verified: word === 'Verified' || (daemon === 'smtpd' && word === 'Trusted'),
      ...(daemon === 'smtpd' ? { incoming: true as const } : {}),
    }
  },

  read(line: string): DeliveryEvent | undefined {
    const { recipient, status, reason } =
      /postfix[\w-]*\/(?:[\w-]+\/)*\w+\[\d+\]: \w+: to=<(?<recipient>[^>]*)>, .*?\bstatus=(?<status>sent|deferred|bounced) \((?<reason>.*)\)$/.exec(
        line.trimEnd(),
      )?.groups ?? {}
    if (!recipient || !status) return undefined
    const kind = status === 'sent' ? 'delivered' : (status as 'deferred' | 'bounced')
    return { kind, recipient, reason: reason ?? '' }
  },
}

/** Postfix's own pattern for names below a domain is the domain with a leading dot. */
const pattern = (domain: string): string => domain.replace(/^\*/, '')

/** All inbound connectors but the one for every sender, which is a setting and not a pattern. */
const named = ({ inbound }: MailFlow): InboundConnector[] => inbound.filter(({ from }) => from !== '*')

const access = ({ tls }: InboundConnector): string =>
  tls === 'required' ? 'reject_plaintext_session' : 'DUNNO'

function policy({ tls, tlsDomain, pin }: OutboundConnector): string {
  // Hex in pairs, as smtp_tls_fingerprint_digest prints it.
  if (pin) return `fingerprint match=${pin.value.replace(/..(?!$)/g, '$&:')}`
  switch (tls) {
    case 'opportunistic':
      return 'may'
    case 'encryption-only':
      return 'encrypt'
    case 'certificate-validation':
      throw new Error('Postfix cannot verify a chain without a name')
    case 'domain-validation':
      // The default `nexthop, dot-nexthop` would also accept a certificate for any name below the domain.
      return `secure match=${tlsDomain ? pattern(tlsDomain) : 'nexthop'}`
  }
}

function mainCf(flow: MailFlow): string {
  const protocols = protocolsOf(flow)
  return settings({
    // Postfix 3.5 knows no higher level. The settings that a higher level would change are below.
    compatibility_level: '2',
    maillog_file: '/dev/stdout',
    myhostname: flow.hostname,
    myorigin: flow.domain,
    mydestination: '',
    relay_domains: flow.domain,
    alias_maps: '',
    local_recipient_maps: '',
    // With this setting, a pattern with a leading dot covers the names below a domain, and a pattern without a dot covers
    // only the domain itself.
    parent_domain_matches_subdomains: '',
    inet_protocols: 'ipv4',
    // The network that may relay through the submission port: the network of this run.
    mynetworks_style: 'subnet',
    smtpd_peername_lookup: 'no',
    // All clients of a run have the same address.
    smtpd_client_connection_count_limit: '0',

    smtpd_tls_security_level: requiresTlsOfAll(flow) ? 'encrypt' : 'may',
    smtpd_tls_chain_files: IDENTITY,
    smtpd_tls_CAfile: TRUST,
    smtpd_tls_ask_ccert: 'yes',
    smtpd_tls_fingerprint_digest: 'sha256',
    smtpd_tls_protocols: protocols,
    smtpd_tls_mandatory_protocols: protocols,
    smtpd_tls_received_header: 'yes',
    smtpd_tls_auth_only: 'yes',
    smtpd_relay_restrictions: 'reject_unauth_destination',
    smtpd_sender_restrictions: `check_sender_access texthash:${FOLDER}/inbound`,
    smtpd_recipient_restrictions: 'permit',
    // With the default 450, a client would retry without TLS again and again.
    plaintext_reject_code: '530',
    cyrus_sasl_config_path: `${FOLDER}/sasl`,

    smtp_tls_security_level: 'may',
    smtp_tls_policy_maps: `texthash:${FOLDER}/outbound`,
    smtp_tls_chain_files: IDENTITY,
    smtp_tls_CAfile: TRUST,
    smtp_tls_fingerprint_digest: 'sha256',
    smtp_tls_protocols: protocols,
    smtp_tls_mandatory_protocols: protocols,
    // Sorted by strength. Postfix's own list is sorted by key length only and begins with suites without a certificate.
    tls_medium_cipherlist: suitesOf(flow).join(':'),
    // As a receiver, Postfix chooses by this order, and not by that of the client: EXO-CIP-01.
    tls_preempt_cipherlist: 'yes',
    ...(flow.service ? { smtpd_tls_ciphers: 'medium' } : {}),
    smtp_tls_ciphers: 'medium',
    smtp_tls_mandatory_ciphers: 'medium',
    // How long Postfix waits for a partner that stays silent after its go-ahead to STARTTLS.
    smtp_starttls_timeout: '10s',
    smtp_connection_cache_on_demand: 'no',

    // Postfix must not run its queue by itself, because the suite asks for the next attempt.
    queue_run_delay: '10d',
    // At level `may`, a message of at least this age is sent unencrypted at the next attempt after a failed handshake.
    minimal_backoff_time: '1s',
    maximal_backoff_time: '10d',
    // With the default, a failure at a partner delays the next message for this partner.
    default_destination_concurrency_failed_cohort_limit: '0',
    // With this setting `postqueue -s` works for every domain.
    fast_flush_domains: 'static:all',

    smtp_tls_loglevel: '1',
    smtpd_tls_loglevel: '1',
    smtpd_client_port_logging: 'yes',
    // With this setting Postfix logs the sender and the recipient in a line with the client's port.
    smtpd_log_access_permit_actions: 'static:all',
  })
}

const FOR_USERS = [
  'syslog_name=postfix/submission',
  'smtpd_tls_security_level=may',
  'smtpd_sender_restrictions=',
  'smtpd_sasl_auth_enable=yes',
  'smtpd_relay_restrictions=permit_mynetworks,permit_sasl_authenticated,reject',
]

function masterCf({ inbound, submission, submissions }: Place): string {
  const service = (name: string, type: string, command: string, { wakeup = '-', most = '-' } = {}) =>
    `${[name, type, type === 'inet' ? 'n' : '-', '-', 'n', wakeup, most, command].join(' ')}\n`
  const unix = (name: string, command = name, limits = {}) => service(name, 'unix', command, limits)
  return [
    service(String(inbound), 'inet', 'smtpd'),
    service(String(submission), 'inet', 'smtpd'),
    ...FOR_USERS.map(option => `  -o ${option}\n`),
    service(String(submissions), 'inet', 'smtpd'),
    ...[...FOR_USERS, 'smtpd_tls_wrappermode=yes'].map(option => `  -o ${option}\n`),
    // These services are not private, because postqueue and sendmail of other users connect to them.
    'pickup unix n - n 60 1 pickup\n',
    'cleanup unix n - n - 0 cleanup\n',
    // If a message arrives while a reload replaces the queue manager, the message waits for the next wake-up (default: 300 s).
    'qmgr unix n - n 5 1 qmgr\n',
    'showq unix n - n - - showq\n',
    'flush unix n - n 1000? 0 flush\n',
    unix('tlsmgr', 'tlsmgr', { wakeup: '1000?', most: '1' }),
    unix('rewrite', 'trivial-rewrite'),
    ...['bounce', 'defer', 'trace'].map(name => unix(name, 'bounce', { most: '0' })),
    unix('verify', 'verify', { most: '1' }),
    unix('proxymap'),
    unix('smtp'),
    unix('relay', 'smtp'),
    ...['error', 'retry'].map(name => unix(name, 'error')),
    unix('discard'),
    unix('anvil', 'anvil', { most: '1' }),
    unix('scache', 'scache', { most: '1' }),
    'postlog unix-dgram n - n - 1 postlogd\n',
  ].join('')
}

const table = (rows: string[][]): string => rows.map(row => `${row.join(' ')}\n`).join('')

const settings = (values: Record<string, string>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} = ${value}`.trimEnd())
    .join('\n')
    .concat('\n')
