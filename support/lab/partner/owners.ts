import { freshDomain, STRANGERS } from '../../mailflow/domains.ts'
import { decisive, levelFor, type OutboundLevel } from '../../mailflow/mail-flow.ts'
import type { PartnerOptions } from '../lab.ts'
import type { Partner } from './partner.ts'
import type { SharedAddresses } from './partner-server.ts'

/** What a lab knows of its gateway that tells whose a connection is. */
export interface OwnersOptions {
  /** Of the messages that the gateway is asked to send; default: not known. */
  sender?: string
  connectors?: readonly { to: string; tls: OutboundLevel }[]
}

/** All partners of a lab so far, and which of them have an address now. */
export class Owners implements SharedAddresses {
  readonly greetings = new Set<string>()
  /** By domain and by host name. */
  readonly #known = new Map<string, Partner>()
  readonly #sender: string | undefined
  readonly #connectors: NonNullable<OwnersOptions['connectors']>
  readonly author: () => Partner | undefined
  readonly hasAddress: (partner: Partner) => boolean

  constructor(
    { sender, connectors = [] }: OwnersOptions,
    lab: Pick<Owners, 'hasAddress'> & { author: () => Partner | undefined },
  ) {
    this.#sender = sender?.toLowerCase()
    this.#connectors = connectors
    this.author = lab.author
    this.hasAddress = lab.hasAddress
  }

  add(partner: Partner): void {
    const names = [partner.domain, ...partner.alsoFor, ...partner.hosts.map(({ hostname }) => hostname)]
    for (const name of names) this.#known.set(name.toLowerCase(), partner)
  }

  get all(): Iterable<Partner> {
    return this.#known.values()
  }

  ownerOf(name: string): Partner | undefined {
    return this.#known.get(name.toLowerCase())
  }

  isOwnSender(address: string): boolean {
    return address.toLowerCase() === this.#sender || (this.author()?.expects(address) ?? false)
  }

  isForced(domain: string): boolean {
    return levelFor(this.#connectors, domain) !== 'opportunistic'
  }
}

/**
 * A new domain for the author of the messages that the gateway is to send: a connector leaves TLS for it to the gateway, so
 * that what comes back is seen. Nothing where no such connector has a pattern.
 */
export function authorsDomain(connectors: NonNullable<OwnersOptions['connectors']>): string | undefined {
  const connector = connectors.find(({ to, tls }) => tls === 'opportunistic' && to.startsWith('*.'))
  const domain = connector && freshDomain(connector.to)
  return domain && decisive(connectors, domain) === connector ? domain : undefined
}

/** Makes the partner that stays, which is the author if it can be. Returns its address, for the domains of senders. */
export async function addResident(
  lab: { author: Partner | undefined; partner(options: PartnerOptions): Promise<Partner> },
  connectors: NonNullable<OwnersOptions['connectors']>,
): Promise<string> {
  const domain = authorsDomain(connectors)
  const resident = await lab.partner({
    domain: domain ?? freshDomain(STRANGERS),
    maxConnections: Number.MAX_SAFE_INTEGER,
  })
  if (domain !== undefined) lab.author = resident
  return resident.hosts[0]!.address
}

/** Mail that an earlier partner has not received may still be in the gateway's queue. */
export const mayComeAgain = ({ conversations, messages }: Partner): boolean =>
  conversations.length > 0 && messages.length === 0
