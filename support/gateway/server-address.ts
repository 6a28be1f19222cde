import { InputError } from '../input-error.ts'
import { addressOf } from '../wire/smtp/smtp.ts'
import type { GatewayFile } from './gateway-file.ts'
import { checkedAddress, parseEndpoint } from './gateway-file-values.ts'

const SCHEME = 'smtp://'
const SMTP_PORT = 25

export const isServerAddress = (target: string): boolean => target.toLowerCase().startsWith(SCHEME)

/**
 * A mail server of which a user gives the address alone, `smtp://HOST[:PORT]` with port 25 by default, in the form of a
 * gateway file. `recipient`: somebody for whom it accepts mail. Throws InputError that does not repeat the address, in
 * which credentials may stand.
 */
export function gatewayAt(target: string, recipient?: string): GatewayFile {
  const address = reading('smtp://HOST[:PORT]', () =>
    parseEndpoint(target.slice(SCHEME.length).replace(/\/$/, ''), SMTP_PORT),
  )
  const { host, port } = address
  const name = `${host}${port === SMTP_PORT ? '' : `-${port}`}`.replace(/^:+/, '').replaceAll(':', '-')
  return {
    path: `${SCHEME}${addressOf(address)}`,
    name,
    inbound: {
      address,
      hostname: host.toLowerCase(),
      ...(recipient === undefined
        ? {}
        : { recipient: reading('--recipient', () => checkedAddress(recipient)) }),
      connectors: [],
    },
  }
}

function reading<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${what}: ${error.message}`) : error
  }
}
