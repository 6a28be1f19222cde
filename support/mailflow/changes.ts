import type { AuthorityName } from '../pki/flaws.ts'
import type { Pki } from '../pki/pki.ts'
import type { Capability } from './capabilities.ts'
import { HERE, SERVICE } from './domains.ts'
import type { MailFlow } from './mail-flow.ts'
import { FORCED_LEVELS, underDomain } from './standard-flow.ts'

/** One thing that a gateway is told otherwise than in the standard mail flow. Changes add up. */
export interface Change {
  /** In the words of the features: a gateway that … */
  readonly words: string
  /** What the change sets. Two changes that set the same thing contradict each other. */
  readonly sets:
    | 'names'
    | 'roots'
    | 'certificate'
    | 'attempts'
    | 'senders'
    | 'highest version'
    | 'key exchange'
  /** What a product must be able to do to be told so. */
  readonly needs?: Capability
  apply(flow: MailFlow, pki: Pki): Promise<MailFlow>
}

const NAMED = {
  'belongs to a service': { sets: 'names', apply: asServerOfService },
  'trusts the former root': trusting('former'),
  'trusts both roots': trusting('former', 'new'),
  'trusts the new root': trusting('new'),
  'shows a certificate of the former authority': {
    sets: 'certificate',
    apply: async (flow, pki) => ({
      ...flow,
      identity: await gatewayIdentity(flow, pki, 'former'),
      sendersTrust: [await pki.root('former')],
    }),
  },
  'has lost its certificate': {
    sets: 'certificate',
    apply: async flow => ({ ...flow, identity: { key: flow.identity.key, certificate: '' } }),
  },
  'gives up after 3 attempts': {
    sets: 'attempts',
    needs: 'expiry',
    apply: async flow => ({ ...flow, attempts: 3 }),
  },
  'requires TLS of every client': {
    sets: 'senders',
    needs: 'forced-tls-inbound',
    apply: async flow => ({ ...flow, inbound: [{ from: '*', tls: 'required' }] }),
  },
  'speaks TLS 1.2 and nothing newer': {
    sets: 'highest version',
    needs: 'tls12-only',
    apply: async flow => ({ ...flow, maxVersion: 'TLSv1.2' }),
  },
  'uses key exchange with forward secrecy alone': {
    sets: 'key exchange',
    needs: 'forward-secrecy-only',
    apply: async flow => ({ ...flow, forwardSecrecy: true }),
  },
} satisfies Record<string, Omit<Change, 'words'>>

export type ChangeName = keyof typeof NAMED

/** Every change that a feature can ask for, by its words. */
export const CHANGES = Object.fromEntries(
  Object.entries(NAMED).map(([words, change]) => [words, { words, ...change }]),
) as Record<ChangeName, Change>

/** The same text for the same set of changes, in whatever order they are given. Empty for no changes. */
export const keyOf = (changes: Iterable<Change>): string =>
  ordered(changes)
    .map(({ words }) => words)
    .join(' and ')

/**
 * A mail flow with a set of changes, in whatever order they are given. Without changes it is the same object. Throws
 * where two changes contradict each other.
 */
export async function changed(flow: MailFlow, changes: Iterable<Change>, pki: Pki): Promise<MailFlow> {
  let result = flow
  for (const change of ordered(changes)) result = await change.apply(result, pki)
  return result
}

/** Each change once. The names come first, because certificates are issued for the names that a gateway has then. */
function ordered(changes: Iterable<Change>): Change[] {
  const once = [...new Map([...changes].map(change => [change.words, change])).values()]
  for (const [what, rivals] of Map.groupBy(once, ({ sets }) => sets))
    if (rivals.length > 1)
      throw new Error(
        `a gateway has one setting of its ${what}, so it cannot be one that ${rivals.map(({ words }) => words).join(' and one that ')}`,
      )
  const names = ({ sets }: Change) => Number(sets !== 'names')
  return once.sort((a, b) => names(a) - names(b) || a.words.localeCompare(b.words, 'en'))
}

function trusting(...authorities: AuthorityName[]) {
  return {
    sets: 'roots',
    apply: async (flow: MailFlow, pki: Pki) => ({
      ...flow,
      trust: await Promise.all(authorities.map(name => pki.root(name))),
    }),
  } as const
}

/**
 * The gateway is one of several servers of a service. Among them TLS is required in both directions, at the highest
 * level that the gateway has.
 */
async function asServerOfService(flow: MailFlow, pki: Pki): Promise<MailFlow> {
  const levels = new Set(flow.outbound.map(({ tls }) => tls))
  const tls = FORCED_LEVELS.findLast(level => levels.has(level))
  return {
    ...(await underDomain(HERE, flow, pki)),
    inbound: flow.inbound.some(({ tls }) => tls === 'required')
      ? [...flow.inbound, { from: `*.${SERVICE}`, tls: 'required' }]
      : flow.inbound,
    outbound: tls
      ? [...flow.outbound, { to: `*.${SERVICE}`, tls }, { to: HERE, tls: 'opportunistic' }]
      : flow.outbound,
  }
}

/** The gateway's own certificate, for the names that it has, under another authority. */
export function gatewayIdentity(flow: MailFlow, pki: Pki, authority: 'former' | 'new') {
  return pki.issue({ names: [flow.hostname, flow.domain], usage: 'server', authority })
}
