import { Container, type ContainerSpec } from './container.ts'
import type { Engine } from './engine.ts'
import type { Subnet } from './subnet.ts'

/** Numbers of the containers with fixed addresses, for `Subnet.fixed`. */
export const FIXED = { lab: 2, names: 3, mailbox: 4 } as const

/** The network of one run and everything in it. */
export class RunNetwork {
  readonly engine: Engine
  /** Of the run; on every label. */
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly subnet: Subnet
  readonly #containers = new Set<Container>()

  /** By `Engine.network`. */
  constructor(made: {
    engine: Engine
    id: string
    name: string
    labels: Record<string, string>
    subnet: Subnet
  }) {
    this.engine = made.engine
    this.id = made.id
    this.name = made.name
    this.labels = made.labels
    this.subnet = made.subnet
  }

  /** Address of the validating resolver that leads to the partners. */
  get resolver(): string {
    return this.subnet.fixed(FIXED.names)
  }

  /** Starts a container and waits until it is up. Throws ContainerFailure with its last log lines. */
  async start(spec: ContainerSpec): Promise<Container> {
    const container = await Container.start(this, spec)
    this.#containers.add(container)
    return container
  }

  forget(container: Container): void {
    this.#containers.delete(container)
  }

  /** Removes all containers of the run, those too that did not come up, their volumes and the network. */
  async stop(): Promise<void> {
    for (const container of this.#containers) container.abandon()
    await this.engine.clear(this.id)
  }
}
