import { connect } from 'node:net'
import type { ContainerRuntimeClient } from 'testcontainers'
import { printable } from '../wire/printable.ts'
import type { Dockerode } from './client.ts'
import { ANSWER, ContainerFailure, within } from './failure.ts'

/** Why no container engine can be used. */
export type Obstacle =
  /** DOCKER_HOST names a kind of place that the suite does not use. */
  | 'unknown place'
  | 'nothing listens'
  | 'no permission'
  | 'no answer'
  /** Something listens there that does not answer as an engine does, or wants TLS. */
  | 'wrong answer'

/** No container engine can be used. */
export class NoEngine extends ContainerFailure {
  readonly obstacle: Obstacle
  /** What was found, without the advice that is in the message. */
  readonly found: string

  constructor(obstacle: Obstacle, found: string) {
    super(`${found}; mail-tls doctor tells what to do`)
    this.obstacle = obstacle
    this.found = found
  }
}

/** Where Docker listens when nobody says otherwise. */
const USUAL_PLACE = 'unix:///var/run/docker.sock'
/** For one connection without any answer, in ms. */
const CONNECT_LIMIT = 2_000

/**
 * The container engine that testcontainers finds: at DOCKER_HOST (with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH), at the
 * usual socket, or at the socket of a rootless Docker. `limit` in ms. Throws NoEngine.
 */
export async function findEngine(limit = ANSWER): Promise<ContainerRuntimeClient> {
  // Its clean-up container would have to be pulled, and does not survive this process. Engine.sweep cleans up by label.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true'
  const named = process.env['DOCKER_HOST']
  const place = named || USUAL_PLACE
  const shown = `${printable(place, 100).replace(/\/\/[^/]*@/, '//')}${named ? ' (DOCKER_HOST)' : ''}`
  if (!['unix:', 'tcp:', 'http:', 'https:'].includes(URL.parse(place)?.protocol ?? ''))
    throw new NoEngine('unknown place', `the suite uses no container engine at ${shown}`)
  const { getContainerRuntimeClient } = await import('testcontainers')
  try {
    const client = await within(limit, 'finding a container engine', getContainerRuntimeClient())
    if (!named || isAt(client.container.dockerode, named)) return client
  } catch (error) {
    if (error instanceof ContainerFailure)
      throw new NoEngine('no answer', `no container engine answers at ${shown} within ${limit / 1000} s`)
  }
  const obstacle = await obstacleAt(place)
  throw new NoEngine(obstacle, `no container engine answers at ${shown}: ${WORDS[obstacle]}`)
}

const WORDS: Record<Obstacle, string> = {
  'unknown place': '',
  'nothing listens': 'nothing listens there',
  'no permission': 'this user may not connect',
  'no answer': 'no answer',
  'wrong answer': 'what listens there does not answer as an engine does, or wants TLS',
}

/** testcontainers says nothing of it: tried with a connection. */
function obstacleAt(place: string): Promise<Obstacle> {
  const { protocol, pathname, hostname, port } = new URL(place)
  const socket =
    protocol === 'unix:'
      ? connect({ path: pathname })
      : connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || 2375 })
  return new Promise<Obstacle>(resolve => {
    socket.once('connect', () => resolve('wrong answer'))
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'EACCES' || code === 'EPERM' ? 'no permission' : 'nothing listens'),
    )
    socket.setTimeout(CONNECT_LIMIT, () => resolve('nothing listens'))
  }).finally(() => socket.destroy())
}

/** testcontainers goes on to the usual socket, without a word, where nothing answers at the place that was named. */
function isAt({ modem }: Dockerode, place: string): boolean {
  const { protocol, pathname, hostname } = new URL(place)
  const { socketPath, host } = modem as { socketPath?: string; host?: string }
  return protocol === 'unix:' ? socketPath === pathname : host === hostname
}

/** `unix:///var/run/docker.sock` or `tcp://127.0.0.1:2376` */
export function placeOf({ modem }: Dockerode): string {
  const { socketPath, host, port } = modem as { socketPath?: string; host?: string; port?: string }
  return socketPath ? `unix://${socketPath}` : `tcp://${host}:${port}`
}
