import type { ContainerRuntimeClient } from 'testcontainers'

/** The engine's own client, as testcontainers has found it. */
export type Dockerode = ContainerRuntimeClient['container']['dockerode']

/** Tells what takes time: `building the image of postfix (step 3 of 7)`. */
export type Doing = (what: string) => void
