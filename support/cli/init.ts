import { lstatSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, join, sep } from 'node:path'
import { commandsOf } from '../gateway/commands/ready-made.ts'
import { GATEWAY_FILE_SCHEMA } from '../gateway/gateway-file.ts'
import { gatewayAt } from '../gateway/server-address.ts'
import { InputError } from '../input-error.ts'
import { AUTHORITY_FILES, writeAuthorities } from '../pki/authority-files.ts'
import { addressOf } from '../wire/smtp/smtp.ts'
import { modeline } from '../yaml-file.ts'
import { PARTNER, type Surroundings, surroundingsText } from './servers-on-this-machine.ts'

export interface InitOptions {
  receiver?: string
  product?: string
  via?: string
}

/**
 * Writes a gateway file with comments, and the authorities of the suite in `pki/` in the same folder, each only if it
 * is not there yet. `receiver`: HOST[:PORT] of a server that is to be judged as a receiver alone; the file is a few lines
 * then. `product`: whose commands are written into it, behind the words of `via`. `found`: what is written into it of this
 * machine. Returns for a person what was done and what to do next. Throws InputError when both are there already or something
 * cannot be written.
 */
export function init(
  file = 'gateway.yaml',
  { receiver, product, via }: InitOptions = {},
  found?: Surroundings,
): string {
  if (via !== undefined && product === undefined) throw new InputError('--via needs --product')
  const commands = product === undefined ? '' : commandsOf(product, via)
  const pki = join(dirname(file), 'pki')
  const text = `${receiver === undefined ? template(file, found) : receiverTemplate(file, receiver)}${commands}`
  const wrote = { [file]: writeNew(file, text), [`${pki}${sep}`]: writePki(pki) }
  const named = (written: boolean) => Object.keys(wrote).filter(name => wrote[name] === written)
  const [fresh, left] = [named(true), named(false)]
  if (fresh.length === 0) throw new InputError(`${left.join(' and ')} exist already and are not overwritten`)
  // Of a file that is there already, nothing is known.
  const told = found && wrote[file] && receiver === undefined ? [...surroundingsText(found), ''] : []
  const done = [
    ...[`Wrote ${fresh.join(' and ')}.`, ...left.map(name => `Left ${name} as it was.`), ''],
    ...[...told, 'Next:'],
  ]
  if (receiver !== undefined)
    return `${[
      ...done,
      `1. Write into ${file} a recipient for whom the server accepts mail.`,
      `2. Judge the server: mail-tls check ${file}`,
    ].join('\n')}\n`
  const root = join(pki, AUTHORITY_FILES.root.certificate)
  const other = join(pki, AUTHORITY_FILES.other.certificate)
  return `${[
    ...done,
    `1. Let the gateway trust ${root}, and not ${other}:`,
    '   partners show certificates of both authorities to the gateway. Whoever has',
    '   the private keys in this folder can issue certificates that the gateway',
    '   accepts, so use a gateway for tests. Git ignores the folder',
    `   (${join(pki, '.gitignore')}).`,
    `2. Edit ${file}: write where the gateway is, which connectors it`,
    '   has, and where it delivers mail for their domains. The file explains all.',
    `3. See what would be judged: mail-tls check ${file} --dry-run`,
    `4. Judge the gateway: mail-tls check ${file}`,
  ].join('\n')}\n`
}

/** Returns whether the file was written. A file that is there already stays as it is. */
function writeNew(file: string, text: string): boolean {
  const there = lstatSync(file, { throwIfNoEntry: false })
  if (there?.isDirectory()) throw new InputError(`${file}: is a folder`)
  if (there) return false
  try {
    writeFileSync(file, text, { flag: 'wx' })
    return true
  } catch (error) {
    throw new InputError(`${file}: ${(error as Error).message}`)
  }
}

/** Writes the authorities, whose private keys Git must ignore. Returns whether they were written. */
function writePki(folder: string): boolean {
  const written = writeAuthorities(folder)
  if (written) writeFileSync(join(folder, '.gitignore'), '*\n')
  return written
}

/** Every server accepts mail for its postmaster: RFC 5321 s4.5.1. */
function receiverTemplate(file: string, receiver: string): string {
  const { name, inbound } = gatewayAt(`smtp://${receiver}`)
  const { host } = inbound!.address
  const hostname = isIP(host) === 0 ? host : 'mx.gateway.test'
  const place = addressOf(inbound!.address)
  const address = isIP(host) === 6 ? `"${place}"` : place
  return `${modeline(file, GATEWAY_FILE_SCHEMA)}name: "${name}"
inbound:
  address: ${address}
  hostname: ${hostname}    # the name that a client expects in its certificate
  recipient: postmaster@${hostname}    # an address for which it accepts mail
`
}

/** A key and its value, with a comment behind them. */
const keyed = (key: string, value: string, comment: string): string =>
  `${`  ${key}: ${value}`.padEnd(39)} # ${comment}`

/** A key directly after `#` is in use as soon as a person removes the `#`. */
function template(file: string, { receiver, submission, partner }: Partial<Surroundings> = {}): string {
  const at = (server: Surroundings['receiver'], otherwise: number) =>
    addressOf(server?.address ?? { host: '127.0.0.1', port: otherwise })
  const hostname = receiver?.hostname ?? 'mx.gateway.test'
  // Every server accepts mail for its postmaster: RFC 5321 s4.5.1.
  const recipient = receiver ? `postmaster@${hostname}` : 'inbox@gateway.test'
  const listen = addressOf(partner ?? { host: '127.0.0.1', port: PARTNER })
  return `${modeline(file, GATEWAY_FILE_SCHEMA)}#
# A mail gateway for \`mail-tls check\`. A key directly after a # is optional: remove the # to use the key.
# Paths are relative to this file. Addresses are host:port, IPv6 in brackets and in quotes: "[::1]:2525".

name: edge-gateway                      # its name in reports

# The gateway as a receiver. Leave out inbound or outbound if you do not want it tested.
inbound:
${keyed('address', at(receiver, 2525), 'where it accepts mail from other servers')}
${keyed('hostname', hostname, 'the name that a client expects in its certificate')}
  #trust: ./gateway-ca.pem              # roots for that certificate (default: the roots of the system)
${keyed('recipient', recipient, 'an address for which it accepts mail')}
  #mailbox: smtp://127.0.0.1:1025       # where it delivers mail for the recipient: the suite, MailHog (http://…), IMAP
  connectors:                           # by sender domain; the level for all other senders is opportunistic
    - from: "*.required.test"           # *. stands for any name below; remove what the gateway does not have
      tls: required                     # or opportunistic
    - from: "*.partner.test"
      tls: required
      clientCertificate: gateway.partner.test   # name that the client's certificate must have

# The gateway as a sender.
outbound:
${keyed('submit', at(submission, 2587), 'where the suite gives it messages to send (SMTP, with STARTTLS if offered)')}
  # login:                              # who submits them; the suite logs in inside TLS only
  #   user: probe                       # name of the user
  #   passwordEnv: GATEWAY_PASSWORD     # the environment variable that has the password
  #   passwordFile: ./password          # or the file whose first line it is
  #submitTls: starttls                  # or implicit (port 465), or none
  sender: probe@gateway.test            # the sender of these messages
${keyed('partner', listen, 'where it delivers mail for the domains below: the suite listens here')}
  connectors:                           # by recipient domain; the suite invents names below each pattern
    - to: "*.opportunistic.test"        # *. stands for any name below; remove what the gateway does not have
      tls: opportunistic                # TLS if the partner offers it
    - to: "*.encrypted.test"
      tls: encryption-only              # TLS, whatever the certificate
    - to: "*.trusted.test"
      tls: certificate-validation       # TLS with a valid chain, whatever the name
    - to: "*.verified.test"
      tls: domain-validation            # TLS with a valid chain and the right name
      #tlsDomain: mail.partner.test     # the right name, if it is not the recipient's domain (Exchange's TlsDomain)
      #status: asked                    # it asks the authority whether the certificate is revoked
      #partner: 127.0.0.1:2626          # for this connector alone: its examples run side by side with others
  settle: 5s                            # so long after the last sign of it, a message counts as held back

# In place of partner, the suite can answer DNS, and each partner has an address of its own (docs/gateway-file.md):
# names:
#   listen: 127.0.0.1:5353              # where the gateway's resolver asks
#   partners: [127.0.16.0/20]           # addresses of this machine at which the suite plays partners
#   port: 25                            # at which they listen
# For a gateway in a container, the suite can join its network instead, and nothing is published on this machine:
# lab:
#   network: mail-test_default          # name of the container network, whose subnet has 8192 addresses or more
#   resolver: 172.29.0.53               # free address in it at which the gateway's resolver asks the suite
# What the suite may ask of the gateway; \`init --product\` writes these lines for some products:
# commands:
#   reader: postfix                     # the bundled product that writes such a log
#   log:                                # the log, or a command that prints it as it grows
#     file: /var/log/mail.log           # path of the log
#   queue: [postqueue, -p]              # prints the queue with all recipients
#   retry: [postqueue, -f]              # tries queued mail now
#   expire: ./expire.sh                 # gives up mail for MAIL_TLS_RECIPIENT and returns it
#   certificate: ./install.sh           # installs MAIL_TLS_CHAIN and MAIL_TLS_KEY; MAIL_TLS_RESTORE=yes: puts back
#   trust: ./install-roots.sh           # installs MAIL_TLS_ROOTS, or puts back
#   reload: [postfix, reload]           # the gateway uses what was installed
#   timeout: 10s                        # for each command but log

#profiles: [exchange-online-2021]       # what is judged (default: what \`mail-tls check\` judges)
#deviations: ./deviations.yaml          # recorded deviations; \`mail-tls check --write-deviations\` proposes them
pki: ./pki                              # authorities of the suite: the gateway must trust pki/root.pem,
                                        # and must not trust pki/other-root.pem
`
}
