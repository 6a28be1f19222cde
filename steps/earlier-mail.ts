import type { Gateway } from '../support/gateway/gateway.ts'
import type { PartnerOptions } from '../support/lab/lab.ts'
import type { Behaviour } from '../support/lab/partner/behaviour.ts'
import type { Partner } from '../support/lab/partner/partner.ts'
import { forLevel } from '../support/mailflow/connectors.ts'
import { decisive } from '../support/mailflow/mail-flow.ts'
import { compose } from '../support/traffic/message.ts'
import { sendAndWatch, type WatchedMessage } from '../support/traffic/sending.ts'
import { EARLIER_MAIL, type EarlierMail, type SentBefore } from '../support/traffic/sent-before.ts'
import { Inapplicable } from './outcome.ts'
import type { MailWorld } from './world.ts'

/** Gateways that keep connections: what they send next may go over one from before. */
const keepConnections = new WeakSet<Gateway>()

/** A partner to which the gateway has sent a message before, which is no part of what is judged. */
export async function partnerAfter(
  world: MailWorld,
  { domain, hosts }: { domain: string; hosts: readonly Behaviour[] },
  what: SentBefore,
): Promise<Partner> {
  const { run, happened } = world
  const gateway = await world.servers.gateway()
  mustNotKeep(gateway)
  const { partner: does, ...earlier } = EARLIER_MAIL[what]
  const other = otherDomain(world, domain, earlier)
  const options: PartnerOptions = {
    domain,
    hosts: hosts.map(({ manner }) => ({ ...does, ...(manner ? { manner } : {}) })),
    ...(other ? { alsoFor: [other] } : {}),
  }
  const partner = await world.servers.partner(options)
  const message = compose({ from: run.flow.sender, to: [`earlier@${other ?? domain}`] })
  const submission = run.submission(gateway)
  const [earlierMail] = await sendAndWatch({ gateway, submission, message, partners: [partner] })
  happened.conversations.push(...partner.conversations)
  if (!earlierMail!.known.heard)
    throw new Inapplicable('it is not known what became of the message that the gateway sent before')
  if (partner.conversations.some(({ closed }) => !closed)) keepConnections.add(gateway)
  mustNotKeep(gateway)
  for (const { id } of partner.conversations) happened.before.add(id)
  await run.lab.change(partner, hosts)
  return partner
}

function mustNotKeep(gateway: Gateway): void {
  if (keepConnections.has(gateway))
    throw new Inapplicable(
      'the gateway keeps connections, so that an earlier message may decide how a later one is sent',
    )
}

function otherDomain(
  { run: { flow, lab } }: MailWorld,
  domain: string,
  { domain: which }: Pick<EarlierMail, 'domain'>,
): string | undefined {
  if (which === 'the same') return undefined
  const connector = which === 'another' ? decisive(flow.outbound, domain) : forLevel(flow, 'opportunistic')
  if (typeof connector === 'string') throw new Inapplicable(connector)
  return lab.freshDomain(connector?.to.startsWith('*.') ? connector.to : '*.test')
}

/** A gateway may leave a host alone for some time after a failure: RFC 5321 s4.5.4.1. */
export function mustHaveTried({ manners }: MailWorld, watched: readonly WatchedMessage[]): void {
  if (!manners.before.mail) return
  for (const { conversations, deliveryEvents } of watched)
    if (conversations.length === 0 && deliveryEvents.at(-1)?.kind === 'deferred')
      throw new Inapplicable('the gateway does not try the partner again so soon')
}
