import type { DeliveryEvent } from '../../support/evidence/words.ts'
import type { ContainerProduct, Place, Rendered } from '../../support/gateway/adapter.ts'
import { gnutlsPriority } from '../../support/gateway/suites.ts'
import {
  type MailFlow,
  type OutboundConnector,
  requiresTlsOfAll,
  specificity,
} from '../../support/mailflow/mail-flow.ts'
import { debian } from '../debian.ts'
import { identityFile, LAN, usersFile } from '../files.ts'

const FOLDER = '/etc/courier'
const TRUST = `${FOLDER}/tls/roots.pem`
/** Where `start` puts the rendered one for the mail user. */
const IDENTITY = `${FOLDER}/esmtpd.pem`

/** Courier as Debian builds courier-mta, with GnuTLS. */
export const courier: ContainerProduct = {
  name: 'courier',
  releases: debian('trixie', 'bookworm', 'bullseye'),
  context: {
    folder: import.meta.dirname,
    files: ['Dockerfile', 'start', 'attempts.awk'],
  },
  deviations: `${import.meta.dirname}/deviations.yaml`,
  capabilities: new Set([
    'encryption-only',
    'client-certificate-outbound',
    'submission',
    'retry',
    'forced-tls-inbound',
  ]),
  reasons: {
    // TLS_VERIFYPEER and ESMTP_TLS_VERIFY_DOMAIN of courierd. SECURITY=STARTTLS of esmtproutes verifies for one domain,
    // and demands a receiver that lists Courier's own XSECURITY extension.
    'certificate-validation': 'Courier verifies the certificates of all receivers or of none',
    'domain-validation': 'Courier verifies the certificates of all receivers or of none',
    'tls-domain': 'Courier compares a certificate with the name of the mail exchanger alone',
    'inbound-required': 'Courier requires TLS by network address or of everybody, not by sender domain',
    'client-certificates':
      'Courier asks every sender for a certificate or none, and does not look at its name',
    expiry: 'Courier gives a message up after a time, not after a number of attempts',
    'session-log': 'Courier logs handshakes that fail, and nothing about those that succeed',
  },
  ready: /courierd: Waiting\. /,
  command: ['/usr/local/sbin/start'],
  reload: ['/usr/local/sbin/start', 'again'],
  remembers: 'a mail exchanger whose STARTTLS failed counts as one without it for hours',
  versionCommand: ['dpkg-query', '-W', 'courier-mta', 'libgnutls30*'],

  readVersion(text: string) {
    const version = /^courier-mta\t([\d.]+)/m.exec(text)?.[1]
    const library = /^libgnutls30\S*\t([\d.]+)/m.exec(text)?.[1]
    if (!version || !library) throw new Error(`no version of Courier: ${text}`)
    return { version, library: `GnuTLS ${library}` }
  },

  queue: ['mailq', '-batch'],

  /** Each message by its own id; `courier flush` without one would try those for other domains as well. */
  retry: (domain: string) => ['/usr/local/sbin/start', 'retry', domain],

  render(flow: MailFlow, place: Place): Rendered {
    const file = (name: string, content: string) => ({ path: `${FOLDER}/${name}`, content })
    return {
      files: [
        file('me', `${flow.hostname}\n`),
        file('defaultdomain', `${flow.domain}\n`),
        file('locals', 'localhost\n'),
        file('esmtpacceptmailfor', `${flow.domain}\n`),
        file('esmtproutes', routes(flow.outbound)),
        // The suite asks for the next attempt itself.
        file('retryalpha', '10d\n'),
        file('retrygamma', '10d\n'),
        // How long a domain is left alone after a connection that failed, and an idle connection kept for more mail.
        file('esmtpdelay', '0\n'),
        file('esmtptimeoutkeepalive', '0\n'),
        file('authdaemonrc', authdaemonrc),
        file('courierd', courierd),
        file('esmtpd', esmtpd(flow, place)),
        file('esmtpd-msa', esmtpdMsa(place)),
        file('relay/networks', RELAY),
        usersFile(`${FOLDER}/users`, flow),
        { path: TRUST, content: flow.trust.join('') },
        ...identityFile(`${FOLDER}/tls/identity.pem`, flow),
      ],
    }
  },

  session: () => undefined,

  read(line: string): DeliveryEvent | undefined {
    const { recipient, status, reason } =
      /^attempt: id=\S+,addr=<(?<recipient>[^>]*)>,status: (?<status>success|deferred|failure): ?(?<reason>.*)$/.exec(
        line.trimEnd(),
      )?.groups ?? {}
    if (!recipient || !status) return undefined
    return { kind: KINDS[status]!, recipient, reason: reason ?? '' }
  },
}

const KINDS: Record<string, DeliveryEvent['kind']> = {
  success: 'delivered',
  deferred: 'deferred',
  failure: 'bounced',
}

/** The first that fits decides, and without a relay behind it the domain's own mail exchangers are used. */
const routes = (connectors: readonly OutboundConnector[]): string =>
  [...connectors]
    .sort((one, other) => specificity(other.to) - specificity(one.to))
    .map(({ to, tls }) => `${to.replace(/^\*/, '')}:${security(tls)}\n`)
    .join('')

function security(tls: OutboundConnector['tls']): string {
  switch (tls) {
    case 'opportunistic':
      return ''
    case 'encryption-only':
      return ' /SECURITY=REQUIRED'
    default:
      throw new Error(`Courier cannot verify the certificates of some receivers: ${tls}`)
  }
}

/** What both directions are told. */
const TLS = `\
COURIERTLS=/usr/bin/couriertls
TLS_PRIORITY=${gnutlsPriority()}
TLS_CERTFILE=${IDENTITY}
TLS_TRUSTCERTS=${TRUST}
TLS_VERIFYPEER=NONE
`

const SHELL = `\
PATH=/usr/bin:/bin:/usr/sbin:/sbin
SHELL=/bin/sh
`

const courierd = `\
prefix=/usr
exec_prefix=/usr
${SHELL}DYNAMICDELIVERIES=0
DEFAULTDELIVERY=./Maildir
ESMTP_CORK=1
ESMTP_USE_STARTTLS=1
ESMTP_TLS_VERIFY_DOMAIN=0
${TLS}`

const authdaemonrc = `\
authmodulelist=authuserdb
daemons=2
authdaemonvar=/run/courier/authdaemon
DEBUG_LOGIN=0
DEFAULTOPTIONS=
LOGGEROPTS=
`

/** PORT in numbers: a slim image has no /etc/services. All partners of a run come from one address. */
const esmtpd = (flow: MailFlow, { address, inbound }: Place): string => `\
${SHELL}ULIMIT=65536
MAILUSER=courier
MAILGROUP=courier
ADDRESS=${address}
PORT=${inbound}
PIDFILE=/run/courier/esmtpd.pid
TCPDOPTS="-stderrlogger=/usr/sbin/courierlogger -nodnslookup"
BLACKLISTS=
ACCESSFILE=
MAXDAEMONS=200
MAXPERC=200
MAXPERIP=200
BOFHCHECKDNS=0
TARPIT=0
NOADDMSGID=1
NOADDDATE=1
NOADDRREWRITE=1
AUTH_REQUIRED=0
ESMTPAUTH=
ESMTPAUTH_TLS=
ESMTP_TLS_REQUIRED=${requiresTlsOfAll(flow) ? 1 : 0}
${TLS}`

/** Read behind the other. */
const esmtpdMsa = ({ submission }: Place): string => `\
PORT=${submission}
PIDFILE=/run/courier/esmtpd-msa.pid
SYSLOGNAME=courieresmtpd-msa
ACCESSFILE=${FOLDER}/relay
ESMTPAUTH_TLS="PLAIN LOGIN"
ESMTP_TLS_REQUIRED=0
`

/** Who may relay on the submission port without a login. */
const RELAY = LAN.map(network => `${network}\tallow,RELAYCLIENT\n`).join('')
