import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { isIPv4, isIPv6 } from 'node:net'
import { dirname, isAbsolute, join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import { InputError } from '../input-error.ts'
import type { MailhogAddress } from '../lab/mailhog.ts'
import { type Catalogue, loadCatalogue, type Profile } from '../verdicts/catalogue.ts'
import type { Endpoint } from '../wire/smtp.ts'
import { type KeyPath, readYaml, type YamlFile } from '../yaml-file.ts'
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
  const file = readYaml(path, schema)
  const { value } = file
  const reader = new Reader(file)
  const beside = (name: string) => (isAbsolute(name) ? name : join(dirname(path), name))
  reader.at(['name'], () => checkName(value.name))
  if (!value.inbound && !value.outbound)
    throw file.problem([], 'neither inbound nor outbound is there, so nothing could be tested')
  const { inbound, outbound, profiles, deviations, pki = './pki' } = value
  const made: GatewayFile = {
    path,
    name: value.name,
    ...(inbound ? { inbound: inboundSide(inbound, reader, beside) } : {}),
    ...(outbound ? { outbound: outboundSide(outbound, reader) } : {}),
    ...(profiles ? { profiles: profiles as Profile[] } : {}),
    ...(deviations === undefined ? {} : { deviations: beside(deviations) }),
    pki: beside(pki),
  }
  for (const [index, name] of (profiles ?? []).entries())
    reader.at(['profiles', index], () => catalogue.inProfile(name))
  reader.at(['deviations'], () => made.deviations !== undefined && mustBe('file', made.deviations))
  reader.at(['pki'], () => mustBe('directory', made.pki, '; mail-tls init creates it'))
  return made
}

function inboundSide(
  written: NonNullable<Written['inbound']>,
  { at }: Reader,
  beside: (name: string) => string,
): InboundSide {
  const { address, hostname, trust, recipient, mailbox, connectors = [] } = written
  const key = (name: string) => ['inbound', name]
  return {
    address: at(key('address'), () => parseEndpoint(address)),
    hostname: at(key('hostname'), () => checkHostname(hostname)),
    ...(trust === undefined ? {} : { trust: at(key('trust'), () => readRoots(beside(trust))) }),
    recipient: at(key('recipient'), () => checkAddress(recipient)),
    ...(mailbox === undefined ? {} : { mailbox: at(key('mailbox'), () => parseMailbox(mailbox)) }),
    connectors: connectors.map(({ from, tls, clientCertificate }, index) => {
      const key = (name: string) => ['inbound', 'connectors', index, name]
      if (clientCertificate !== undefined && tls !== 'required')
        throw at.problem(key('clientCertificate'), 'a certificate can only be asked for with tls: required')
      const earlier = connectors.slice(0, index).map(connector => connector.from)
      return {
        from: at(key('from'), () => unlike(earlier, checkPattern(from))),
        tls,
        ...(clientCertificate === undefined
          ? {}
          : { clientCertificate: at(key('clientCertificate'), () => checkPattern(clientCertificate)) }),
      }
    }),
  }
}
