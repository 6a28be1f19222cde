import { X509Certificate } from 'node:crypto'
import { basename } from 'node:path'
import { getCACertificates } from 'node:tls'
import { GatewayFailure } from '../gateway-failure.ts'
import type { Capability } from '../mailflow/capabilities.ts'
import { missingConnector } from '../mailflow/connectors.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { readAuthorities } from '../pki/authority-files.ts'
import type { Gateway } from './gateway.ts'
import type { GatewayFile } from './gateway-file.ts'
import type { GatewaySource } from './source.ts'

/** The source of a gateway that runs already and that a file describes. */
export interface ExternalSource extends GatewaySource {
  readonly kind: 'external'
  readonly file: GatewayFile
  /** The mail flow that the file describes, in place of the standard one. `start` takes no other. */
  readonly flow: MailFlow
  /** Why the gateway is not tested as a sender or as a receiver, or nothing when it is. */
  untested(role: 'sender' | 'receiver'): string | undefined
}

/** Capabilities that such a gateway never has, because the suite cannot log in to it, read its log or change it. */
const BEYOND_A_FILE: Partial<Record<Capability, string>> = {
  submission: 'a gateway file holds no passwords, so nobody can log in to submit mail',
  retry: 'nothing but the gateway itself can tell when it tries queued mail again',
  expiry: 'nothing but the gateway itself can tell when it gives queued mail up',
  'tls12-only': 'the suite cannot tell a gateway that it did not start which versions to speak',
  'forward-secrecy-only': 'the suite cannot tell a gateway that it did not start which key exchange to use',
  'session-log': 'the suite cannot read the log of a gateway that it did not start',
  'forced-tls-inbound': 'the suite cannot make a gateway that it did not start require TLS of every client',
  'client-certificate-outbound':
    'a gateway file does not say which certificate the gateway shows as a sender',
}

/**
 * The source of the one gateway that a file describes. Connects to nothing and starts nothing. Throws InputError when
 * the suite's authorities cannot be read.
 */
export function external(file: GatewayFile): ExternalSource {
  const flow = flowOf(file)
  const where = basename(file.path)
  return {
    name: file.name,
    kind: 'external',
    ...(file.deviations === undefined ? {} : { deviations: file.deviations }),
    file,
    flow,
    ...(file.profiles ? { profiles: file.profiles } : {}),
    lacks: capability => BEYOND_A_FILE[capability] ?? missingConnector(flow, capability, where),
    untested(role) {
      const side = role === 'sender' ? 'outbound' : 'inbound'
      return file[side] ? undefined : `no ${side} in ${where}`
    },
    async start(asked) {
      if (asked !== flow)
        throw new GatewayFailure(`${file.name} was not started by the suite, which cannot set it up anew`)
      return new ExternalGateway(file, flow)
    },
  }
}

/** What the file does not say, such as the gateway's key, is empty. */
function flowOf({ inbound, outbound, pki }: GatewayFile): MailFlow {
  const domain = (inbound?.recipient ?? outbound!.sender).split('@')[1]!
  return {
    hostname: inbound?.hostname ?? domain,
    domain,
    recipient: inbound?.recipient ?? `nobody@${domain}`,
    sender: outbound?.sender ?? `nobody@${domain}`,
    identity: { key: '', certificate: '' },
    trust: [readAuthorities(pki).root.certificate],
    // Reading the roots of the system takes a while.
    sendersTrust: inbound ? (inbound.trust ?? systemRoots()) : [],
    minVersion: 'TLSv1.2',
    inbound: [...(inbound?.connectors ?? [])],
    outbound: (outbound?.connectors ?? []).map(({ partner: _, ...connector }) => connector),
    users: [],
    attempts: Number.POSITIVE_INFINITY,
    network: { resolver: '', partnerPort: 0 },
  }
}

/** The roots of the system without intermediates, which would fill a gap in the chain that the gateway shows. */
function systemRoots(): string[] {
  return getCACertificates('system').filter(pem => {
    const certificate = new X509Certificate(pem)
    return certificate.checkIssued(certificate)
  })
}

/**
 * A gateway whose log and queue the suite cannot read. What becomes of its mail is seen on the wire and in the
 * mailbox.
 */
class ExternalGateway implements Gateway {
  readonly kind = 'external'
  readonly version = 'unknown'
  readonly library = 'unknown'
  readonly events = []
  readonly settle: number
  readonly flow: MailFlow
  readonly #file: GatewayFile

  constructor(file: GatewayFile, flow: MailFlow) {
    this.#file = file
    this.flow = flow
    this.settle = file.outbound?.settle ?? 0
  }

  get name() {
    return this.#file.name
  }

  get inbound() {
    return this.#side('inbound').address
  }

  get submission() {
    return this.#side('outbound').submit
  }

  /** Throws where the file leaves a side out, which `untested` tells before. */
  #side<S extends 'inbound' | 'outbound'>(side: S): NonNullable<GatewayFile[S]> {
    const found = this.#file[side]
    if (!found) throw new Error(`${this.#file.path} says nothing about ${side} mail`)
    return found
  }

  watch() {
    return () => {}
  }

  sessions() {
    return []
  }

  log() {
    return []
  }

  /** Does nothing: the gateway tries again by itself. */
  async retry() {}

  async change(): Promise<never> {
    throw new GatewayFailure(`${this.name} was not started by the suite, which cannot change it`)
  }

  async stop() {}
}
