import type { Sent } from '../evidence/sent.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import type { Lab } from '../lab/lab.ts'
import type { Mailbox } from '../lab/mailbox/mailbox.ts'
import type { Behaviour } from '../lab/partner/behaviour.ts'
import { STRANGERS } from '../mailflow/domains.ts'
import { handOver, type SenderBehaviour } from '../traffic/deliver-message.ts'
import { compose, newToken } from '../traffic/message.ts'
import { send } from '../traffic/sending.ts'
import type { Submission } from '../traffic/submit-message.ts'
import { until } from '../wire/until.ts'

/** Longest wait for a notification after the gateway has said that it returns a message, in ms. */
const NOTICE = 15_000

/** A gateway that the suite has set up, in its lab. */
export interface GatewayInLab {
  gateway: Gateway
  lab: Lab
  submission: Submission
  mailbox: Mailbox
  /** The gateway takes mail for sending on from its users alone, who log in. */
  login?: boolean
}

/**
 * What every gateway has to do, with its adapter, before anything of it can be judged: without one of these, a
 * refusal or silence of the gateway says nothing about TLS. Each check gives what is wrong, or nothing.
 */
export const PREFLIGHT: Readonly<Record<string, (tested: GatewayInLab) => Promise<string | undefined>>> = {
  'tells its version and its TLS library': async ({ gateway: { version, library } }) =>
    /\d/.test(version) && /\d/.test(library) ? undefined : `it is ${version} with ${library}`,
  'accepts mail in clear': tested => accepts(tested, { tls: 'does not use' }),
  'accepts mail over TLS': tested => accepts(tested, { tls: 'uses' }),
  'sends mail in clear': async tested => {
    const sent = await sends(tested, { starttls: { hides: true } })
    return sent.arrivals[0] && !sent.arrivals[0].secured ? undefined : told(sent)
  },
  'sends mail over TLS': async tested => {
    const sent = await sends(tested, {})
    return sent.arrivals[0]?.secured ? undefined : told(sent)
  },
  'keeps mail that it cannot deliver now, and says so': async tested => {
    const { gateway, login } = tested
    const refusal: Behaviour = { transaction: { refuses: { at: 'RCPT', reply: '450 4.2.1 later' } } }
    // A long address, because a command that prints the queue must not cut it off.
    const author = login ? undefined : `${newToken()}-${newToken()}@${gateway.flow.domain}`
    const sent = await sends(tested, refusal, author)
    const { message, deliveryEvents, arrivals, recipient } = sent
    if (arrivals.length > 0 || deliveryEvents.at(-1)?.kind !== 'deferred') return told(sent)
    for (const address of [recipient, message.from])
      if ((await gateway.holds?.(address)) === false) return `its queue has nothing with ${address}`
    return undefined
  },
  'returns mail that can never be delivered, and says so': async tested => {
    // A user gets the notification in a mailbox of the gateway, which the suite cannot read.
    const author = tested.login ? undefined : await partner(tested, {})
    const refusal: Behaviour = { transaction: { refuses: { at: 'RCPT', reply: '550 5.1.1 never' } } }
    const sent = await sends(tested, refusal, author && `author@${author.domain}`)
    if (sent.deliveryEvents.at(-1)?.kind !== 'bounced') return told(sent)
    if (!author) return undefined
    const came = await until(() => author.messages.length > 0, [author], tested.gateway.patience ?? NOTICE)
    tested.lab.release(author)
    return came ? undefined : 'its author was not told'
  },
}

/** Makes all checks side by side. Throws GatewayFailure where one fails: nothing is judged then. */
export async function mustPassPreflight(tested: GatewayInLab): Promise<void> {
  const wrong = await Promise.all(
    Object.entries(PREFLIGHT).map(async ([what, check]) => {
      const why = await check(tested)
      return why === undefined ? [] : [`  it must be a gateway that ${what}: ${why}`]
    }),
  )
  const failures = wrong.flat()
  if (failures.length === 0) return
  throw new GatewayFailure(
    [`${tested.gateway.name} cannot be judged, because it or its adapter does not work:`, ...failures].join(
      '\n',
    ),
  )
}

async function accepts({ gateway, lab, mailbox }: GatewayInLab, behaviour: SenderBehaviour) {
  const { inbound: endpoint, flow } = gateway
  const message = compose({ from: `sender@${lab.freshDomain(STRANGERS)}`, to: [flow.recipient] })
  const { accepted, stage, reply, breakdown } = await handOver(message, {
    ...{ endpoint, hostname: flow.hostname, behaviour, pki: lab.pki },
  })
  if (!accepted) return `at ${stage} came ${reply?.text ?? breakdown?.detail}`
  return (await mailbox.await(message.token)).length > 0 ? undefined : 'it never reached the mailbox'
}

async function partner({ gateway, lab }: GatewayInLab, behaviour: Behaviour) {
  const { to } = gateway.flow.outbound.find(one => one.tls === 'opportunistic' && one.to.startsWith('*.'))!
  const [made] = await lab.partners([{ domain: lab.freshDomain(to), hosts: [behaviour] }])
  return made!
}

async function sends(
  tested: GatewayInLab,
  behaviour: Behaviour,
  from = tested.gateway.flow.sender,
): Promise<Sent> {
  const { gateway, submission, lab } = tested
  const to = await partner(tested, behaviour)
  const message = compose({ from, to: [`inbox@${to.domain}`] })
  const [sent] = await send({ gateway, submission, message, partners: [to] })
  lab.release(to)
  return sent!
}

function told({ refusal, deliveryEvents, arrivals }: Sent): string {
  if (refusal) return `it did not take the message to send on: ${refusal}`
  if (arrivals.length > 0) return `it arrived ${arrivals[0]!.secured ? 'over TLS' : 'in clear'}`
  const last = deliveryEvents.at(-1)
  return last ? `it was ${last.kind}: ${last.reason}` : 'it did not arrive, and the gateway said nothing'
}
