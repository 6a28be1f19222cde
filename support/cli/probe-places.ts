import { lookup, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Service } from '../evidence/offer.ts'
import { parseEndpoint } from '../gateway/gateway-file-values.ts'
import { InputError } from '../input-error.ts'

const PORTS: Readonly<Record<number, Service>> = { 465: 'tls', 24: 'lmtp' }
/** Where to probe. */
export interface Place {
  host: string
  address: string
  port: number
  service: Service
  /** The name that the certificate should have. */
  name: string | undefined
}

/** What the DNS says. Both reject with the codes of Node. */
export interface Names {
  addresses: (host: string) => Promise<string[]>
  exchangers: (domain: string) => Promise<{ priority: number; exchange: string }[]>
}

const SYSTEM: Names = {
  addresses: async host => (await lookup(host, { all: true })).map(({ address }) => address),
  exchangers: domain => new Resolver({ timeout: 3_000, tries: 2 }).resolveMx(domain),
}

/** Every address of these hosts. Throws InputError. */
export async function placesOf(
  targets: readonly string[],
  service: Service | undefined,
  name: string | undefined,
  names: Names = SYSTEM,
): Promise<Place[]> {
  const found = await Promise.all(
    targets.map(async target => {
      const { host, port } = endpointIn(target)
      const addresses = isIP(host) ? [host] : await addressesOf(host, names)
      const shown = name ?? (isIP(host) ? undefined : host)
      return addresses.map(address => ({
        host,
        address,
        port,
        service: service ?? PORTS[port] ?? 'smtp',
        name: shown,
      }))
    }),
  )
  return found.flat()
}

function endpointIn(target: string): { host: string; port: number } {
  try {
    return parseEndpoint(isIP(target) === 6 ? `[${target}]` : target, 25)
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${target}: ${error.message}`) : error
  }
}

async function addressesOf(host: string, names: Names): Promise<string[]> {
  try {
    return await names.addresses(host)
  } catch (error) {
    throw new InputError(
      `${host}: no address is known of this name (${(error as NodeJS.ErrnoException).code})`,
    )
  }
}

/** Every address of every mail exchanger of these domains; RFC 5321 s5.1. Throws InputError. */
export async function placesOfDomains(
  domains: readonly string[],
  name: string | undefined,
  names: Names = SYSTEM,
): Promise<Place[]> {
  const hosts = await Promise.all(
    domains.map(async domain => {
      const found = await names.exchangers(domain).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENODATA') return [{ priority: 0, exchange: domain }]
        throw new InputError(`--mx ${domain}: its mail exchangers cannot be found (${error.code})`)
      })
      if (found.some(({ exchange }) => exchange === ''))
        throw new InputError(`--mx ${domain}: this domain says that it takes no mail (RFC 7505)`)
      return found.toSorted((a, b) => a.priority - b.priority).map(({ exchange }) => exchange)
    }),
  )
  return placesOf([...new Set(hosts.flat())], 'smtp', name, names)
}
