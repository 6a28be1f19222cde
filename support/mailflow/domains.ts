import { randomBytes } from 'node:crypto'
import type { SecondServerKind } from './capabilities.ts'

/** Names of the gateway as it is. */
export const HOSTNAME = 'mx.gateway.test'
export const DOMAIN = 'gateway.test'
/** The server of the same organisation that relays through the gateway, as its certificate names it. */
export const RELAY = `onpremises.${DOMAIN}`
/** Pattern for the domains of clients that no connector covers. */
export const STRANGERS = '*.stranger.test'
/** The servers of one service have domains below this one. No connector of the standard mail flow covers them. */
export const SERVICE = 'service.test'
/** Domain of the gateway where it is one of these servers. */
export const HERE = `here.${SERVICE}`
/** Domains of second servers begin so, before a number. */
export const SECOND_SERVERS: Record<SecondServerKind, string> = {
  'the same kind': 'there',
  'another kind': 'elsewhere',
}

/**
 * Host name of the tap in front of the server of a domain. It differs from the server's own name: some servers drop
 * themselves from the mail exchangers of a domain by name, and would then find none for mail that they pass on.
 */
export const pathTo = (domain: string): string => `path.${domain}`

let lastName = 0

/** A domain that nothing else in this process uses, under the pattern of a connector such as `*.forced.test`. */
export function freshDomain(pattern: string): string {
  return pattern.replace('*', `d${++lastName}-${randomBytes(2).toString('hex')}`)
}
