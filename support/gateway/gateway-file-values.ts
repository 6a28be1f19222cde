import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { InputError } from '../input-error.ts'
import type { ImapAddress } from '../lab/mailbox/imap.ts'
import type { MailboxAddress } from '../lab/mailbox/users-mailbox.ts'
import { AddressRange } from '../lab/partner/address-range.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'

// Single values of a gateway file, read and checked. Each throws InputError that says what it must be, and repeats
// none in which credentials may stand.

const SHORTEST_SETTLE = 100
const LONGEST_SETTLE = 10 * 60_000
/** Largest file of certificates, in bytes. All roots of a system have about 200 kB. */
const MAX_TRUST = 4 * 1024 * 1024

/**
 * Reads `host:port`, where host is a name, an IPv4 address, or an IPv6 address in brackets. The result has no
 * brackets. The port may be left out where it has a default. Throws InputError that does not repeat the text.
 */
export function parseEndpoint(text: string, defaultPort?: number): Endpoint {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::(\d+))?$/.exec(text)
  if (!match) {
    const bare = isIPv6(text) || isIPv6(text.replace(/:\d+$/, ''))
    throw new InputError(
      bare ? 'an IPv6 address stands in brackets, such as [::1]:2525' : `must be ${ENDPOINT}`,
    )
  }
  const [, ipv6, name = '', digits] = match
  if (ipv6 !== undefined && !isIPv6(ipv6)) throw new InputError('what is in brackets must be an IPv6 address')
  if (ipv6 === undefined && !isIPv4(name) && !isHostname(name))
    throw new InputError(`its host is neither a name nor an address; must be ${ENDPOINT}`)
  const port = digits === undefined ? defaultPort : Number(digits)
  if (port === undefined) throw new InputError(`its port is missing; must be ${ENDPOINT}`)
  if (!isPort(port)) throw new InputError('its port must be from 1 to 65535')
  return { host: ipv6 ?? name, port }
}

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535

export function checkedPort(port: number): number {
  if (!isPort(port)) throw new InputError('must be a port from 1 to 65535')
  return port
}

/** Reads `host:port` whose host is an address, not a name. */
export function parseListen(text: string): Endpoint {
  const endpoint = parseEndpoint(text)
  if (isIP(endpoint.host) === 0)
    throw new InputError('its host must be an address of this machine, not a name')
  return endpoint
}

/** Reads a prefix, an IPv6 one with brackets around its address or without, that overlaps none of `others`. */
export function newRange(text: string, others: readonly AddressRange[]): AddressRange {
  const range = rangeOf(text.replace(/^\[([^[\]]*)\]/, '$1'))
  const index = others.findIndex(one => one.overlaps(range))
  if (index >= 0) throw new InputError(`has addresses of names.partners[${index}]`)
  return range
}

function rangeOf(text: string): AddressRange {
  try {
    return new AddressRange(text)
  } catch {
    throw new InputError('must be addresses in CIDR form, such as 127.0.16.0/20 or [fd00:1::]/112')
  }
}

const ENDPOINT = 'host:port, such as 127.0.0.1:2525 or [::1]:2525'

/** A host name as in RFC 1123 s2.1, or with underscores, as in container networks. An address is none. */
function isHostname(text: string): boolean {
  const labels = text.split('.')
  const fits = labels.every(label => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label))
  return fits && text.length <= 253 && !/^\d+$/.test(labels.at(-1)!)
}

export function checkedHostname(text: string): string {
  if (isHostname(text)) return text.toLowerCase()
  const foreign = /[^\x20-\x7e]/.test(text) ? '; write it as the DNS has it, with xn--' : ''
  throw new InputError(`must be a host name, such as mx.gateway.test${foreign}`)
}

/** Reads a domain, or one with `*.` before it. The result is in small letters. */
export function checkedPattern(text: string): string {
  if (isHostname(text.replace(/^\*\./, ''))) return text.toLowerCase()
  throw new InputError('must be a domain, or *. in front of one, such as partner.test or *.partner.test')
}

export function newPattern(text: string, seen: Set<string>): string {
  return newIn(seen, checkedPattern(text), 'domain')
}

export function newIn(seen: Set<string>, value: string, what: string): string {
  if (seen.has(value)) throw new InputError(`is the same ${what} as one before`)
  seen.add(value)
  return value
}

/** Reads an address whose local part is a Dot-string of RFC 5321 s4.1.2. A quoted local part is refused. */
export function checkedAddress(text: string): string {
  const [, local = '', domain = ''] = /^(.*)@([^@]*)$/.exec(text) ?? []
  const fits = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/.test(local) && local.length <= 64
  if (fits && isHostname(domain)) return `${local}@${domain.toLowerCase()}`
  throw new InputError('must be a mail address, such as inbox@gateway.test')
}

/** Reads the name of the gateway, which is also the name of a folder for reports. */
export function checkedName(text: string): string {
  if (/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u.test(text)) return text
  throw new InputError('must be 1 to 64 letters, digits, blanks, dots, hyphens or underscores, no sign first')
}

/** Reads the name of a container network. */
export function checkedNetwork(text: string): string {
  if (/^[a-z0-9][a-z0-9_.-]{0,127}$/i.test(text)) return text
  throw new InputError('must be the name of a container network, such as mail-test_default')
}

/** Reads a duration, in ms. */
export function parseDuration(text: string | number): number {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m)$/.exec(String(text)) ?? []
  const duration = Number(number) * ({ ms: 1, s: 1_000, m: 60_000 }[unit ?? ''] ?? Number.NaN)
  if (duration >= SHORTEST_SETTLE && duration <= LONGEST_SETTLE) return duration
  throw new InputError('must be a number with ms, s or m, from 100ms to 10m')
}

export function parseMailbox(text: string): MailboxAddress {
  const [, listen] = /^smtp:\/\/([^/]*)\/?$/.exec(text) ?? []
  if (listen !== undefined) return { url: `smtp://${listen}`, listen: parseEndpoint(listen) }
  const url = URL.parse(text)
  if (!url?.hostname || !/^(https?|imaps?):$/.test(url.protocol) || url.search || url.hash)
    throw new InputError(
      'must be an address at which the suite takes the mail, such as smtp://127.0.0.1:1025, the http or https address of a MailHog or Mailpit, such as http://127.0.0.1:8025, or an IMAP folder, such as imaps://user:password@mail.test/INBOX',
    )
  if (url.protocol.startsWith('imap')) return imapAddress(url)
  const credentials = [url.username, url.password].map(decoded).join(':')
  return {
    url: url.origin + url.pathname.replace(/\/+$/, ''),
    ...(credentials === ':'
      ? {}
      : { authorization: `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}` }),
  }
}

function imapAddress({ protocol, host, pathname, username, password }: URL): ImapAddress {
  const user = decoded(username)
  if (user === '')
    throw new InputError('an IMAP mailbox needs a user and a password: imap://user:password@HOST/INBOX')
  return { url: `${protocol}//${host}${pathname.replace(/\/+$/, '')}`, user, password: decoded(password) }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new InputError('its name and password must be written as in a URL, with %25 for a percent sign')
  }
}

/** The certificates of a PEM file, each as its own text. Everything else in the file is left out. */
export function readRoots(place: string): string[] {
  if (statSync(existing('file', place)).size > MAX_TRUST)
    throw new InputError(`${place} has more than ${MAX_TRUST} bytes`)
  const text = readable(place)
  const roots = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (roots.length === 0) throw new InputError(`${place} holds no certificate in PEM`)
  for (const [index, root] of roots.entries())
    try {
      const certificate = new X509Certificate(root)
      // An intermediate would fill a gap in the chain that the gateway shows.
      if (!certificate.checkIssued(certificate))
        throw new InputError(`certificate ${index + 1} of ${place} is no root: another one issued it`)
    } catch (error) {
      if (error instanceof InputError) throw error
      throw new InputError(`certificate ${index + 1} of ${place} cannot be read`)
    }
  return roots.map(root => `${root}\n`)
}

function readable(place: string): string {
  try {
    return readFileSync(place, 'utf8')
  } catch (error) {
    throw new InputError((error as Error).message)
  }
}

export function existing(kind: 'file' | 'folder', place: string, advice = ''): string {
  const found = stat(place)
  if (!found) throw new InputError(`there is no ${kind} ${place}${advice}`)
  if (kind === 'file' ? !found.isFile() : !found.isDirectory())
    throw new InputError(`${place} is not a ${kind}${advice}`)
  return place
}

function stat(place: string) {
  try {
    return statSync(place, { throwIfNoEntry: false })
  } catch (error) {
    throw new InputError((error as Error).message)
  }
}
