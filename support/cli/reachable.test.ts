import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { GatewayFile } from '../gateway/gateway-file.ts'
import { mustBeReachable } from './reachable.ts'

describe('mustBeReachable', () => {
  let server: Server
  let port: number

  beforeEach(async () => {
    server = createServer(socket => socket.end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  })

  afterEach(() => server.close())

  const file = (inbound: number | undefined, submit: number | undefined) =>
    ({
      ...(inbound ? { inbound: { address: { host: '127.0.0.1', port: inbound } } } : {}),
      ...(submit ? { outbound: { submit: { host: '127.0.0.1', port: submit } } } : {}),
    }) as GatewayFile

  it('is content with a gateway that takes connections, whatever it does with them', async () => {
    await mustBeReachable(file(port, port))
    await mustBeReachable(file(undefined, port))
  })

  it('names the address and its key where nobody listens', async () => {
    server.close()
    await once(server, 'close')
    await assert.rejects(mustBeReachable(file(port, undefined)), {
      name: 'GatewayFailure',
      message: `no server accepts connections at 127.0.0.1 port ${port} (inbound.address): ECONNREFUSED`,
    })
    await assert.rejects(mustBeReachable(file(port, port)), /inbound\.address.*\n.*outbound\.submit/)
  })
})
