import type { Doing } from './client.ts'
import { Container, type ContainerNetwork, type ContainerSpec } from './container.ts'
import type { ImageSource } from './image.ts'
import { FIXED, type LabAddresses } from './subnet.ts'

/** The container engine, as far as the network of a run needs it. */
export type NetworkEngine = ContainerNetwork['engine'] & {
  /** The tag of an image, which is built if the engine does not have it. */
  image(source: ImageSource, doing?: Doing): Promise<string>
  /** Removes everything of one run. */
  clear(run: string): Promise<void>
}

/** The network of one run, or one that the user made, and everything of this run in it. */
export class RunNetwork implements ContainerNetwork {
  readonly engine: NetworkEngine
  /** The id of the run, which is on every label. */
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly subnet: LabAddresses
  readonly joined: boolean
  /** Of other containers in a network that the suite did not make, by their names there. */
  readonly #addresses: ReadonlyMap<string, string>
  readonly #containers = new Set<Container>()

  /** Called by `Engine.network` and `Engine.join`. `addresses`: of other containers, by name. */
  constructor(made: {
    engine: NetworkEngine
    id: string
    name: string
    labels: Record<string, string>
    subnet: LabAddresses
    addresses?: ReadonlyMap<string, string>
  }) {
    this.engine = made.engine
    this.id = made.id
    this.name = made.name
    this.labels = made.labels
    this.subnet = made.subnet
    this.joined = made.addresses !== undefined
    this.#addresses = made.addresses ?? new Map()
  }

  /** Address of the validating resolver that leads to the partners. */
  get resolver(): string {
    return this.subnet.fixed(FIXED.names)
  }

  /** The address of another container by a name that it has in this network; else the host itself. */
  addressOf(host: string): string {
    return this.#addresses.get(host) ?? host
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

  /** Removes all containers of the run, also those that did not come up, their volumes and the network, if the suite made it. */
  async stop(): Promise<void> {
    for (const container of this.#containers) container.abandon()
    await this.engine.clear(this.id)
  }
}
