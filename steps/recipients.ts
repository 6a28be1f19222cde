import type { Gateway } from '../support/gateway/gateway.ts'
import type { Partner } from '../support/lab/partner/partner.ts'
import { withLevel } from '../support/mailflow/connectors.ts'
import { levelFor } from '../support/mailflow/mail-flow.ts'
import { FORCED_LEVELS } from '../support/mailflow/standard-flow.ts'
import type { MailWorld } from './world.ts'

/** With fewer mail exchangers, examples might wait for one another, each with its first partner and without its second. */
const ENOUGH = 100

/** How a message is sent, as far as it decides for whom it can be. */
interface Sending {
  /** What is sent in place of a plain message. */
  message?: object
  givesUp?: boolean
}

let lastRecipient = 0

/** After so many refusals of messages to two recipients a gateway is handed no more: it may have a limit. RFC 5321 s4.5.3.1.10. */
const ENOUGH_REFUSALS = 2
const refusals = new WeakMap<Gateway, number>()

/** The gateway has refused a message to more recipients than partners. */
export function noteRefusal(gateway: Gateway): void {
  refusals.set(gateway, (refusals.get(gateway) ?? 0) + 1)
}

/** Of its own for each message: what the gateway says late of an earlier message is not taken for a word on this one. */
export const recipientAt = (domain: string): string => `inbox${++lastRecipient}@${domain}`

/** For whom the message of an example is, in the order in which the gateway is told; one recipient for each partner at least. */
export async function recipientsAt(
  world: MailWorld,
  partners: readonly Partner[],
  gateway: Gateway,
  how: Sending,
): Promise<string[]> {
  const own = partners.map(({ domain }) => recipientAt(domain))
  const [partner] = partners
  const { recipients } = world.manners.message
  if (!recipients || !partner || !mayHaveMore(world, partners, how)) return own
  if ((refusals.get(gateway) ?? 0) >= ENOUGH_REFUSALS) return own
  const other = recipients === 'two at the partner' ? partner.domain : await elsewhere(world, partner)
  if (other === undefined) return own
  world.comes('message', { recipients })
  const more = recipientAt(other)
  return recipients === 'one at another partner, then one at the partner' ? [more, ...own] : [...own, more]
}

/**
 * Who is told of a failure may be told once or for each recipient. Where the partner has a fault on some connections alone,
 * a gateway may send to one recipient on a connection with the fault and to the other one without. Two copies of a very large
 * message are more than the lab keeps.
 */
function mayHaveMore(
  { intent }: MailWorld,
  partners: readonly Partner[],
  { message, givesUp }: Sending,
): boolean {
  const { others = 0, size } = intent.read('message', 'others', 'size')
  const { limited } = intent.read('partner')
  return partners.length === 1 && !message && !givesUp && others === 0 && size === undefined && !limited
}

/** A domain at another partner, for which another kind of connector is; nothing where the lab has no room for one. */
async function elsewhere({ run, servers }: MailWorld, partner: Partner): Promise<string | undefined> {
  const { lab, flow } = run
  const forced = levelFor(flow.outbound, partner.domain) !== 'opportunistic'
  if (lab.room < ENOUGH) {
    // Who stays at an address of his own, and leaves TLS to the gateway.
    const author = lab.author?.domain
    return forced && author && !lab.leadsTogether(author, partner.domain) ? author : undefined
  }
  const levels = forced ? (['opportunistic'] as const) : FORCED_LEVELS
  const [connector] = levels.flatMap(level => withLevel(flow, level))
  if (!connector) return undefined
  const behaviour = forced ? { starttls: { hides: true as const } } : {}
  return (await servers.partner({ domain: lab.freshDomain(connector.to), hosts: [behaviour] })).domain
}
