import type { SessionWord } from '../support/evidence/gateway-words.ts'
import type { PartnerSeen } from '../support/evidence/sent.ts'
import type { Gateway } from '../support/gateway/gateway.ts'
import type { PartnerOptions } from '../support/lab/lab.ts'
import type { Behaviour, PartnerTls } from '../support/lab/partner/behaviour.ts'
import type { Partner } from '../support/lab/partner/partner.ts'
import { withLevel } from '../support/mailflow/connectors.ts'
import { decisive, levelFor } from '../support/mailflow/mail-flow.ts'
import { compose } from '../support/traffic/message.ts'
import { sendAndWatch, type WatchedMessage } from '../support/traffic/sending.ts'
import type { EarlierMail } from '../support/traffic/sent-before.ts'
import { until } from '../support/wire/until.ts'
import { Inapplicable } from './outcome.ts'
import type { MailWorld } from './world.ts'

/** A gateway that keeps no connections closes them within this time after a message, in ms, also where it is busy. */
const CLOSES = 2_000
/** So often a gateway must keep its connections before it is asked no more: a busy one may once be late. */
const ENOUGH = 3

/** How often a gateway kept and closed the connections on which it had sent such an earlier message. */
type Seen = Record<'kept' | 'closed', number>
const seenOf = new WeakMap<Gateway, Map<EarlierMail, Seen>>()

function connectionsOf(gateway: Gateway, what: EarlierMail): Seen {
  const seen = seenOf.get(gateway) ?? new Map<EarlierMail, Seen>()
  seenOf.set(gateway, seen)
  const own = seen.get(what) ?? { kept: 0, closed: 0 }
  seen.set(what, own)
  return own
}

/** A partner to which the gateway has sent a message before, which is no part of what is judged. */
export async function partnerAfter(
  world: MailWorld,
  { domain, hosts, ...more }: PartnerOptions & { hosts: readonly Behaviour[] },
  what: EarlierMail,
  earlierDomain: string,
): Promise<Partner> {
  const { run, happened } = world
  const gateway = await world.servers.gateway()
  const connections = connectionsOf(gateway, what)
  if (connections.kept >= ENOUGH && connections.closed === 0) throw keepsConnections()
  const { partner: does, sameCertificate } = what
  const options: PartnerOptions = {
    ...more,
    domain,
    hosts: hosts.map(({ manner, tls }) => ({
      ...{ ...does, ...sameAuthority(tls) },
      ...(sameCertificate ? { tls: { ...tls, ...does.tls } } : {}),
      ...(manner ? { manner } : {}),
    })),
    ...(earlierDomain === domain ? {} : { alsoFor: [earlierDomain] }),
  }
  const partner = await world.servers.partner(options)
  const message = compose({ from: run.flow.sender, to: [`earlier@${earlierDomain}`] })
  const submission = run.submission(gateway)
  const [earlierMail] = await sendAndWatch({ gateway, submission, message, partners: [partner] })
  happened.conversations.push(...partner.conversations)
  if (!earlierMail!.known.heard)
    throw new Inapplicable('it is not known what became of the message that the gateway sent before')
  if ((sameCertificate || Object.keys(does).length === 0) && earlierMail!.arrivals.length === 0)
    throw new Inapplicable('the message that the gateway sent before did not arrive')
  const isOver = () => partner.conversations.every(({ closed }) => closed)
  const closed = await until(isOver, [partner], CLOSES)
  connections[closed ? 'closed' : 'kept']++
  if (!closed) throw keepsConnections()
  for (const { id } of partner.conversations) happened.before.add(id)
  if (earlierDomain !== domain) happened.earlierDomain = earlierDomain
  happened.saidBefore = sessionsAbout(gateway, namesOf(partner.seen), happened.earlierDomain).length
  await run.lab.change(partner, hosts)
  return partner
}

/** By which a log may name a partner: its domain, and hosts that are not below it. */
export const namesOf = ({ domain, exchangers }: PartnerSeen): string[] => [
  domain,
  ...exchangers.filter(name => !name.endsWith(`.${domain}`)),
]

/**
 * What the log of a gateway says of sessions with one of these names; a line that has two of them counts once. A line with
 * the domain of earlier mail may come late, and does not count.
 */
export function sessionsAbout(
  gateway: Gateway,
  [name = '', ...others]: readonly string[],
  earlierDomain?: string,
): SessionWord[] {
  const all = gateway.sessions(name)
  const lines = new Set(all.map(({ line }) => line))
  const more = others.flatMap(other => gateway.sessions(other)).filter(({ line }) => !lines.has(line))
  return [...all, ...more].filter(({ line }) => earlierDomain === undefined || !line.includes(earlierDomain))
}

/** While authorities change, a gateway may trust these alone. */
const sameAuthority = ({ authority }: PartnerTls = {}): Behaviour =>
  authority === 'former' || authority === 'new' ? { tls: { authority } } : {}

/** What the gateway sends next may go over a connection from before. */
const keepsConnections = () =>
  new Inapplicable(
    'the gateway keeps connections, so that an earlier message may decide how a later one is sent',
  )

/** The domain of an earlier message to the mail exchangers of `domain`, or why no mail for such a domain comes to them. */
export function domainOfEarlier(
  { run: { flow, lab } }: MailWorld,
  domain: string,
  { domain: which }: EarlierMail,
): string | Inapplicable {
  if (which === 'the same') return domain
  const isOptional = levelFor(flow.outbound, domain) === 'opportunistic'
  if (which === 'another, where TLS is required' && isOptional)
    return new Inapplicable('TLS is optional for mail to the partner')
  const connectors =
    which === 'another, where TLS is optional'
      ? withLevel(flow, 'opportunistic')
      : [decisive(flow.outbound, domain)]
  return (
    connectors
      .map(one => lab.freshDomain(one?.to.startsWith('*.') ? one.to : '*.test'))
      .find(one => lab.leadsTogether(one, domain)) ??
    new Inapplicable(
      `no mail for ${which === 'another, where TLS is optional' ? 'a domain without required TLS' : 'another domain'} comes to the partner's address`,
    )
  )
}

/** A gateway may leave a host alone for some time after a failure: RFC 5321 s4.5.4.1. */
export function mustHaveTried({ manners }: MailWorld, watched: readonly WatchedMessage[]): void {
  if (!manners.before.mail) return
  for (const { conversations, deliveryEvents } of watched)
    if (conversations.length === 0 && deliveryEvents.at(-1)?.kind === 'deferred')
      throw new Inapplicable('the gateway does not try the partner again so soon')
}
