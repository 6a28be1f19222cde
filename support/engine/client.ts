import type { ContainerRuntimeClient } from 'testcontainers'

/** The client with which testcontainers talks to the engine. */
export type Dockerode = ContainerRuntimeClient['container']['dockerode']

/** Called with work that takes time: `building the image of postfix (step 3 of 7)`. */
export type Doing = (what: string) => void
