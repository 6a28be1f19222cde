import { lstatSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { GATEWAY_FILE_SCHEMA } from '../gateway/gateway-file.ts'
import { InputError } from '../input-error.ts'
import { AUTHORITY_FILES, writeAuthorities } from '../pki/authority-files.ts'

/**
 * Writes a gateway file with comments, and the authorities of the suite in `pki/` in the same folder, each only if it
 * is not there yet. Returns for a person what was done and what to do next. Throws InputError when both are there
 * already or something cannot be written.
 */
export function init(file = 'gateway.yaml'): string {
  const pki = join(dirname(file), 'pki')
  const wrote = { [file]: writeNew(file), [`${pki}${sep}`]: writePki(pki) }
  const named = (written: boolean) => Object.keys(wrote).filter(name => wrote[name] === written)
  const [fresh, left] = [named(true), named(false)]
  if (fresh.length === 0) throw new InputError(`${left.join(' and ')} exist already and are not overwritten`)
  const root = join(pki, AUTHORITY_FILES.root.certificate)
  const other = join(pki, AUTHORITY_FILES.other.certificate)
  return `${[
    `Wrote ${fresh.join(' and ')}.`,
    ...left.map(name => `Left ${name} as it was.`),
    '',
    'Next:',
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
function writeNew(file: string): boolean {
  const there = lstatSync(file, { throwIfNoEntry: false })
  if (there?.isDirectory()) throw new InputError(`${file}: is a folder`)
  if (there) return false
  try {
    writeFileSync(file, template(file), { flag: 'wx' })
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

/** The path from the file to the schema of this package, which may be a checkout or below node_modules. */
function schemaReference(file: string): string {
  return relative(dirname(resolve(file)), GATEWAY_FILE_SCHEMA).replaceAll(sep, '/')
}

/** A key directly after `#` is in use as soon as a person removes the `#`. */
function template(file: string): string {
  return `# yaml-language-server: $schema=${schemaReference(file)}
#
# A mail gateway for \`mail-tls check\`. A key directly after a # is optional: remove the # to use the key.
# Paths are relative to this file. Addresses are host:port, IPv6 in brackets and in quotes: "[::1]:2525".

name: edge-gateway                      # its name in reports

# The gateway as a receiver. Leave out inbound or outbound if you do not want it tested.
inbound:
  address: 127.0.0.1:2525               # where it accepts mail from other servers
  hostname: mx.gateway.test             # the name that a client expects in its certificate
  #trust: ./gateway-ca.pem              # roots for that certificate (default: the roots of the system)
  recipient: inbox@gateway.test         # an address for which it accepts mail
  #mailbox: http://127.0.0.1:8025       # MailHog API that shows accepted mail
  connectors:                           # by sender domain; the level for all other senders is opportunistic
    - from: "*.required.test"           # *. stands for any name below; remove what the gateway does not have
      tls: required                     # or opportunistic
    - from: "*.partner.test"
      tls: required
      clientCertificate: gateway.partner.test   # name that the client's certificate must have

# The gateway as a sender.
outbound:
  submit: 127.0.0.1:2587                # where the suite gives it messages to send (SMTP, with STARTTLS if offered)
  sender: probe@gateway.test            # the sender of these messages
  partner: 127.0.0.1:2625               # where it delivers mail for the domains below: the suite listens here
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
      #partner: 127.0.0.1:2626          # for this connector alone: its examples run side by side with others
  settle: 5s                            # so long after the last sign of it, a message counts as held back

#profiles: [exchange-online-2021]       # what is judged (default: what \`mail-tls check\` judges)
#deviations: ./deviations.yaml          # recorded deviations; \`mail-tls check --write-deviations\` proposes them
pki: ./pki                              # authorities of the suite: the gateway must trust pki/root.pem,
                                        # and must not trust pki/other-root.pem
`
}
