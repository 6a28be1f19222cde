import type { DeliveryEvent } from '../../support/evidence/gateway-words.ts'
import type { ContainerProduct, Place, Rendered } from '../../support/gateway/adapter.ts'
import { gnutlsPriority } from '../../support/gateway/suites.ts'
import {
  type InboundConnector,
  type MailFlow,
  type OutboundConnector,
  type Pin,
  requiresTlsOfAll,
  specificity,
} from '../../support/mailflow/mail-flow.ts'
import { debian } from '../debian.ts'
import { certificateFile, LAN } from '../files.ts'

const FOLDER = '/etc/exim4'
const CERTIFICATE = `${FOLDER}/tls/chain.pem`
const KEY = `${FOLDER}/tls/key.pem`
/** Both in one file, which `start` writes: Exim reads them anew for each session, and must not see one without the other. */
const IDENTITY = `${FOLDER}/tls/identity.pem`
const TRUST = `${FOLDER}/tls/roots.pem`

/** Exim as Debian builds exim4-daemon-heavy, with GnuTLS. */
export const exim: ContainerProduct = {
  name: 'exim',
  releases: debian('trixie', 'bookworm', 'bullseye'),
  context: { folder: import.meta.dirname, files: ['Dockerfile', 'start'] },
  deviations: `${import.meta.dirname}/deviations.yaml`,
  capabilities: new Set([
    'encryption-only',
    'certificate-validation',
    'domain-validation',
    'tls-domain',
    'pin-organisation',
    'pin-unit',
    'pin-issuer',
    'inbound-required',
    'client-certificates',
    'relay-by-certificate',
    'client-certificate-outbound',
    'submission',
    'implicit-tls',
    'retry',
    'expiry',
    'forced-tls-inbound',
    'session-log',
    'tls12-only',
    'forward-secrecy-only',
    'status-required',
  ]),
  reasons: {
    'status-online': 'Exim asks nobody for the status of a certificate',
  },
  ready: /exim \S+ daemon started/,
  command: ['/usr/local/sbin/start'],
  reload: ['/usr/local/sbin/start', 'again'],
  reloaded: /exim \S+ daemon started/,
  // Exim prints the versions of its libraries only in debugging mode, on standard error.
  versionCommand: ['sh', '-c', 'exim4 -d -bV 2>&1'],

  readVersion(text: string) {
    const version = /^Exim version (\S+)/m.exec(text)?.[1]
    const library = /^Library version: GnuTLS: .*\n\s+Runtime: (\S+)/m.exec(text)?.[1]
    if (!version || !library) throw new Error(`no version of Exim: ${text}`)
    return { version, library: `GnuTLS ${library}` }
  },

  queue: ['exim4', '-bpu'],

  /** A queue run over the messages with a recipient in this domain, also those that are not due yet. */
  retry: (domain: string) => ['exim4', '-Rff', `@${domain}`],

  /** A queue run without retry rules: it returns what it cannot deliver. `exim4 -Mg` would give another reason. */
  expire: (recipient: string) => ['exim4', '-DGIVES_UP', '-Rff', recipient],

  render(flow: MailFlow, place: Place): Rendered {
    return {
      files: [
        { path: `${FOLDER}/exim4.conf`, content: configuration(flow, place) },
        { path: `${FOLDER}/outbound`, content: table(flow.outbound.map(c => [c.to, transportOf(c)])) },
        { path: `${FOLDER}/inbound`, content: table(flow.inbound.map(c => [c.from, demandOf(c)])) },
        {
          path: `${FOLDER}/users`,
          content: flow.users.map(({ name, password }) => `${name}: ${password}\n`).join(''),
          mode: '0640',
        },
        { path: TRUST, content: flow.trust.join('') },
        { path: KEY, content: flow.identity.key, mode: '0640' },
        ...certificateFile(CERTIFICATE, flow),
      ],
    }
  },

  /** `<=` is a message that Exim received, `=>` and `->` one that it sent. A session without X had no TLS. */
  session(line: string) {
    const { way, facts } = LINE.exec(line)?.groups ?? {}
    if (way === undefined || !['<=', '=>', '->'].includes(way)) return undefined
    const { version, suite, verified } =
      / X=(?<version>[^:\s]+):(?<suite>\S+?)(?::\d+)? CV=(?<verified>\w+)/.exec(facts!)?.groups ?? {}
    const incoming = way === '<=' ? { incoming: true as const } : {}
    if (!version || !suite) return { tls: false, ...incoming }
    return { tls: true, version, suite, verified: verified !== 'no', ...incoming }
  },

  read(line: string): DeliveryEvent | undefined {
    const { way, address, original, facts = '' } = LINE.exec(line)?.groups ?? {}
    const kind = way === undefined ? undefined : KINDS[way]
    if (!kind || !address?.includes('@')) return undefined
    return { kind, recipient: original ?? address.replace(/:$/, ''), reason: facts.trim() }
  },
}

/**
 * The address of the envelope follows in angle brackets where Exim writes another one.
 * `2026-11-24 19:50:01 1vNabc-000000001Xy-1abc => inbox@d1.test R=mail T=opportunistic H=… X=… CV=yes C="250 …"`
 */
const LINE = /^\S+ \S+ \S+ (?<way><=|=>|->|==|\*\*) (?<address>\S+)(?: <(?<original>[^>]+)>:?)?(?<facts>.*)/
const KINDS: Record<string, DeliveryEvent['kind']> = {
  '=>': 'delivered',
  '->': 'delivered',
  '==': 'deferred',
  '**': 'bounced',
}

/** Exim uses the first row that fits. */
const table = (rows: [string, string][]): string =>
  rows
    .sort(([one], [other]) => specificity(other) - specificity(one))
    .map(([pattern, value]) => `${pattern}: ${value}\n`)
    .join('')

function transportOf({ tls, tlsDomain, pin }: OutboundConnector): string {
  if (pin) return `pinned_${pin.attribute}`
  return tlsDomain
    ? `named_${tlsDomain.replace('*', 'any').replaceAll(/\W/g, '_')}`
    : tls.replaceAll('-', '_')
}

/** What the ACL requires from a client: `tls`, `certificate NAME` with NAME as a regular expression, or nothing. */
function demandOf({ tls, clientCertificate }: InboundConnector): string {
  if (clientCertificate) return `certificate ${expression(clientCertificate)}`
  return tls === 'required' ? 'tls' : ''
}

/** The names of a certificate that cover a name: itself, and RFC 6125 s6.4.3 with `*` as the first label. */
function covering(name: string): string {
  const [first, ...rest] = name.split('.')
  return first === '*' ? expression(name) : `(?i)^(?:${first}|\\*)\\.${rest.join('\\.')}$`
}

/** A leading `*.` covers one label. */
const expression = (name: string): string => `(?i)^${name.replaceAll('.', '\\.').replace(/^\*/, '[^.]+')}$`

/** One name in each line. With another separator after `dns`, Exim 4.94 loops forever (tlscert-gnu.c). */
const namesIn = (certificate: string): string => `<\\n \${certextract{subj_altname,dns}{${certificate}}}`

/** The client has come to an address for users. */
const isForUsers = ({ submission, submissions }: Place): string =>
  `inlist{$received_port}{${submission} : ${submissions}}`

/** A verified certificate for this name lets mail of this domain pass to everybody. */
const relaying = (domain: string, name: string): string => `\
  accept
    condition = \${if eqi{$sender_address_domain}{${domain}}}
    condition = \${if bool{$tls_in_certificate_verified}}
    condition = \${if forany{${namesIn('$tls_in_peercert')}}{match{$item}{\\N${expression(name)}\\N}}}
`

const configuration = (flow: MailFlow, place: Place): string => `\
primary_hostname = ${flow.hostname}
qualify_domain = ${flow.domain}
daemon_smtp_ports = ${place.inbound} : ${place.submission} : ${place.submissions}
tls_on_connect_ports = ${place.submissions}
local_interfaces = ${place.address}
disable_ipv6
keep_environment =
log_file_path = /dev/shm/exim4/%slog
log_selector = +tls_certificate_verified +tls_peerdn +incoming_port
# All clients of a run have the same address, and a connection may carry any number of messages.
smtp_accept_max = 0
smtp_accept_queue_per_connection = 0

tls_advertise_hosts = *
tls_certificate = ${IDENTITY}
tls_privatekey = ${IDENTITY}
tls_try_verify_hosts = *
tls_verify_certificates = ${TRUST}
tls_require_ciphers = ${gnutlsPriority(flow)}

acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_vrfy = vrfy

begin acl

mail:
  accept
    condition = \${if ${isForUsers(place)}}
  warn
    set acl_m_demand = \${lookup{$sender_address_domain}nwildlsearch{${FOLDER}/inbound}}
  deny
    condition = \${if def:acl_m_demand}
    !encrypted = *
    message = 530 5.7.0 Must issue a STARTTLS command first
  deny
    condition = \${if match{$acl_m_demand}{^certificate }}
    !condition = \${if bool{$tls_in_certificate_verified}}
    message = 550 5.7.1 A certificate of the sending server is required
  deny
    condition = \${if match{$acl_m_demand}{^certificate }}
    !condition = \${if forany{${namesIn('$tls_in_peercert')}}{match{$item}{\${sg{$acl_m_demand}{^certificate }{}}}}}
    message = 550 5.7.1 The certificate of the sending server names another host
  accept

rcpt:
  accept
    condition = \${if ${isForUsers(place)}}
    hosts = ${LAN.join(' : ')}
  accept
    authenticated = *
  accept
    domains = ${flow.domain}
${flow.relay ? relaying(flow.domain, flow.relay) : ''}\
  deny
    message = 550 5.7.64 Relay access denied

vrfy:
${requiresTlsOfAll(flow) ? '  deny\n    !encrypted = *\n    message = 530 5.7.0 Must issue a STARTTLS command first\n' : ''}\
  deny

begin routers

mail:
  driver = dnslookup
  transport = \${lookup{$domain}nwildlsearch{${FOLDER}/outbound}{$value}{opportunistic}}
  no_more

begin transports

${[...transports(flow)].map(([name, options]) => transport(flow, name, options)).join('\n')}
begin retry

# The suite starts every queue run. Exim has no queue runner of its own.
.ifndef GIVES_UP
* * F,30d,1s
.endif

begin authenticators

plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{def:auth3}{eq{$auth3}{\${lookup{$auth2}lsearch{${FOLDER}/users}}}}}}
  server_set_id = $auth2
  server_advertise_condition = \${if and{{def:tls_in_cipher}{${isForUsers(place)}}}}
`

type Options = Record<string, string>

/** One transport for each kind of outbound connector, and one for all other mail. */
function transports({ outbound, requiresStatus }: MailFlow): Map<string, Options> {
  const found = new Map<string, Options>([['opportunistic', {}]])
  // Exim learns a status from what the partner sends along, and from nobody else.
  const status: Options = requiresStatus ? { hosts_require_ocsp: '*' } : {}
  for (const connector of outbound) {
    const options = optionsOf(connector)
    found.set(transportOf(connector), options['tls_verify_hosts'] ? { ...options, ...status } : options)
  }
  return found
}

function optionsOf({ tls, tlsDomain, pin }: OutboundConnector): Options {
  const forced = { hosts_require_tls: '*' }
  const verified = { ...forced, tls_verify_hosts: '*' }
  if (pin) return { ...verified, tls_verify_cert_hostnames: '', event_action: pinned(pin) }
  if (tlsDomain) return { ...verified, tls_verify_cert_hostnames: '', event_action: names(tlsDomain) }
  switch (tls) {
    case 'opportunistic':
      return {}
    case 'encryption-only':
      return forced
    case 'certificate-validation':
      return { ...verified, tls_verify_cert_hostnames: '' }
    case 'domain-validation':
      return verified
  }
}

/** Exim raises this event for each certificate of the chain; the partner's own has depth 0. Any text refuses the chain. */
const names = (name: string): string =>
  `\${if and{{eq{$event_name}{tls:cert}}{eq{$event_data}{0}}}{\${if forany{${namesIn('$tls_out_peercert')}}{match{$item}{\\N${covering(name)}\\N}}{}{certificate does not name ${name}}}}}`

/** What Exim extracts from the partner's own certificate. It has no digest of a public key. */
const PINNED: Partial<Record<Pin['attribute'], string>> = {
  organisation: 'subject,O',
  unit: 'subject,OU',
  issuer: 'issuer,CN',
}

const pinned = ({ attribute, value }: Pin): string =>
  `\${if and{{eq{$event_name}{tls:cert}}{eq{$event_data}{0}}}{\${if eq{\${certextract{${PINNED[attribute]}}{$tls_out_peercert}}}{${value}}{}{certificate has another ${attribute}}}}}`

const transport = (flow: MailFlow, name: string, options: Options): string =>
  `${name}:\n${Object.entries({
    driver: 'smtp',
    ...options,
    tls_certificate: IDENTITY,
    tls_privatekey: IDENTITY,
    tls_verify_certificates: TRUST,
    tls_require_ciphers: gnutlsPriority(flow),
    hosts_try_dane: '',
    // Otherwise Exim sends waiting mail for the same host on an open connection, with the TLS of another transport.
    connection_max_messages: '1',
    // How long Exim waits for a partner that stays silent after its go-ahead to STARTTLS.
    command_timeout: '10s',
  })
    .map(([option, value]) => `  ${option} = ${value}`.trimEnd())
    .join('\n')}\n`
