import { Resolver } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'

export interface Host {
  hostname: string
  address: string
}

/** There is no such domain: another attempt would fail as well. */
export class NoSuchDomain extends Error {
  override name = 'NoSuchDomain'
}

function resolverAt(server: string): Resolver {
  const resolver = new Resolver({ timeout: 2_000, tries: 3 })
  resolver.setServers([server])
  return resolver
}

/**
 * Mail exchangers of a domain in order of preference, or the domain itself where it has no MX record; RFC 5321 s5.1.
 * Throws NoSuchDomain, and other errors for failures that may be temporary.
 */
export async function exchangers(domain: string, server: string): Promise<Host[]> {
  const resolver = resolverAt(server)
  const found = await resolver.resolveMx(domain).catch(error => {
    if (error.code === 'ENODATA') return [{ exchange: domain, priority: 0 }]
    if (error.code === 'ENOTFOUND') throw new NoSuchDomain(`${domain} does not exist`)
    throw error
  })
  const hosts: Host[] = []
  for (const { exchange } of found.sort((a, b) => a.priority - b.priority))
    for (const address of await addresses(resolver, exchange)) hosts.push({ hostname: exchange, address })
  if (hosts.length === 0) throw new Error(`no mail exchanger of ${domain} has an address`)
  return hosts
}

/** Both kinds: RFC 5321 s5.2. */
const addresses = async (resolver: Resolver, hostname: string): Promise<string[]> => {
  const [one, other] = await Promise.all([
    resolver.resolve4(hostname).catch(() => []),
    resolver.resolve6(hostname).catch(() => []),
  ])
  return [...one, ...other]
}

/** Finds the addresses of web hosts at a DNS server, for Node's requests. */
export function lookupAt(server: string): LookupFunction {
  const resolver = resolverAt(server)
  return (hostname, { all }, done) => {
    resolver.resolve4(hostname).then(
      found =>
        all
          ? done(
              null,
              found.map(address => ({ address, family: 4 })),
            )
          : done(null, found[0]!, 4),
      (error: NodeJS.ErrnoException) => done(error, ''),
    )
  }
}
