import { freshDomain } from '../mailflow/domains.ts'
import type { Pki } from '../pki/pki.ts'
import { hostSpecs, type Lab, type PartnerOptions, type TapRequest, tapOptions } from './lab.ts'
import { Names } from './names/names.ts'
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
    return this.#server.strays
  }

  async start(): Promise<void> {
    // No partner has this address. It holds the port that all partners share.
    await this.#server.listen({ host: this.#address(), port: 0 })
    this.dnsPort = await this.#names.start()
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server, this.#names, ...this.#views].map(one => one.stop()))
  }

  async partners(options: readonly PartnerOptions[]): Promise<Partner[]> {
    return Promise.all(options.map(one => this.partner(one)))
  }

  async partner(options: PartnerOptions): Promise<Partner> {
    const partner = new Partner(options.domain, await hostSpecs(this.pki, options, () => this.#address()))
    // Each at its own address: one socket for all of 127.0.0.0/8 would take connections from other machines, too.
    await Promise.all(
      partner.hosts.map(async host => {
        this.#server.add(host)
        await this.#server.listen({ host: host.address, port: this.port })
      }),
    )
    this.#names.setMx(
      partner.domain,
      partner.hosts.map(({ spec }) => spec),
    )
    return partner
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

  /** There are enough addresses: each partner keeps its own, so what comes late is still seen. */
  release(): void {}

  /** The next address from 127.64.0.1 on: other programs use lower ones. */
  #address(): string {
    const n = this.#nextAddress++
    return `127.${64 + (n >> 16)}.${(n >> 8) & 0xff}.${n & 0xff}`
  }
}
