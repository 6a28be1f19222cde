import { freshDomain } from '../mailflow/domains.ts'
import type { Pki } from '../pki/pki.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'
import { Names } from './dns/dns-server.ts'
import {
  changedSpecs,
  exchangersOf,
  hostSpecs,
  isSecondExchanger,
  type Lab,
  type LabWeb,
  type PartnerOptions,
  type TapRequest,
  tapOptions,
  wantsIpv6,
} from './lab.ts'
import { AddressRange, type Family } from './partner/address-range.ts'
import type { Behaviour } from './partner/behaviour.ts'
import { addResident, mayComeAgain, Owners, type OwnersOptions } from './partner/owners.ts'
import { Partner } from './partner/partner.ts'
import { PartnerAddresses } from './partner/partner-addresses.ts'
import { PartnerServer } from './partner/partner-server.ts'
import { LoopbackWeb, type WebPlaces } from './services/loopback-web.ts'

/** Where the lab is, for a gateway of the user's, and what that gateway is told. */
export interface OwnAddresses extends OwnersOptions {
  /** Where partners can be. Those of another interface than loopback must be addresses of this machine. */
  partners: readonly AddressRange[]
  /** On which all partners listen. */
  port: number
  /** Where the lab answers DNS. */
  dns: Endpoint
  /** Domains of senders that have an address in the DNS, for gateways that accept no others: names, or `*.` before one. */
  admitted: readonly string[]
}

/** From 127.64.0.1 on: other programs use lower ones. */
const LOOPBACK = new AddressRange('127.64.0.0/10')
const LOOPBACK_IPV6 = '::1'

/** An example takes fewer addresses than this at a time. */
const ENOUGH = 8

/**
 * The lab without containers: partners on addresses of this machine, and a DNS server that leads to them. By default the
 * addresses are those of 127.64.0.0/10 and `::1`, which partners have in turn.
 */
export class LoopbackLab implements Lab {
  readonly pki: Pki
  readonly leadsAll = true
  readonly leadsTogether = () => true
  readonly freshDomain = freshDomain
  readonly #own: OwnAddresses | undefined
  readonly #names = new Names()
  readonly web: LabWeb | undefined
  readonly #web: LoopbackWeb
  readonly #addresses: PartnerAddresses
  readonly #server: PartnerServer
  readonly #owners: Owners
  /** The addresses that each partner has; with one at which nobody listens. */
  readonly #held = new Map<Partner, readonly string[]>()
  /** Who had an address that may be given to another partner. */
  readonly #before = new Map<string, Partner[]>()
  /** The DNS servers of gateways with a tap in front of them. */
  readonly #views: Names[] = []
  dnsPort = 0
  /** The partner that receives the mail which gateways accept for their own domains. */
  inbox: Partner | undefined
  /**
   * The mail server of those who write the messages that the gateway is to send: what comes back is seen there. Absent where
   * the gateway itself tells, and where no connector leaves TLS to the gateway.
   */
  author: Partner | undefined

  constructor(pki: Pki, own?: OwnAddresses) {
    this.pki = pki
    this.#own = own
    this.#addresses = new PartnerAddresses(own?.partners ?? [LOOPBACK])
    this.#owners = new Owners(own ?? {}, {
      author: () => this.author,
      hasAddress: partner => this.#held.has(partner),
    })
    this.#server = new PartnerServer(this.#owners)
    const places = own && webPlaces(this.#addresses.ranges)
    const lead = (host: string, address: string | undefined) => this.#names.setAddress(host, address)
    const asked = (domain: string) => this.#names.askedBelow(domain)
    this.#web = new LoopbackWeb(lead, places && { places, asked })
    this.web = own && !places ? undefined : this.#web
  }

  get room(): number {
    return this.#addresses.size(this.#usual) - this.#residents
  }

  /** Partners that stay. */
  get #residents(): number {
    return this.#own ? 1 : 0
  }

  get port(): number {
    return this.#server.port
  }

  get strays(): number {
    return this.#server.strays
  }

  get places(): Lab['places'] {
    const { room } = this
    return [
      ...(room >= ENOUGH ? (['at its second mail exchanger'] as const) : []),
      ...(this.#addresses.size('IPv6') > 0 ? (['at an IPv6 address'] as const) : []),
    ]
  }

  /** Of partners that need no other one. */
  get #usual(): Family {
    return this.#addresses.size('IPv4') > 0 ? 'IPv4' : 'IPv6'
  }

  /** Throws CannotListen. */
  async start(): Promise<void> {
    if (this.#own) await this.#startAt(this.#own)
    else await this.#startAnywhere()
  }

  async #startAnywhere(): Promise<void> {
    // No partner has this address. It holds the port that all partners share.
    const { IPv4: own } = await this.#addresses.take({ IPv4: 1, IPv6: 0 })
    await this.#server.listen({ host: own[0]!, port: 0 })
    this.dnsPort = await this.#names.start()
    await this.#server.listen({ host: LOOPBACK_IPV6, port: this.port }).then(
      () => this.#addresses.add(new AddressRange(LOOPBACK_IPV6)),
      // This machine has no IPv6.
      () => {},
    )
  }

  async #startAt({ dns, port, admitted, connectors = [] }: OwnAddresses): Promise<void> {
    this.dnsPort = await this.#names.start(dns)
    // The others are tried when a partner gets them.
    for (const range of this.#addresses.ranges)
      for (const host of [range.at(0), range.at(range.size - 1)]) {
        await this.#server.listen({ host, port })
        this.#server.leave(host)
      }
    this.#names.admit(admitted, await addResident(this, connectors))
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server, this.#names, this.#web, ...this.#views].map(one => one.stop()))
  }

  async partner(options: PartnerOptions): Promise<Partner> {
    return (await this.partners([options]))[0]!
  }

  async partners(options: readonly PartnerOptions[]): Promise<Partner[]> {
    const onIpv6 = new Set(options.filter(wantsIpv6).slice(0, this.#addresses.size('IPv6')))
    const familyOf = (one: PartnerOptions) => (onIpv6.has(one) ? 'IPv6' : this.#usual)
    const wanted = { IPv4: 0, IPv6: 0 }
    for (const one of options) wanted[familyOf(one)] += countOf(one)
    const taken = await this.#addresses.take(wanted)
    return Promise.all(options.map(one => this.#partnerAt(taken[familyOf(one)].splice(0, countOf(one)), one)))
  }

  async #partnerAt(addresses: readonly string[], options: PartnerOptions): Promise<Partner> {
    const free = [...addresses]
    const specs = await hostSpecs(this.pki, options, () => free.shift()!)
    const [closed] = free
    const partner = new Partner(options.domain, specs, options.alsoFor)
    partner.shared = addresses.some(one => this.#before.get(one)?.some(mayComeAgain))
    this.#held.set(partner, addresses)
    this.#owners.add(partner)
    if (closed !== undefined) this.#server.leave(closed)
    // Each at its own address: one socket for all of 127.0.0.0/8 would take connections from other machines, too.
    const listening = await Promise.allSettled(
      partner.hosts.map(async host => {
        this.#server.add(host)
        await this.#server.listen({ host: host.address, port: this.port })
      }),
    )
    for (const one of listening)
      if (one.status === 'rejected') {
        this.release(partner)
        throw one.reason
      }
    const exchangers = exchangersOf(partner, () => closed!)
    for (const domain of [partner.domain, ...partner.alsoFor]) this.#names.setMx(domain, exchangers)
    return partner
  }

  async change(partner: Partner, hosts: readonly Behaviour[]): Promise<void> {
    for (const host of partner.behave(await changedSpecs(this.pki, partner, hosts))) this.#server.add(host)
  }

  async resolverOf(domain: string): Promise<string> {
    const view = new Names(this.#names)
    const inbox = this.inbox!.hosts.map(({ spec }) => spec)
    view.setMx(domain, inbox)
    const port = await view.start()
    this.#views.push(view)
    return `127.0.0.1:${port}`
  }

  async tap(request: TapRequest): Promise<{ tap: Partner; inbox: Partner }> {
    return { tap: await this.partner(tapOptions(request)), inbox: this.inbox! }
  }

  /** The partner keeps its addresses as long as there are others, so that what comes late is still seen. */
  release(partner: Partner): void {
    for (const address of this.#held.get(partner) ?? []) {
      const before = this.#before.get(address)
      if (before) before.push(partner)
      else this.#before.set(address, [partner])
      this.#addresses.give(address)
    }
    this.#held.delete(partner)
  }
}

/**
 * The last addresses for partners, which have them at another port. Nothing where there are too few: the web hosts have one, and
 * nobody is at two others.
 */
function webPlaces(ranges: readonly AddressRange[]): WebPlaces | undefined {
  const range = ranges.find(({ size }) => size >= 3)
  if (!range) return undefined
  const [dropped, refused, open] = [1, 2, 3].map(n => range.at(range.size - n))
  return { open: open!, refused: refused!, dropped: dropped! }
}

/** How many addresses a partner takes. */
const countOf = (options: PartnerOptions): number =>
  (options.hosts?.length ?? 1) + (isSecondExchanger(options.hosts?.[0]) ? 1 : 0)
