import { isIPv4 } from 'node:net'
import { dirname, isAbsolute, join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import { type Catalogue, loadCatalogue, type Profile } from '../catalogue/catalogue.ts'
import { InputError } from '../input-error.ts'
import type { MailboxAddress } from '../lab/mailbox/users-mailbox.ts'
import type { AddressRange } from '../lab/partner/address-range.ts'
import type { InboundConnector, OutboundConnector, OutboundLevel } from '../mailflow/mail-flow.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'
import { type At, type KeyPath, readYaml } from '../yaml-file.ts'
import { type Commands, readCommands, type WrittenCommands } from './commands/read-commands.ts'
import schemaJson from './gateway-file.schema.json' with { type: 'json' }
import {
  checkedAddress,
  checkedHostname,
  checkedName,
  checkedNetwork,
  checkedPattern,
  checkedPort,
  existing,
  newIn,
  newPattern,
  newRange,
  parseDuration,
  parseEndpoint,
  parseListen,
  parseMailbox,
  readRoots,
} from './gateway-file-values.ts'
import { readLogin, type SubmitTls, type WrittenLogin } from './login.ts'

/** A gateway that the suite did not start, as a user describes it (docs/gateway-file.md). */
export interface GatewayFile {
  /** Path of the file, or address of the gateway, as the user gave it. */
  readonly path: string
  readonly name: string
  readonly inbound?: InboundSide
  readonly outbound?: OutboundSide
  /** Each partner has an address of its own, to which the DNS leads. */
  readonly names?: NamesSide
  /** The same in the container network of the gateway. */
  readonly lab?: LabSide
  /** Absent: the suite can ask the gateway for nothing but mail. */
  readonly commands?: Commands
  /** Absent: those of the command line, or the default ones. */
  readonly profiles?: readonly Profile[]
  /** Path of the deviations file, which exists. */
  readonly deviations?: string
  /** Path of the folder with the suite's authorities, which exists; for `readAuthorities`. Absent: new ones for each run. */
  readonly pki?: string
}

/** The gateway as a receiver. */
export interface InboundSide {
  readonly address: Endpoint
  /** The name that a client expects in the certificate. */
  readonly hostname: string
  /** Roots for that certificate, each in PEM. Absent: those of the system. */
  readonly trust?: readonly string[]
  /** Absent: the suite knows nobody for whom the gateway accepts mail. */
  readonly recipient?: string
  readonly mailbox?: MailboxAddress
  readonly connectors: readonly InboundConnector[]
}

/** The gateway as a sender. */
export interface OutboundSide {
  /** Where the gateway accepts the messages that it has to send. */
  readonly submit: Endpoint
  /** Who hands them over, inside TLS. Absent: anybody may. */
  readonly login?: { readonly name: string; readonly password: string }
  /** Absent: STARTTLS in some examples. */
  readonly submitTls?: SubmitTls
  readonly sender: string
  /** Where the gateway delivers mail for connectors that name no address; empty where the DNS says it. */
  readonly partner: readonly Endpoint[]
  /** Each with the addresses at which the gateway delivers mail, and at which the suite listens. */
  readonly connectors: readonly (OutboundConnector & { readonly partner: readonly Endpoint[] })[]
  /** How long after the last sign of a message it counts as held back, in ms. */
  readonly settle: number
}

/** How the gateway finds partners. */
export interface NamesSide {
  /** Where the suite answers DNS: an address, on UDP and TCP. */
  readonly listen: Endpoint
  /** Where partners can be. No two overlap. */
  readonly partners: readonly AddressRange[]
  /** At which they listen. */
  readonly port: number
}

/** A container network of the user's, in which the gateway is. */
export interface LabSide {
  readonly network: string
  /** An IPv4 address in the network, which the gateway's resolver asks. */
  readonly resolver: string
  /** What is wrong with a value once the network is known, with its place in the file. */
  problem(part: 'network' | 'resolver', message: string): InputError
}

/** The file as its JSON Schema describes it. */
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
    login?: WrittenLogin
    submitTls?: SubmitTls
    sender: string
    partner?: string | string[]
    connectors: (OutboundConnector & { partner?: string | string[] })[]
    settle?: string | number
  }
  names?: { listen: string; partners: string[]; port?: number }
  lab?: { network: string; resolver: string }
  commands?: WrittenCommands
  profiles?: string[]
  deviations?: string
  pki?: string
}

/** Path of the JSON Schema, for editors. */
export const GATEWAY_FILE_SCHEMA = join(import.meta.dirname, 'gateway-file.schema.json')

let compiled: ValidateFunction<Written> | undefined
/** Not made with `schemaOf`: `partner` may be one address or a list, and a union gives one error message for both. */
const schema = () => {
  compiled ??= new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true }).compile<Written>(schemaJson)
  return compiled
}

const DEFAULT_SETTLE = '5s'

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
  const { name, inbound, outbound, names, lab, commands, profiles, deviations, pki = './pki' } = value
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
    ...(outbound ? { outbound: outboundSide(outbound, names ? 'names' : lab && 'lab', { at, beside }) } : {}),
    ...(names ? { names: namesSide(names, at) } : {}),
    ...(lab ? { lab: labSide(value, at, problem) } : {}),
    ...(commands
      ? {
          commands: readCommands(commands, {
            ...{ at, beside, folder: dirname(path) },
            ...(outbound?.login?.passwordEnv === undefined ? {} : { without: outbound.login.passwordEnv }),
          }),
        }
      : {}),
    ...(profiles ? { profiles: profiles as Profile[] } : {}),
    ...(deviations === undefined
      ? {}
      : { deviations: at(['deviations'], () => existing('file', beside(deviations))) }),
    pki: at(['pki'], () => existing('folder', beside(pki), '; mail-tls init creates it')),
  }
}

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

function outboundSide(
  written: NonNullable<Written['outbound']>,
  named: 'names' | 'lab' | undefined,
  { at, beside }: { at: At; beside: (place: string) => string },
): OutboundSide {
  const { submit, login, submitTls, sender, partner, connectors, settle = DEFAULT_SETTLE } = written
  const seen = new Set<string>()
  const partnerAt = (key: KeyPath, said: string | string[]) => {
    if (named)
      at(key, () => {
        throw new InputError(
          `contradicts ${named}, which gives each partner an address of its own; leave one out`,
        )
      })
    const addresses = new Set<string>()
    const one = (text: string) => {
      const endpoint = parseEndpoint(text)
      newIn(addresses, JSON.stringify(endpoint), 'address')
      return endpoint
    }
    return Array.isArray(said)
      ? said.map((text, index) => at([...key, index], () => one(text)))
      : [at(key, () => one(said))]
  }
  if (partner === undefined && !named)
    at(['outbound'], () => {
      throw new InputError(
        'partner is missing, and so are names and lab, which give each partner an address of its own',
      )
    })
  const everywhere = partner === undefined ? [] : partnerAt(['outbound', 'partner'], partner)
  return {
    submit: at(['outbound', 'submit'], () => parseEndpoint(submit)),
    ...(login ? { login: readLogin(login, { at, beside, submitTls }) } : {}),
    ...(submitTls ? { submitTls } : {}),
    sender: at(['outbound', 'sender'], () => checkedAddress(sender)),
    partner: everywhere,
    connectors: connectors.map(({ to, tls, tlsDomain: name, partner: own, status: said }, index) => {
      const key = (last: string) => ['outbound', 'connectors', index, last]
      const checked = {
        to: at(key('to'), () => newPattern(to, seen)),
        tls,
        partner: own === undefined ? everywhere : partnerAt(key('partner'), own),
        ...(said === undefined ? {} : { status: at(key('status'), () => statusAt(tls, said)) }),
      }
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

function statusAt(tls: OutboundLevel, status: NonNullable<OutboundConnector['status']>) {
  if (tls === 'certificate-validation' || tls === 'domain-validation') return status
  throw new InputError('needs tls: certificate-validation or domain-validation in the same connector')
}

/** The suite's own name servers have no zone but `test`. */
function labSide(written: Written, at: At, problem: (key: KeyPath, message: string) => InputError): LabSide {
  const { network, resolver } = written.lab!
  const { inbound, outbound } = written
  if (written.names) throw problem(['lab'], 'contradicts names; leave one out')
  const named: [KeyPath, string | undefined][] = [
    [['inbound', 'recipient'], inbound?.recipient],
    [['outbound', 'sender'], outbound?.sender],
    ...(inbound?.connectors ?? []).map(({ from }, i): [KeyPath, string] => [
      ['inbound', 'connectors', i, 'from'],
      from,
    ]),
    ...(outbound?.connectors ?? []).map(({ to }, i): [KeyPath, string] => [
      ['outbound', 'connectors', i, 'to'],
      to,
    ]),
  ]
  for (const [key, name] of named)
    if (name !== undefined && !/\.test$/i.test(name))
      throw problem(key, 'must be below test, because with lab the suite answers for no other names')
  return {
    network: at(['lab', 'network'], () => checkedNetwork(network)),
    resolver: at(['lab', 'resolver'], () => {
      if (isIPv4(resolver)) return resolver
      throw new InputError('must be an IPv4 address in the network')
    }),
    problem: (part, message) => problem(['lab', part], message),
  }
}

function namesSide({ listen, partners, port = 25 }: NonNullable<Written['names']>, at: At): NamesSide {
  const ranges: AddressRange[] = []
  for (const [index, text] of partners.entries())
    ranges.push(at(['names', 'partners', index], () => newRange(text, ranges)))
  const family = ranges.some(one => one.family === 'IPv4') ? 'IPv4' : 'IPv6'
  const size = ranges.reduce((sum, one) => sum + (one.family === family ? one.size : 0), 0)
  // One is the author's of the messages that the gateway is to send.
  if (size < 2)
    at(['names', 'partners'], () => {
      throw new InputError(`must be two ${family} addresses at least`)
    })
  return {
    listen: at(['names', 'listen'], () => parseListen(listen)),
    partners: ranges,
    port: at(['names', 'port'], () => checkedPort(port)),
  }
}
