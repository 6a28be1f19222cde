import { connect } from 'node:net'
import type { GatewayFile } from '../gateway/gateway-file.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import type { Endpoint } from '../wire/smtp/smtp.ts'

/** In ms. A gateway that needs longer to accept a connection cannot be judged anyway. */
const LIMIT = 10_000

/**
 * Throws GatewayFailure that names each address of the file at which no server accepts connections: a server that is
 * not there breaks no requirement.
 */
export async function mustBeReachable({ inbound, outbound }: GatewayFile, limit = LIMIT): Promise<void> {
  const sides = [
    ...(inbound ? [{ key: 'inbound.address', at: inbound.address }] : []),
    ...(outbound ? [{ key: 'outbound.submit', at: outbound.submit }] : []),
  ]
  const problems = await Promise.all(
    sides.map(async ({ key, at }) => {
      const why = await whyNot(at, limit)
      return why === undefined
        ? []
        : [`no server accepts connections at ${at.host} port ${at.port} (${key}): ${why}`]
    }),
  )
  if (problems.flat().length > 0) throw new GatewayFailure(problems.flat().join('\n'))
}

function whyNot({ host, port }: Endpoint, limit: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = connect({ host, port })
    const end = (why?: string) => {
      socket.destroy()
      resolve(why)
    }
    socket.setTimeout(limit, () => end(`no answer within ${limit / 1000} s`))
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    socket.once('connect', () => end())
  })
}
