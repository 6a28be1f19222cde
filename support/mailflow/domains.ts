import { randomBytes } from 'node:crypto'
import type { SecondServerKind } from './capabilities.ts'

export const HOSTNAME = 'mx.gateway.test'
export const DOMAIN = 'gateway.test'
/** Servers of one service, each with a domain of its own. No connector of the standard flow covers these names. */
export const SERVICE = 'service.test'
export const HERE = `here.${SERVICE}`
export const SECOND_SERVERS: Record<SecondServerKind, string> = {
  'the same kind': 'there',
  'another kind': 'elsewhere',
}

/**
 * The mail exchanger that a tap is. Not the name of the server behind it: some servers leave themselves out of a
 * domain's exchangers by their names, and then find none for the mail that they pass on.
 */
export const pathTo = (domain: string): string => `path.${domain}`

let lastName = 0

/**
 * A domain that nothing else in this process uses, under a connector's pattern such as `*.forced.test`.
 */
export function freshDomain(pattern: string): string {
  return pattern.replace('*', `d${++lastName}-${randomBytes(2).toString('hex')}`)
}
