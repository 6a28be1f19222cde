import type { Sent } from '../evidence/sent.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import type { Lab } from '../lab/lab.ts'
import type { Mailbox } from '../lab/mailbox/mailbox.ts'
import type { Behaviour } from '../lab/partner/behaviour.ts'
import { handOver, type SenderBehaviour } from '../traffic/delivering.ts'
import { compose, newToken } from '../traffic/message.ts'
import { send } from '../traffic/sending.ts'
import type { Submission } from '../traffic/submission.ts'
import { until } from '../wire/until.ts'

/** Longest wait for a notification once the gateway has said that it returns a message, in ms. */
const NOTICE = 15_000

/** A gateway that the suite has set up, and what is around it. */
export interface Around {
  gateway: Gateway
  lab: Lab
  submission: Submission
  mailbox: Mailbox
  /** It takes mail for sending on from its users alone. */
  login?: boolean
}

/**
 * What every gateway has to do, with its adapter, before anything of it can be judged: without one of these, a refusal
 * or a silence says nothing about TLS. Each gives what is wrong, or nothing.
 */
export const CONTRACT: Readonly<Record<string, (around: Around) => Promise<string | undefined>>> = {
  'tells its version and its TLS library': async ({ gateway: { version, library } }) =>
    /\d/.test(version) && /\d/.test(library) ? undefined : `it is ${version} with ${library}`,
  'accepts mail in clear': around => accepts(around, { tls: 'does not use' }),
  'accepts mail over TLS': around => accepts(around, { tls: 'uses' }),
  'sends mail in clear': async around => {
    const sent = await sends(around, { starttls: { hides: true } })
    return sent.arrivals[0] && !sent.arrivals[0].secured ? undefined : told(sent)
  },
  'sends mail over TLS': async around => {
    const sent = await sends(around, {})
    return sent.arrivals[0]?.secured ? undefined : told(sent)
  },
  'keeps mail that it cannot deliver now, and says so': async around => {
    const { gateway, login } = around
    const refusal: Behaviour = { transaction: { refuses: { at: 'RCPT', reply: '450 4.2.1 later' } } }
    // Long: what prints the queue must not cut it off.
    const author = login ? undefined : `${newToken()}-${newToken()}@${gateway.flow.domain}`
    const sent = await sends(around, refusal, author)
    const { message, word, arrivals, recipient } = sent
    if (arrivals.length > 0 || word.at(-1)?.kind !== 'deferred') return told(sent)
    for (const address of [recipient, message.from])
      if ((await gateway.holds?.(address)) === false) return `its queue has nothing with ${address}`
    return undefined
  },
  'returns mail that can never be delivered, and says so': async around => {
    // A user is told in a mailbox of the gateway's own.
    const author = around.login ? undefined : await partner(around, {})
    const refusal: Behaviour = { transaction: { refuses: { at: 'RCPT', reply: '550 5.1.1 never' } } }
    const sent = await sends(around, refusal, author && `author@${author.domain}`)
    if (sent.word.at(-1)?.kind !== 'bounced') return told(sent)
    if (!author) return undefined
    const came = await until(() => author.messages.length > 0, [author], around.gateway.patience ?? NOTICE)
    around.lab.release(author)
    return came ? undefined : 'its author was not told'
  },
}

/** All of it, side by side. Throws GatewayFailure: a gateway or an adapter that fails here is not judged. */
export async function mustKeepContract(around: Around): Promise<void> {
  const wrong = await Promise.all(
    Object.entries(CONTRACT).map(async ([clause, look]) => {
      const why = await look(around)
      return why === undefined ? [] : [`  it must be a gateway that ${clause}: ${why}`]
    }),
  )
  const failures = wrong.flat()
  if (failures.length === 0) return
  throw new GatewayFailure(
    [`${around.gateway.name} cannot be judged, because it or its adapter does not work:`, ...failures].join(
      '\n',
    ),
  )
}

async function accepts({ gateway, lab, mailbox }: Around, behaviour: SenderBehaviour) {
  const { inbound: endpoint, flow } = gateway
  const message = compose({ from: `sender@${lab.freshDomain('*.stranger.test')}`, to: [flow.recipient] })
  const { accepted, stage, reply, breakdown } = await handOver(message, {
    ...{ endpoint, hostname: flow.hostname, behaviour, pki: lab.pki },
  })
  if (!accepted) return `at ${stage} came ${reply?.text ?? breakdown?.detail}`
  return (await mailbox.await(message.token)).length > 0 ? undefined : 'it never reached the mailbox'
}

async function partner({ gateway, lab }: Around, behaviour: Behaviour) {
  const { to } = gateway.flow.outbound.find(one => one.tls === 'opportunistic' && one.to.startsWith('*.'))!
  const [made] = await lab.partners([{ domain: lab.freshDomain(to), hosts: [behaviour] }])
  return made!
}

async function sends(around: Around, behaviour: Behaviour, from = around.gateway.flow.sender): Promise<Sent> {
  const { gateway, submission, lab } = around
  const to = await partner(around, behaviour)
  const message = compose({ from, to: [`inbox@${to.domain}`] })
  const [sent] = await send({ gateway, submission, message, partners: [to] })
  lab.release(to)
  return sent!
}

function told({ refusal, word, arrivals }: Sent): string {
  if (refusal) return `it did not take the message to send on: ${refusal}`
  if (arrivals.length > 0) return `it arrived ${arrivals[0]!.secured ? 'over TLS' : 'in clear'}`
  const last = word.at(-1)
  return last ? `it was ${last.kind}: ${last.reason}` : 'it did not arrive, and the gateway said nothing'
}
