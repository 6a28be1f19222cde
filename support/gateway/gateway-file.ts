import { dirname, isAbsolute, join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import { type Catalogue, loadCatalogue, type Profile } from '../catalogue/catalogue.ts'
import { InputError } from '../input-error.ts'
import type { MailhogAddress } from '../lab/mailbox/mailhog.ts'
import type { InboundConnector, OutboundConnector } from '../mailflow/mail-flow.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'
import { type KeyPath, readYaml } from '../yaml-file.ts'
import schemaJson from './gateway-file.schema.json' with { type: 'json' }
import {
  checkedAddress,
  checkedHostname,
  checkedName,
  checkedPattern,
  existing,
  newIn,
  newPattern,
  parseDuration,
  parseEndpoint,
  parseMailbox,
  readRoots,
} from './gateway-file-values.ts'

/** A gateway that the suite did not start, as a user describes it (docs/gateway-file.md). */
export interface GatewayFile {
  /** Path of the file as the user gave it. */
  readonly path: string
  readonly name: string
  readonly inbound?: InboundSide
  readonly outbound?: OutboundSide
  /** Absent: those of the command line, or the default ones. */
  readonly profiles?: readonly Profile[]
  /** Path of the deviations file, which exists. */
  readonly deviations?: string
  /** Path of the folder with the suite's authorities, which exists; for `readAuthorities`. */
  readonly pki: string
}

/** The gateway as a receiver. */
export interface InboundSide {
  readonly address: Endpoint
  /** The name that a client expects in the certificate. */
  readonly hostname: string
  /** Roots for that certificate, each in PEM. Absent: those of the system. */
  readonly trust?: readonly string[]
  readonly recipient: string
  readonly mailbox?: MailhogAddress
  readonly connectors: readonly InboundConnector[]
}

/** The gateway as a sender. */
export interface OutboundSide {
  /** Where the gateway accepts the messages that it has to send. */
  readonly submit: Endpoint
  readonly sender: string
  /** Where the gateway delivers mail for connectors that name no address. */
  readonly partner: readonly Endpoint[]
  /** Each with at least one address at which the gateway delivers mail, and at which the suite listens. */
  readonly connectors: readonly (OutboundConnector & { readonly partner: readonly Endpoint[] })[]
  /** How long after the last sign of a message it counts as held back, in ms. */
  readonly settle: number
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
    sender: string
    partner: string | string[]
    connectors: (OutboundConnector & { partner?: string | string[] })[]
    settle?: string | number
  }
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

/** Reads one value. An InputError gets the place of the key in the file. */
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
  const partnerAt = (key: KeyPath, said: string | string[]) => {
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
  const everywhere = partnerAt(['outbound', 'partner'], partner)
  return {
    submit: at(['outbound', 'submit'], () => parseEndpoint(submit)),
    sender: at(['outbound', 'sender'], () => checkedAddress(sender)),
    partner: everywhere,
    connectors: connectors.map(({ to, tls, tlsDomain: name, partner: own }, index) => {
      const key = (last: string) => ['outbound', 'connectors', index, last]
      const checked = {
        to: at(key('to'), () => newPattern(to, seen)),
        tls,
        partner: own === undefined ? everywhere : partnerAt(key('partner'), own),
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
