import { once } from 'node:events'
import { createServer, isIP } from 'node:net'

/**
 * Whether `address` is an address of this machine: one can listen there. Node's list of interfaces is not asked, because
 * it leaves out a bridge to which nothing is attached, which has its address all the same.
 */
export async function isOfThisMachine(address: string): Promise<boolean> {
  if (!isIP(address)) return false
  const server = createServer().listen(0, address)
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
