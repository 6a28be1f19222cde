import type { AuthorityName } from '../pki/flaws.ts'
import type { Pki } from '../pki/pki.ts'
import type { Capability } from './capabilities.ts'
import { HERE, SERVICE } from './domains.ts'
import type { MailFlow } from './mail-flow.ts'
import { showing, type Variant } from './service.ts'
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
    | 'algorithms'
    | 'relay'
    | 'status'
  /** What a product must be able to do to be told so. */
  readonly needs?: Capability
  /** Whoever runs a gateway that the suite did not start has told it so, or wants to know what it does otherwise. */
  readonly byOwner?: true
  apply(flow: MailFlow, pki: Pki): Promise<MailFlow>
}

const NAMED = {
  'belongs to a service': { sets: 'names', apply: asServerOfService },
  'trusts the former root': trusting('former'),
  'trusts both roots': trusting('former', 'new'),
  'trusts the new root': trusting('new'),
  'trusts both roots of the service': {
    sets: 'roots',
    apply: async (flow, pki) => ({
      ...flow,
      trust: [pki.lookAlikeRoot('former'), pki.lookAlikeRoot('2018')],
    }),
  },
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
  'still shows the certificate before': {
    sets: 'certificate',
    apply: (flow, pki) => showing(flow, pki, { former: true }),
  },
  'shows a certificate with another root': differing('root'),
  'shows a certificate with another name': differing('name'),
  'shows a certificate with another organisation': differing('organisation'),
  'shows a certificate with another unit': differing('unit'),
  'shows a certificate with another key': differing('key'),
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
  'requires the status of certificates': {
    sets: 'status',
    needs: 'status-required',
    apply: async flow => ({ ...flow, requiresStatus: true }),
  },
  'expects another name of its relay': {
    sets: 'relay',
    needs: 'relay-by-certificate',
    apply: async flow => ({ ...flow, relay: `renewed.${flow.domain}` }),
  },
  'uses only what the guidelines of governments allow': {
    sets: 'algorithms',
    needs: 'strict-tls',
    byOwner: true,
    // BSI takes no RSA of 2048 bits.
    apply: async (flow, pki) => ({
      ...flow,
      identity: await pki.issue({
        names: [flow.hostname, flow.domain],
        usage: 'server',
        kind: { key: 'RSA 3072' },
      }),
      strict: true,
    }),
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

/** The certificate of the service, but for one attribute. */
function differing(variant: Variant) {
  return {
    sets: 'certificate',
    apply: (flow: MailFlow, pki: Pki) => showing(flow, pki, { variant }),
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
    // Among its own servers, also in the text that still takes older versions from others: EXO-S2S-02.
    minVersion: 'TLSv1.2',
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
