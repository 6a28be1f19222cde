import { lstatSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { GATEWAY_FILE_SCHEMA } from '../gateway/gateway-file.ts'
import { InputError } from '../input-error.ts'
import { AUTHORITY_FILES, writeAuthorities } from '../pki/authority-files.ts'

/**
 * Writes a commented gateway file and the authorities of the suite in `pki/` beside it, each only if it is not there
 * yet, and returns what was done and what comes next, for a person. Throws InputError when both are there already or
 * something cannot be written.
 */
export function init(file = 'gateway.yaml'): string {
  const pki = join(dirname(file), 'pki')
  const wrote = { [file]: writeNew(file), [`${pki}${sep}`]: writePki(pki) }
  const named = (written: boolean) => Object.keys(wrote).filter(name => wrote[name] === written)
  const [fresh, left] = [named(true), named(false)]
  if (fresh.length === 0)
    throw new InputError(`${left.join(' and ')} are there already and are not overwritten`)
  const root = join(pki, AUTHORITY_FILES.root.certificate)
  const other = join(pki, AUTHORITY_FILES.other.certificate)
  return `${[
    `Wrote ${fresh.join(' and ')}.`,
    ...left.map(name => `Left ${name} as it was.`),
    '',
    'Next:',
    `1. Let the gateway trust ${root}, and not ${other}:`,
    '   partners show it certificates of both. Who has the keys beside them can issue',
    '   what the gateway accepts: trust them in a gateway under test only. Git leaves',
    `   them out (${join(pki, '.gitignore')}).`,
    `2. Edit ${file}: where the gateway is, which connectors it has, and`,
    '   where it delivers mail for their domains. Everything is explained there.',
    `3. See what would be judged: mail-tls check ${file} --dry-run`,
    `4. Judge it: mail-tls check ${file}`,
  ].join('\n')}\n`
}

/** Whether it was written; nothing that is there is touched. */
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

/** The authorities, which Git leaves out: their keys are private. Whether they were written. */
function writePki(folder: string): boolean {
  const written = writeAuthorities(folder)
  if (written) writeFileSync(join(folder, '.gitignore'), '*\n')
  return written
}

/** From the file to the schema of this package, whether that is a checkout or below node_modules. */
function schemaReference(file: string): string {
  return relative(dirname(resolve(file)), GATEWAY_FILE_SCHEMA).replaceAll(sep, '/')
}

/** A key right behind `#` may be had by taking the `#` away. */
function template(file: string): string {
  return `# yaml-language-server: $schema=${schemaReference(file)}
#
# A mail gateway for \`mail-tls check\`. A key right behind a # is optional: take the # away to use it.
# Paths are relative to this file. Addresses are host:port, IPv6 in brackets and in quotes: "[::1]:2525".

name: edge-gateway                      # what reports call it

# The gateway as a receiver. Leave out inbound or outbound if you do not want it tested.
inbound:
  address: 127.0.0.1:2525               # where it takes mail from other servers
  hostname: mx.gateway.test             # the name that a sender expects in its certificate
  #trust: ./gateway-ca.pem              # roots for that certificate (default: those of the system)
  recipient: inbox@gateway.test         # an address that it accepts mail for
  #mailbox: http://127.0.0.1:8025       # MailHog API in which accepted mail can be seen
  connectors:                           # by sender domain; every other sender is served opportunistically
    - from: "*.required.test"           # *. in front: any name below; leave out what the gateway does not have
      tls: required                     # or opportunistic
    - from: "*.partner.test"
      tls: required
      clientCertificate: gateway.partner.test   # name that the sender's certificate must carry

# The gateway as a sender.
outbound:
  submit: 127.0.0.1:2587                # where the suite hands it messages to send on (plain SMTP or STARTTLS)
  sender: probe@gateway.test            # their sender
  partner: 127.0.0.1:2625               # where it delivers mail for the domains below: the suite listens here
  connectors:                           # by recipient domain; the suite makes up names below each pattern
    - to: "*.opportunistic.test"        # *. in front: any name below; leave out what the gateway does not have
      tls: opportunistic                # TLS if the partner offers it
    - to: "*.encrypted.test"
      tls: encryption-only              # TLS, whatever the certificate
    - to: "*.trusted.test"
      tls: certificate-validation       # TLS with a valid chain, whatever the name
    - to: "*.verified.test"
      tls: domain-validation            # TLS with a valid chain and the right name
      #tlsDomain: mail.partner.test     # that name, where it is not the recipient's own (Exchange's TlsDomain)
      #partner: 127.0.0.1:2626          # of this connector alone: examples run side by side with others
  settle: 5s                            # how long after its last sign a message counts as held back

#profiles: [exchange-online-2021]       # what is judged (default: what \`mail-tls check\` judges)
#deviations: ./deviations.yaml          # known deviations; \`mail-tls check --write-deviations\` proposes them
pki: ./pki                              # authorities of the suite: the gateway must trust pki/root.pem,
                                        # and must not trust pki/other-root.pem
`
}
