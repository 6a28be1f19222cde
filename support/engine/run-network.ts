import type { Doing } from './client.ts'
import { Container, type ContainerNetwork, type ContainerSpec } from './container.ts'
import type { ImageSource } from './image.ts'
import type { Subnet } from './subnet.ts'

/** Numbers of the containers that have fixed addresses, for `Subnet.fixed`. */
export const FIXED = { lab: 2, names: 3, mailbox: 4 } as const

/** The container engine, as far as the network of a run needs it. */
export type NetworkEngine = ContainerNetwork['engine'] & {
  /** The tag of an image, which is built if the engine does not have it. */
  image(source: ImageSource, doing?: Doing): Promise<string>
  /** Removes everything of one run. */
  clear(run: string): Promise<void>
}

/** The network of one run and everything in it. */
export class RunNetwork implements ContainerNetwork {
  readonly engine: NetworkEngine
  /** The id of the run, which is on every label. */
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly subnet: Subnet
  readonly #containers = new Set<Container>()

  /** Called by `Engine.network`. */
  constructor(made: {
    engine: NetworkEngine
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

  /** Starts a container and waits until the container is up. Throws ContainerFailure with the last lines of its log. */
  async start(spec: ContainerSpec): Promise<Container> {
    const container = await Container.start(this, spec)
    this.#containers.add(container)
    return container
  }

  forget(container: Container): void {
    this.#containers.delete(container)
  }

  /** Removes all containers of the run, also those that did not come up, their volumes and the network. */
  async stop(): Promise<void> {
    for (const container of this.#containers) container.abandon()
    await this.engine.clear(this.id)
  }
}
