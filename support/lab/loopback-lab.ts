import { isIPv6 } from 'node:net'
import { freshDomain } from '../mailflow/domains.ts'
import type { Pki } from '../pki/pki.ts'
import { FixedLab } from './fixed-lab.ts'
import {
  changedSpecs,
  exchangersOf,
  hostSpecs,
  type Lab,
  type PartnerOptions,
  type TapRequest,
  tapOptions,
  wantsIpv6,
} from './lab.ts'
import { Names } from './names/names.ts'
import type { Behaviour } from './partner/behaviour.ts'
import { Partner } from './partner/partner.ts'
import { PartnerServer } from './partner/partner-server.ts'

/** The lab without containers: partners on addresses of 127.0.0.0/8, and a DNS server that leads to them. */
export class LoopbackLab implements Lab {
  readonly pki: Pki
  readonly room = Number.POSITIVE_INFINITY
  readonly freshDomain = freshDomain
  readonly #names = new Names()
  readonly #server = new PartnerServer()
  /** The DNS servers of gateways with a tap in front of them. */
  readonly #views: Names[] = []
  #nextAddress = 1
  /** There is one IPv6 address, which partners have in turn; absent where the machine has no IPv6. */
  #onIpv6: FixedLab | undefined
  dnsPort = 0
  /** The partner that receives the mail which gateways accept for their own domains. */
  inbox: Partner | undefined

  constructor(pki: Pki) {
    this.pki = pki
  }

  get port(): number {
    return this.#server.port
  }

  get strays(): number {
    return this.#server.strays + (this.#onIpv6?.strays ?? 0)
  }

  get places(): Lab['places'] {
    return this.#onIpv6
      ? ['at its second mail exchanger', 'at an IPv6 address']
      : ['at its second mail exchanger']
  }

  async start(): Promise<void> {
    // No partner has this address. It holds the port that all partners share.
    await this.#server.listen({ host: this.#address(), port: 0 })
    this.dnsPort = await this.#names.start()
    const onIpv6 = new FixedLab(this.pki, [
      { to: '*', tls: 'opportunistic', partner: [{ host: '::1', port: this.port }] },
    ])
    this.#onIpv6 = await onIpv6.start().then(
      () => onIpv6,
      () => undefined,
    )
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server, this.#names, ...this.#views, this.#onIpv6].map(one => one?.stop()))
  }

  /** One of them at most has the IPv6 address: who waits for it twice waits for ever. */
  async partners(options: readonly PartnerOptions[]): Promise<Partner[]> {
    const ipv6 = options.find(wantsIpv6)
    return Promise.all(
      options.map(one =>
        one === ipv6 && this.#onIpv6 ? this.#partnerOn(this.#onIpv6, one) : this.partner(one),
      ),
    )
  }

  async #partnerOn(lab: FixedLab, options: PartnerOptions): Promise<Partner> {
    const [partner] = await lab.partners([options])
    this.#setNames(partner!)
    return partner!
  }

  async partner(options: PartnerOptions): Promise<Partner> {
    const partner = new Partner(
      options.domain,
      await hostSpecs(this.pki, options, () => this.#address()),
      options.alsoFor,
    )
    // Each at its own address: one socket for all of 127.0.0.0/8 would take connections from other machines, too.
    await Promise.all(
      partner.hosts.map(async host => {
        this.#server.add(host)
        await this.#server.listen({ host: host.address, port: this.port })
      }),
    )
    this.#setNames(partner)
    return partner
  }

  #setNames(partner: Partner): void {
    const exchangers = exchangersOf(partner, () => this.#address())
    for (const domain of [partner.domain, ...partner.alsoFor]) this.#names.setMx(domain, exchangers)
  }

  async change(partner: Partner, hosts: readonly Behaviour[]): Promise<void> {
    if (isIPv6(partner.hosts[0]!.address)) await this.#onIpv6!.change(partner, hosts)
    else
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

  /** There are enough IPv4 addresses: each partner keeps its own, so what comes late is still seen. */
  release(partner: Partner): void {
    this.#onIpv6?.release(partner)
  }

  /** The next address from 127.64.0.1 on: other programs use lower ones. */
  #address(): string {
    const n = this.#nextAddress++
    return `127.${64 + (n >> 16)}.${(n >> 8) & 0xff}.${n & 0xff}`
  }
}
