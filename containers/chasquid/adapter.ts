import type { DeliveryEvent } from '../../support/evidence/gateway-words.ts'
import type { ContainerProduct, Place, Rendered } from '../../support/gateway/adapter.ts'
import type { MailFlow } from '../../support/mailflow/mail-flow.ts'
import { debian } from '../debian.ts'
import { usersFile } from '../files.ts'

const FOLDER = '/etc/chasquid'
const DATA = '/var/lib/chasquid'

/** chasquid as Debian builds it, with Go's TLS. Its only settings for TLS are the files of its certificate. */
export const chasquid: ContainerProduct = {
  name: 'chasquid',
  releases: debian('trixie', 'bookworm', 'bullseye'),
  context: { folder: import.meta.dirname, files: ['Dockerfile', 'start'] },
  deviations: `${import.meta.dirname}/deviations.yaml`,
  capabilities: new Set(['submission', 'implicit-tls']),
  reasons: {
    'encryption-only': noSettingFor('encryption'),
    'certificate-validation': noSettingFor('a valid certificate'),
    'domain-validation': noSettingFor('a valid certificate'),
    'tls-domain': noSettingFor('a certificate with another name'),
    'inbound-required': 'chasquid has no setting that requires TLS from clients',
    'client-certificates': 'chasquid never asks a client for a certificate',
    'client-certificate-outbound': 'chasquid shows no certificate as a sender',
    retry: 'only chasquid decides when it tries again, after one minute at the earliest',
    expiry: 'chasquid gives up a message after 20 hours, and no setting changes that',
    'forced-tls-inbound': 'chasquid has no setting that requires TLS from clients',
    'session-log': 'chasquid does not log the version and suite of a session',
  },
  login: true,
  refuses: { 'has lost its certificate': 'chasquid does not start without a certificate' },
  ready: /daemon listening on \S*:587$/,
  command: ['/usr/local/sbin/start'],
  remembers: 'chasquid never sends mail unencrypted to a domain whose servers once had TLS',
  versionCommand: ['sh', '-c', 'chasquid -version && grep -aom1 "go1[.][0-9.]*" /usr/bin/chasquid'],

  readVersion(text: string) {
    const [, version, go] = /^chasquid (\d[\d.]*).*\ngo(\d[\d.]*\d)/.exec(text) ?? []
    if (!version || !go) throw new Error(`no version of chasquid: ${text}`)
    return { version, library: `Go ${go}` }
  },

  /** chasquid has one file for each message, with a line for the sender and a line for each recipient. */
  queue: ['sh', '-c', `grep -Ehao '(from|address): *"[^"]*"' ${DATA}/queue/* || true`],

  retry: domain => {
    throw new Error(`chasquid cannot be asked to try mail for ${domain} again`)
  },

  render(flow: MailFlow, place: Place): Rendered {
    const { hostname, domain, identity } = flow
    const certificate = `${FOLDER}/certs/${hostname}`
    return {
      files: [
        { path: `${FOLDER}/chasquid.conf`, content: settings(flow, place) },
        { path: `${FOLDER}/domains/${domain}/aliases`, content: aliases(flow) },
        usersFile(`${FOLDER}/users`, flow),
        { path: `${FOLDER}/roots.pem`, content: flow.trust.join('') },
        { path: `${certificate}/fullchain.pem`, content: identity.certificate },
        { path: `${certificate}/privkey.pem`, content: identity.key, mode: '0600' },
      ],
    }
  },

  session: () => undefined,

  read(line: string): DeliveryEvent | undefined {
    const { recipient, sent, lasting, reason } =
      / from=\S* to=(?<recipient>\S+) (?:(?<sent>sent)$|failed \((?<lasting>\w+)\): (?<reason>.*))/.exec(
        line.trimEnd(),
      )?.groups ?? {}
    if (!recipient) return undefined
    if (sent) return { kind: 'delivered', recipient, reason: sent }
    const kind = lasting === 'permanent' ? 'bounced' : 'deferred'
    return { kind, recipient, reason: reason ?? '' }
  },
}

function noSettingFor(what: string): string {
  return `chasquid has no setting that requires ${what} from a partner`
}

const settings = ({ hostname }: MailFlow, { address, inbound, submission, submissions }: Place): string =>
  Object.entries({
    hostname,
    smtp_address: `${address}:${inbound}`,
    submission_address: `${address}:${submission}`,
    submission_over_tls_address: `${address}:${submissions}`,
    data_dir: DATA,
    mail_log_path: '<stdout>',
  })
    .map(([name, value]) => `${name}: "${value}"\n`)
    .join('')

/**
 * chasquid sends mail for its own domain to another server only if there is an alias, and it never looks up the mail
 * exchangers of its own domain. These aliases lead to the domain of the mailbox in the lab's names.
 */
const aliases = ({ domain, recipient, users }: MailFlow): string =>
  [recipient, ...users.map(({ name }) => name)]
    .map(address => address.split('@')[0])
    .map(name => `${name}: ${name}@mailbox.${domain}\n`)
    .join('')
