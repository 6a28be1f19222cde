import type { Gateway } from '../support/gateway/gateway.ts'
import type { Turn } from '../support/gateway/pool.ts'
import type { PartnerOptions } from '../support/lab/lab.ts'
import type { Partner } from '../support/lab/partner/partner.ts'
import { CHANGES, type Change } from '../support/mailflow/changes.ts'
import { decisive } from '../support/mailflow/mail-flow.ts'
import type { Run } from '../support/run/run.ts'
import { DryRun, NotBegun } from './outcome.ts'
import type { Intent } from './vocabulary/intent.ts'
import type { Subjects } from './vocabulary/subjects.ts'

/** The mail servers of one example: the gateway under test, the second server, and the partners that the suite plays. */
export class Servers {
  readonly #run: Run
  readonly #intent: Intent<Subjects>
  readonly #role: 'sender' | 'receiver'
  #turn: Promise<Turn> | undefined
  #gatewaySeen: Gateway | undefined
  #another: Promise<Gateway> | undefined
  #second: Promise<Gateway> | undefined
  readonly #partners: Partner[] = []
  readonly #leavePaths: (() => void)[] = []

  /** `role`: what the gateway is judged as. */
  constructor(run: Run, intent: Intent<Subjects>, role: 'sender' | 'receiver') {
    this.#run = run
    this.#intent = intent
    this.#role = role
  }

  /** The gateway under test, with the changes of the Givens; the same throughout an example, also when it ends meanwhile. */
  async gateway(): Promise<Gateway> {
    const { gateway } = await this.#takeTurn(this.#run.alone)
    return gateway
  }

  /** The gateway under test, for an example that changes it while it runs: no other example has it. */
  async gatewayOfOwn(): Promise<Gateway> {
    const { gateway, alone } = await this.#takeTurn(true)
    if (!alone) throw new Error('others use the gateway that this example changes')
    return gateway
  }

  async #takeTurn(alone: boolean): Promise<Turn> {
    this.#notInDryRun()
    this.#turn ??= this.#run.gateways.turn(this.#changes(), alone)
    const turn = await this.#turn
    this.#gatewaySeen = turn.gateway
    return turn
  }

  /** Another server of the gateway's domain, with these changes beside those of the Givens. */
  anotherGateway(more: readonly Change[] = []): Promise<Gateway> {
    this.#another ??= this.#run.gateways.ofOwn([...this.#changes(), ...more])
    return this.#another
  }

  #changes(): Change[] {
    return [...(this.#intent.read('gateway', 'changes').changes ?? [])].map(name => CHANGES[name])
  }

  /** The gateway that the example had to do with. */
  get gatewaySeen(): Gateway {
    if (!this.#gatewaySeen) throw new Error('the example had nothing to do with the gateway')
    return this.#gatewaySeen
  }

  #notInDryRun(): void {
    if (this.#run.plan) throw new DryRun()
  }

  /** The second server; the same throughout an example. */
  secondServer(): Promise<Gateway> {
    this.#notInDryRun()
    const { kind } = this.#intent.read('secondServer', 'kind')
    if (!kind) throw new Error('no Given says of which kind the second server is')
    this.#second ??= this.#run.gateways.secondServer(kind)
    return this.#second
  }

  /** The other side of the gateway is a second server, not a partner or a client that the suite plays. */
  get hasSecondServer(): boolean {
    return this.#second !== undefined
  }

  /** The gateway and the second server. */
  async pair(): Promise<{ gateway: Gateway; second: Gateway }> {
    const [gateway, second] = await Promise.all([this.gateway(), this.secondServer()])
    return { gateway, second }
  }

  /** Partners, all or none; they go back to the lab when the example is over. Throws NotBegun. */
  async partners(options: readonly PartnerOptions[]): Promise<Partner[]> {
    this.#notInDryRun()
    // Before the address of a partner: who has the gateway may wait for that address.
    if (this.#run.gateways.source.changesInPlace) await this.gateway()
    // What the gateway sends takes longer, and its examples wait for one another anyway.
    const ahead = this.#role === 'receiver'
    const made = await this.#run.lab.partners(
      options.map(one => ({ ...one, names: this.#expectedNames(one.domain), ahead })),
    )
    const isFirst = this.#partners.length === 0
    this.#partners.push(...made)
    // Many may have waited for one address when the time was over.
    if (isFirst && this.#run.isOver()) throw new NotBegun()
    return made
  }

  async partner(options: PartnerOptions): Promise<Partner> {
    return (await this.partners([options]))[0]!
  }

  /** What the gateway expects in the partner's certificate in place of the recipient's domain. */
  #expectedNames(domain: string): string[] {
    const name = decisive(this.#run.flow.outbound, domain)?.tlsDomain
    return name === undefined || name.startsWith('*.') ? [] : [name]
  }

  /** Until the example is over, mail for the domain of a server takes the path through this example's tap. */
  async takePathTo({ flow }: Gateway): Promise<void> {
    this.#leavePaths.push(await this.#run.paths.take(flow.domain))
  }

  /** All servers that came up for the example: `tested` are those under test, `all` has the second server too. */
  async up(): Promise<{ tested: Gateway[]; all: Gateway[] }> {
    const up = async (...servers: (Promise<Gateway> | undefined)[]) =>
      (await Promise.all(servers.map(server => server?.catch(() => undefined)))).filter(
        server => server !== undefined,
      )
    const tested = await up(
      this.#turn?.then(({ gateway }) => gateway),
      this.#another,
    )
    return { tested, all: [...tested, ...(await up(this.#second))] }
  }

  /** The example is over: partners go back to the lab, and mail takes its usual path again. */
  release(): void {
    for (const leave of this.#leavePaths) leave()
    for (const partner of this.#partners) this.#run.lab.release(partner)
  }

  /** Other examples wait for what this one has, so that what comes late must be watched before they get it. */
  get isAwaited(): boolean {
    return this.hasSecondServer || (this.#hasTurn && this.#changes().length > 0)
  }

  get #hasTurn(): boolean {
    return this.#turn !== undefined && this.#run.gateways.source.changesInPlace === true
  }

  /** Other examples may have the second server, and the gateway with other changes. */
  async giveBack(): Promise<void> {
    const turn = await this.#turn?.catch(() => undefined)
    turn?.leave?.()
    const second = await this.#second?.catch(() => undefined)
    this.#second = undefined
    if (second) await this.#run.gateways.giveBack(second)
  }

  /** Everything that reached the partners; for an example that was broken off. */
  get conversations() {
    return this.#partners.flatMap(({ conversations }) => conversations)
  }
}
