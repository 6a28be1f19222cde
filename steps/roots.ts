import type { Gateway } from '../support/gateway/gateway.ts'
import type { Partner } from '../support/lab/partner/partner.ts'
import { PROXY_PAGE } from '../support/lab/services/http-host.ts'
import type { MailFlow } from '../support/mailflow/mail-flow.ts'
import { lookupAt } from '../support/reference/resolver.ts'
import { fetched } from '../support/traffic/fetching.ts'
import { Inapplicable } from './outcome.ts'
import type { Distributed, Installed } from './vocabulary/parameters.ts'
import type { MailWorld } from './world.ts'

/** The gateway gets other roots between the first attempt and the second. */
export function changesRoots({ intent }: MailWorld): boolean {
  const { installs, fetches } = intent.read('gateway', 'installs', 'fetches')
  return installs !== undefined || fetches !== undefined
}

export async function changeRoots(world: MailWorld, gateway: Gateway, partner: Partner): Promise<void> {
  const { installs, fetches } = world.intent.read('gateway', 'installs', 'fetches')
  if (installs) await install(world, gateway, installs, partner)
  if (fetches) await fetchRoots(world, gateway, fetches, partner)
}

/** How the suite finds hosts as the gateway does. Nothing where the lab has no names: then all URLs have addresses. */
export const lookupOf = ({ network: { resolver } }: MailFlow) =>
  resolver === '' ? {} : { lookup: lookupAt(resolver) }

/** Longest list of roots, in bytes. */
const MOST = 1024 * 1024

/** The distribution point has these, and the machine of the gateway fetches them; it does so itself where it is not this one. */
async function fetchRoots(
  { run }: MailWorld,
  gateway: Gateway,
  what: Distributed,
  { domain }: Partner,
): Promise<void> {
  const { web } = run.lab
  if (!web) throw new Inapplicable('the gateway would not find the distribution point of trusted roots')
  const url = await web.at(`roots.${domain}`, `/${domain}/roots`)
  const answer =
    typeof what === 'string'
      ? PROXY_PAGE
      : { body: Buffer.from((await Promise.all(what.map(name => run.pki.root(name)))).join('')) }
  await web.serve(new Map([[url, answer]]))
  if (gateway.refreshRoots) return gateway.refreshRoots(url)
  const { flow } = gateway
  const text = (await fetched(url, { most: MOST, ...lookupOf(flow) })).toString()
  const trust = text.split(/(?=-----BEGIN)/)
  if (text.startsWith('-----BEGIN')) await gateway.change({ ...flow, trust })
}

/** The administrator adds one certificate to those that the gateway trusts, or to those that it shows. */
async function install(world: MailWorld, gateway: Gateway, what: Installed, partner: Partner): Promise<void> {
  const { flow } = gateway
  const { cert, byName } = partner.hosts[0]!.spec.tls.faulty
  const shown = [byName?.cert ?? cert].flat()[0]!.split(/(?=-----BEGIN)/)
  const added = 'root' in what ? await world.run.pki.root(what.root) : shown[what.shown === 'own' ? 0 : 1]!
  const { key, certificate } = flow.identity
  await gateway.change(
    'among' in what
      ? { ...flow, identity: { key, certificate: certificate + added } }
      : { ...flow, trust: [...flow.trust, added] },
  )
}
