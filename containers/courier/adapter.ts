import type { DeliveryEvent } from '../../support/evidence/gateway-words.ts'
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
/** The script `start` copies the rendered key and certificate to this file, which belongs to the mail user. */
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
    'implicit-tls',
    'retry',
    'forced-tls-inbound',
  ]),
  reasons: {
    // TLS_VERIFYPEER and ESMTP_TLS_VERIFY_DOMAIN in courierd hold for all partners. SECURITY=STARTTLS in esmtproutes
    // verifies for one domain, but needs a partner that offers Courier's own extension XSECURITY.
    'certificate-validation': 'Courier verifies the certificates of all partners or of none',
    'domain-validation': 'Courier verifies the certificates of all partners or of none',
    'tls-domain': 'Courier compares a certificate only with the name of the mail exchanger',
    'inbound-required': 'Courier requires TLS by network address or from every client, not by sender domain',
    'client-certificates':
      'Courier asks every client for a certificate or no client, and does not look at the name in it',
    expiry: 'Courier gives up a message after a time, not after a number of attempts',
    'session-log': 'Courier logs handshakes that fail, but not handshakes that succeed',
  },
  ready: /courierd: Waiting\. /,
  command: ['/usr/local/sbin/start'],
  reload: ['/usr/local/sbin/start', 'again'],
  remembers: 'Courier uses no STARTTLS with a mail exchanger for hours after STARTTLS failed there',
  versionCommand: ['dpkg-query', '-W', 'courier-mta', 'libgnutls30*'],

  readVersion(text: string) {
    const version = /^courier-mta\t([\d.]+)/m.exec(text)?.[1]
    const library = /^libgnutls30\S*\t([\d.]+)/m.exec(text)?.[1]
    if (!version || !library) throw new Error(`no version of Courier: ${text}`)
    return { version, library: `GnuTLS ${library}` }
  },

  queue: ['mailq', '-batch'],

  /** `start` flushes each message by its id. `courier flush` without an id would also try messages for other domains. */
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
        // Courier makes no further attempt by itself, because the suite asks for it.
        file('retryalpha', '10d\n'),
        file('retrygamma', '10d\n'),
        // After a failed connection Courier does not wait, and it keeps no idle connection open for more mail.
        file('esmtpdelay', '0\n'),
        file('esmtptimeoutkeepalive', '0\n'),
        file('authdaemonrc', authdaemonrc),
        file('courierd', courierd),
        file('esmtpd', esmtpd(flow, place)),
        file('esmtpd-msa', esmtpdMsa(place)),
        file('esmtpd-ssl', esmtpdSsl(place)),
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

/** Courier uses the first line that fits. A line without a relay means the mail exchangers of the domain. */
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
      throw new Error(`Courier cannot verify the certificates of single partners: ${tls}`)
  }
}

/** Settings for both directions. */
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

/** PORT is a number, because a slim image has no /etc/services. All clients of a run have the same address. */
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

/** Courier reads this file after `esmtpd`. */
const esmtpdMsa = ({ submission }: Place): string => `\
PORT=${submission}
PIDFILE=/run/courier/esmtpd-msa.pid
SYSLOGNAME=courieresmtpd-msa
ACCESSFILE=${FOLDER}/relay
ESMTPAUTH_TLS="PLAIN LOGIN"
ESMTP_TLS_REQUIRED=0
`

/** Courier reads this file after `esmtpd` too. TLS begins with the connection. */
const esmtpdSsl = ({ address, submissions }: Place): string => `\
SSLADDRESS=${address}
SSLPORT=${submissions}
SSLPIDFILE=/run/courier/esmtpd-ssl.pid
ACCESSFILE=${FOLDER}/relay
ESMTPAUTH="PLAIN LOGIN"
ESMTPAUTH_TLS="PLAIN LOGIN"
ESMTP_TLS_REQUIRED=0
`

/** The networks that may relay through the submission port without a login. */
const RELAY = LAN.map(network => `${network}\tallow,RELAYCLIENT\n`).join('')
