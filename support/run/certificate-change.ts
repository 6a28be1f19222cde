import type { Arrivals, MailStream } from '../evidence/mail-stream.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { SESSIONS_AFTER_CHANGE } from '../judgements/transition.ts'
import { gatewayIdentity } from '../mailflow/changes.ts'
import { STRANGERS } from '../mailflow/domains.ts'
import { arrivalsOf } from '../traffic/arrivals.ts'
import { Stream } from '../traffic/message-stream.ts'
import { until } from '../wire/until.ts'
import type { Run } from './run.ts'

/** Enough to see that messages flow, before and after the change. */
const SOME = SESSIONS_AFTER_CHANGE

/** A client delivers one message after another. `changes`: meanwhile the gateway gets a certificate of the new authority. */
export async function deliverThroughChange(
  { lab, pki, mailbox, gateways }: Run,
  gateway: Gateway,
  { changes }: { changes: boolean },
): Promise<{ stream: MailStream; arrivals: Arrivals | undefined }> {
  const { flow } = gateway
  const stream = new Stream(
    {
      // The stream reads the address anew for each attempt, because a restarted container has another address.
      get endpoint() {
        return gateway.inbound
      },
      hostname: flow.hostname,
      pki,
      behaviour: { tls: 'uses' },
    },
    { domain: lab.freshDomain(STRANGERS), to: [flow.recipient] },
  )
  try {
    await some(stream)
    if (changes) {
      stream.changedAt = Date.now()
      await gateway.change({ ...flow, identity: await gatewayIdentity(flow, pki, 'new') })
      // First those that may still be under way, then those that must show the change.
      await some(stream)
    }
    await some(stream)
  } finally {
    await stream.end()
  }
  const retries = !gateways.source.lacks('retry')
  return {
    stream: stream.seen(),
    arrivals: mailbox && (await arrivalsOf(stream, mailbox, gateway, { retries })),
  }
}

/** Awaits a few more accepted messages, for a bounded time. */
async function some(stream: Stream): Promise<void> {
  const target = stream.accepted.length + SOME
  await until(() => stream.accepted.length >= target, [stream], 15_000)
}
