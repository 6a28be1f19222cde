import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** For tests: as much of a container engine as is asked before anything runs. It has no images. */
export interface FakeEngine {
  /** For DOCKER_HOST. */
  place: string
  /** Of every image whose build was asked for. */
  builds: string[]
  /** Builds that are under way. */
  open: Set<ServerResponse>
  /** Networks that were made and not removed. */
  networks: Set<string>
  stop(): void
}

/** `build` answers, or leaves the build under way. */
export async function fakeEngine(build: (answer: ServerResponse) => void): Promise<FakeEngine> {
  const builds: string[] = []
  const open = new Set<ServerResponse>()
  const networks = new Set<string>()
  const answers: Record<string, (answer: ServerResponse, url: URL) => void> = {
    'GET /info': answer =>
      answer.end(JSON.stringify({ ServerVersion: '1', OperatingSystem: 'none', Architecture: 'x86_64' })),
    'GET /containers/json': answer => answer.end('[]'),
    'GET /networks': answer => answer.end(JSON.stringify([...networks].map(Id => ({ Id, Labels: {} })))),
    'GET /volumes': answer => answer.end('{}'),
    'POST /networks/create': answer => {
      networks.add('made')
      answer.end('{"Id":"made"}')
    },
    'DELETE /networks/made': answer => {
      networks.delete('made')
      answer.end()
    },
    'POST /build': (answer, { searchParams }) => {
      builds.push(/\/(.*):/.exec(searchParams.get('t')!)![1]!)
      open.add(answer)
      answer.on('close', () => open.delete(answer))
      build(answer)
    },
  }
  const server = createServer((request, answer) => {
    const url = new URL(request.url!, 'http://engine')
    request.resume()
    answer.setHeader('content-type', 'application/json')
    const known = answers[`${request.method} ${url.pathname}`]
    if (known) known(answer, url)
    else answer.writeHead(404).end('{"message":"there is none"}')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return { place: `tcp://127.0.0.1:${port}`, builds, open, networks, stop }
}
