import type { DeliveryEvent } from '../../support/evidence/gateway-words.ts'
import type { ContainerProduct, Place, Rendered } from '../../support/gateway/adapter.ts'
import { type MailFlow, requiresTlsOfAll } from '../../support/mailflow/mail-flow.ts'

const FOLDER = '/mox/config'
/** Far more messages and recipients than a run has. */
const PLENTY = 1_000_000

/** mox, a whole mail server in one program, with Go's TLS. */
export const mox: ContainerProduct = {
  name: 'mox',
  releases: [{ name: '0.0.15', base: 'debian:trixie-slim' }],
  context: {
    folder: import.meta.dirname,
    files: ['Dockerfile', 'start', 'go.mod', 'go.sum', 'onward.go'],
  },
  deviations: `${import.meta.dirname}/deviations.yaml`,
  capabilities: new Set(['submission', 'implicit-tls', 'retry', 'forced-tls-inbound', 'session-log']),
  reasons: {
    // A transport to one host has TLS settings, a direct transport has none (config.TransportDirect).
    'encryption-only': oneHost('encryption'),
    'certificate-validation': oneHost('a valid certificate'),
    'domain-validation': oneHost('a valid certificate'),
    'tls-domain': oneHost('a certificate with another name'),
    'inbound-required': 'mox requires TLS of all clients or of none',
    'client-certificates': 'mox never asks a client for a certificate',
    'client-certificate-outbound': 'mox shows no certificate as a sender',
    expiry: 'mox gives up a message after eight attempts, and no setting changes that',
  },
  login: true,
  refuses: { 'has lost its certificate': 'mox does not start without its certificate' },
  // At this line the user has a password, and port 25 is open.
  ready: /^the user can log in$/,
  command: ['/usr/local/sbin/start'],
  versionCommand: ['mox', 'version'],

  readVersion(text: string) {
    const [, version, go] = /^v(\d[\d.]*)-go(\d[\d.]*)/.exec(text) ?? []
    if (!version || !go) throw new Error(`no version of mox: ${text}`)
    return { version, library: `Go ${go}` }
  },

  queue: ['mox', 'queue', 'list'],

  retry: (domain: string) => ['mox', 'queue', 'schedule', '-to', `@${domain}`, '-now', '0'],

  render(flow: MailFlow, place: Place): Rendered {
    const [user] = flow.users
    if (!user) throw new Error('mox accepts mail for partners only from users who log in')
    return {
      files: [
        { path: `${FOLDER}/mox.conf`, content: moxConf(flow, place, account(user.name)) },
        { path: `${FOLDER}/domains.conf`, content: domainsConf(flow, user.name) },
        { path: `${FOLDER}/user`, content: `${user.name} ${user.password}\n`, mode: '0600' },
        { path: `${FOLDER}/roots.pem`, content: flow.trust.join('') },
        { path: `${FOLDER}/key.pem`, content: flow.identity.key, mode: '0600' },
        { path: `${FOLDER}/chain.pem`, content: flow.identity.certificate },
      ],
    }
  },

  /** All lines of a connection have the same `cid`. Lines with a user are about a submission. */
  sessionOf(line: string) {
    const { cid, username } = fields(line)
    return username === undefined ? cid : undefined
  },

  session(line: string) {
    const { m, version, ciphersuite, tlsmode, ...of } = fields(line)
    if (!version || !ciphersuite)
      return m === 'queue deliverhost result' && tlsmode === 'skip' ? { tls: false } : undefined
    const session = { tls: true, version, suite: ciphersuite }
    // mox never asks a client for a certificate.
    if (m === 'tls handshake completed') return { ...session, verified: false }
    if (m !== 'starttls client handshake done') return undefined
    // Without a usable TLSA record, `danerecord` contains zeroes.
    const byDane = of['verifydane'] === 'true' && /^dane-/.test(of['danerecord'] ?? '')
    const verified = of['ignoretlsverifyerrors'] === 'false' && (of['verifypkix'] === 'true' || byDane)
    return { ...session, verified }
  },

  read(line: string): DeliveryEvent | undefined {
    const { m = '', recipient, err = m } = fields(line)
    const kind = KINDS.find(([word]) => m.startsWith(word))?.[1]
    if (!kind || !recipient) return undefined
    return { kind, recipient, reason: err }
  },
}

function oneHost(what: string): string {
  return `mox can require ${what} of one host by its name, not of the mail exchangers of a recipient's domain`
}

const KINDS: [string, DeliveryEvent['kind']][] = [
  ['delivered from queue', 'delivered'],
  ['temporary failure delivering from queue', 'deferred'],
  ['permanent failure delivering from queue', 'bounced'],
]

/** Reads `l=info m="delivered from queue" pkg=queue recipient=inbox@d1.test`. A value with a blank has quotes. */
function fields(line: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [, key, quoted, bare] of line.matchAll(/(?:^|\s)(\w+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g))
    found[key!] ??= quoted?.replaceAll(/\\(.)/g, '$1') ?? bare!
  return found
}

const account = (user: string): string => user.split('@')[0]!

const moxConf = (flow: MailFlow, place: Place, account: string): string => `\
DataDir: ../data
LogLevel: info
PackageLogLevels:
	queue: debug
	smtpclient: debug
	smtpserver: debug
User: 1000
Hostname: ${flow.hostname}
TLS:
	CA:
		AdditionalToSystem: false
		CertFiles:
			- ${FOLDER}/roots.pem
Listeners:
	public:
		IPs:
			- ${place.address}
		TLS:
			MinVersion: ${flow.minVersion}
			KeyCerts:
				-
					CertFile: ${FOLDER}/chain.pem
					KeyFile: ${FOLDER}/key.pem
		SMTP:
			Enabled: true
			Port: ${place.inbound}
			RequireSTARTTLS: ${requiresTlsOfAll(flow)}
			FirstTimeSenderDelay: 0s
		Submission:
			Enabled: true
			Port: ${place.submission}
		Submissions:
			Enabled: true
			Port: ${place.submissions}
	local:
		IPs:
			- 127.0.0.1
		WebAPIHTTP:
			Enabled: true
			Port: 8080
Postmaster:
	Account: ${account}
	Mailbox: Postmaster
`

const domainsConf = ({ domain, recipient }: MailFlow, user: string): string => `\
Domains:
	${domain}: nil
Accounts:
	${account(user)}:
		Domain: ${domain}
		Destinations:
			${user}: nil
			${recipient}: nil
		IncomingWebhook:
			URL: http://127.0.0.1:8081/
		NoFirstTimeSenderDelay: true
		MaxOutgoingMessagesPerDay: ${PLENTY}
		MaxFirstTimeRecipientsPerDay: ${PLENTY}
`
