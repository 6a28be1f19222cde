import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { isIPv4, isIPv6 } from 'node:net'
import { dirname, isAbsolute, join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import { InputError } from '../input-error.ts'
import type { MailhogAddress } from '../lab/mailhog.ts'
import { type Catalogue, loadCatalogue, type Profile } from '../verdicts/catalogue.ts'
import type { Endpoint } from '../wire/smtp.ts'
import { type KeyPath, readYaml } from '../yaml-file.ts'
import schemaJson from './gateway-file.schema.json' with { type: 'json' }
import type { InboundConnector, OutboundConnector } from './mail-flow.ts'

/** A gateway that the suite did not start, as its user describes it (design contract, section 7). */
export interface GatewayFile {
  /** As it was given. */
  readonly path: string
  readonly name: string
  readonly inbound?: InboundSide
  readonly outbound?: OutboundSide
  /** Absent: what the command line or the defaults say. */
  readonly profiles?: readonly Profile[]
  /** Path of an existing file. */
  readonly deviations?: string
  /** Path of an existing folder, for `readAuthorities`. */
  readonly pki: string
}

/** The gateway as a receiver. */
export interface InboundSide {
  readonly address: Endpoint
  /** The name that a sender expects in the certificate. */
  readonly hostname: string
  /** Roots for that certificate, PEM, one each; absent: the system's. */
  readonly trust?: readonly string[]
  readonly recipient: string
  readonly mailbox?: MailhogAddress
  readonly connectors: readonly InboundConnector[]
}

/** The gateway as a sender. */
export interface OutboundSide {
  /** Where it takes the messages that it is to send on. */
  readonly submit: Endpoint
  readonly sender: string
  /** Where it delivers mail for the domains of its connectors: the suite listens there. At least one. */
  readonly partner: readonly Endpoint[]
  readonly connectors: readonly OutboundConnector[]
  /** How long after its last sign a message counts as held back, in ms. */
  readonly settle: number
}

/** The file as its schema has it. */
interface Written {
  name: string
  inbound?: {
    address: string
    hostname: string
    trust?: string
    recipient: string
    mailbox?: string
    connectors?: InboundConnector[]
  }
  outbound?: {
    submit: string
    sender: string
    partner: string | string[]
    connectors: OutboundConnector[]
    settle?: string | number
  }
  profiles?: string[]
  deviations?: string
  pki?: string
}

/** Where the schema is, for editors. */
export const GATEWAY_FILE_SCHEMA = join(import.meta.dirname, 'gateway-file.schema.json')

let compiled: ValidateFunction<Written> | undefined
/** Not `schemaOf`: `partner` may be one address or a list, and a union is what gives one message for both. */
const schema = () => {
  compiled ??= new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true }).compile<Written>(schemaJson)
  return compiled
}

const DEFAULT_SETTLE = '5s'
const SHORTEST_SETTLE = 100
const LONGEST_SETTLE = 10 * 60_000
/** In bytes; the system's whole store is about 200 kB. */
const MAX_TRUST = 4 * 1024 * 1024

/**
 * Reads a gateway file. Throws InputError, each line `file:line:column: key: what is wrong`, when it does not fit its
 * schema, a value is not what it should be, or a file that it names is not there. Connects to nothing. No message
 * repeats a value in which credentials may stand.
 */
export function loadGatewayFile(
  path: string,
  { catalogue = loadCatalogue() }: { catalogue?: Catalogue } = {},
): GatewayFile {
  const { value, problem } = readYaml(path, schema)
  const { name, inbound, outbound, profiles, deviations, pki = './pki' } = value
  const at: At = (key, read) => {
    try {
      return read()
    } catch (error) {
      throw error instanceof InputError ? problem(key, error.message) : error
    }
  }
  const beside = (place: string) => (isAbsolute(place) ? place : join(dirname(path), place))
  if (!inbound && !outbound)
    throw problem([], 'neither inbound nor outbound is there, so nothing could be tested')
  for (const [index, profile] of (profiles ?? []).entries())
    at(['profiles', index], () => catalogue.inProfile(profile))
  return {
    path,
    name: at(['name'], () => checkedName(name)),
    ...(inbound ? { inbound: inboundSide(inbound, at, beside) } : {}),
    ...(outbound ? { outbound: outboundSide(outbound, at) } : {}),
    ...(profiles ? { profiles: profiles as Profile[] } : {}),
    ...(deviations === undefined
      ? {}
      : { deviations: at(['deviations'], () => existing('file', beside(deviations))) }),
    pki: at(['pki'], () => existing('folder', beside(pki), '; mail-tls init creates it')),
  }
}

/** Reads one value; whatever InputError that throws is told with the key's place in the file. */
type At = <T>(key: KeyPath, read: () => T) => T

function inboundSide(
  written: NonNullable<Written['inbound']>,
  at: At,
  beside: (place: string) => string,
): InboundSide {
  const { address, hostname, trust, recipient, mailbox, connectors = [] } = written
  const seen = new Set<string>()
  return {
    address: at(['inbound', 'address'], () => parseEndpoint(address)),
    hostname: at(['inbound', 'hostname'], () => checkedHostname(hostname)),
    ...(trust === undefined ? {} : { trust: at(['inbound', 'trust'], () => readRoots(beside(trust))) }),
    recipient: at(['inbound', 'recipient'], () => checkedAddress(recipient)),
    ...(mailbox === undefined ? {} : { mailbox: at(['inbound', 'mailbox'], () => parseMailbox(mailbox)) }),
    connectors: connectors.map(({ from, tls, clientCertificate: name }, index) => {
      const key = (last: string) => ['inbound', 'connectors', index, last]
      const checked = { from: at(key('from'), () => newPattern(from, seen)), tls }
      if (name === undefined) return checked
      const clientCertificate = at(key('clientCertificate'), () => {
        if (tls !== 'required') throw new InputError('needs tls: required in the same connector')
        return checkedPattern(name)
      })
      return { ...checked, clientCertificate }
    }),
  }
}

function outboundSide(written: NonNullable<Written['outbound']>, at: At): OutboundSide {
  const { submit, sender, partner, connectors, settle = DEFAULT_SETTLE } = written
  const seen = new Set<string>()
  const partners = new Set<string>()
  const partnerAt = (text: string) => {
    const endpoint = parseEndpoint(text)
    newIn(partners, JSON.stringify(endpoint), 'address')
    return endpoint
  }
  return {
    submit: at(['outbound', 'submit'], () => parseEndpoint(submit)),
    sender: at(['outbound', 'sender'], () => checkedAddress(sender)),
    partner: Array.isArray(partner)
      ? partner.map((text, index) => at(['outbound', 'partner', index], () => partnerAt(text)))
      : [at(['outbound', 'partner'], () => partnerAt(partner))],
    connectors: connectors.map(({ to, tls, tlsDomain: name }, index) => {
      const key = (last: string) => ['outbound', 'connectors', index, last]
      const checked = { to: at(key('to'), () => newPattern(to, seen)), tls }
      if (name === undefined) return checked
      const tlsDomain = at(key('tlsDomain'), () => {
        if (tls !== 'domain-validation')
          throw new InputError('needs tls: domain-validation in the same connector')
        return checkedPattern(name)
      })
      return { ...checked, tlsDomain }
    }),
    settle: at(['outbound', 'settle'], () => parseDuration(settle)),
  }
}

/**
 * `host:port`, where host is a name, an IPv4 address or an IPv6 address in brackets, which it loses. The port may be
 * left out where there is a default for it. Throws InputError, which does not repeat the text.
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
  if (port < 1 || port > 65_535) throw new InputError('its port must be from 1 to 65535')
  return { host: ipv6 ?? name, port }
}

const ENDPOINT = 'host:port, such as 127.0.0.1:2525 or [::1]:2525'

/** Host names of RFC 1123 s2.1, and underscores, which container networks have; no address is one. */
function isHostname(text: string): boolean {
  const labels = text.split('.')
  const fits = labels.every(label => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label))
  return fits && text.length <= 253 && !/^\d+$/.test(labels.at(-1)!)
}

function checkedHostname(text: string): string {
  if (isHostname(text)) return text.toLowerCase()
  const foreign = /[^\x20-\x7e]/.test(text) ? '; write it as the DNS has it, with xn--' : ''
  throw new InputError(`must be a host name, such as mx.gateway.test${foreign}`)
}

/** A domain, or `*.` in front of one, in small letters. */
function checkedPattern(text: string): string {
  if (isHostname(text.replace(/^\*\./, ''))) return text.toLowerCase()
  throw new InputError('must be a domain, or *. in front of one, such as partner.test or *.partner.test')
}

function newPattern(text: string, seen: Set<string>): string {
  return newIn(seen, checkedPattern(text), 'domain')
}

function newIn(seen: Set<string>, value: string, what: string): string {
  if (seen.has(value)) throw new InputError(`is the same ${what} as one before`)
  seen.add(value)
  return value
}

/** Dot-string of RFC 5321 s4.1.2; quoted local parts are not for a test. */
function checkedAddress(text: string): string {
  const [, local = '', domain = ''] = /^(.*)@([^@]*)$/.exec(text) ?? []
  const fits = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/.test(local) && local.length <= 64
  if (fits && isHostname(domain)) return `${local}@${domain.toLowerCase()}`
  throw new InputError('must be a mail address, such as inbox@gateway.test')
}

/** Reports go to a folder of this name. */
function checkedName(text: string): string {
  if (/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u.test(text)) return text
  throw new InputError('must be 1 to 64 letters, digits, blanks, dots, hyphens or underscores, no sign first')
}

/** In ms. */
function parseDuration(text: string | number): number {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m)$/.exec(String(text)) ?? []
  if (unit === undefined) throw new InputError('must be a number with ms, s or m, such as 5s')
  const duration = Number(number) * { ms: 1, s: 1_000, m: 60_000 }[unit as 'ms' | 's' | 'm']
  if (duration >= SHORTEST_SETTLE && duration <= LONGEST_SETTLE) return duration
  throw new InputError('must be from 100ms to 10m')
}

function parseMailbox(text: string): MailhogAddress {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash)
    throw new InputError('must be the http or https address of a MailHog, such as http://127.0.0.1:8025')
  const credentials = [url.username, url.password].map(decoded).join(':')
  return {
    url: url.origin + url.pathname.replace(/\/+$/, ''),
    ...(credentials === ':'
      ? {}
      : { authorization: `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}` }),
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new InputError('its name and password must be written as in a URL, with %25 for a percent sign')
  }
}

/** The certificates of a PEM file, one text each; whatever else is in it is passed over. */
function readRoots(place: string): string[] {
  if (statSync(existing('file', place)).size > MAX_TRUST)
    throw new InputError(`${place} has more than ${MAX_TRUST} bytes`)
  const text = readable(place)
  const roots = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (roots.length === 0) throw new InputError(`${place} holds no certificate in PEM`)
  for (const [index, root] of roots.entries())
    try {
      new X509Certificate(root)
    } catch {
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

function existing(kind: 'file' | 'folder', place: string, advice = ''): string {
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
