import { Resolver } from 'node:dns/promises'

export interface Host {
  hostname: string
  address: string
}

/** There is no such domain, or it takes no mail: another attempt would not help. */
export class NoSuchDomain extends Error {
  override name = 'NoSuchDomain'
}

/**
 * Mail exchangers of a domain in order of preference, and of the domain itself where it names none; RFC 5321 s5.1.
 * Throws NoSuchDomain, and any other error for trouble that may pass.
 */
export async function exchangers(domain: string, server: string): Promise<Host[]> {
  const resolver = new Resolver({ timeout: 2_000, tries: 3 })
  resolver.setServers([server])
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

const addresses = (resolver: Resolver, hostname: string): Promise<string[]> =>
  resolver.resolve4(hostname).catch(() => [])
