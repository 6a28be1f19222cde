import { setTimeout as pause } from 'node:timers/promises'
import type { GatewaySource } from '../gateway/source.ts'
import { nothingInClear } from '../judgements/wire.ts'
import type { Partner } from '../lab/partner/partner.ts'
import { gatewayIdentity } from '../mailflow/changes.ts'
import { STRANGERS } from '../mailflow/domains.ts'
import { Pki } from '../pki/pki.ts'
import { Run } from '../run/run.ts'
import { sideBySide } from '../side-by-side.ts'
import { handOver } from '../traffic/deliver-message.ts'
import { compose, newToken } from '../traffic/message.ts'
import { until } from '../wire/until.ts'

/** What became of messages that clients delivered while the certificate of the gateway changed again and again. */
export interface LiveChange {
  gateway: string
  messages: number
  /** Changes of the certificate that were done while messages flowed. */
  changes: number
  /** Sessions that showed each of the two certificates. */
  sessions: { former: number; new: number }
  /** Attempts that the gateway did not accept; the client came again. */
  again: number
  /** Messages of which a part crossed unencrypted, on the way in or on the way out. */
  inClear: number
  /** Accepted messages that never arrived, and those that arrived more than once. */
  lost: number
  doubled: number
  /** From the first message to the last arrival, in ms. */
  wall: number
}

/** Messages for one gateway: more would be more of its log than the lab keeps. */
const EACH = 2_500
/** Clients at the same time. */
const CLIENTS = 6
/** How often the certificate changes. */
const CHANGES = 10
/** Attempts for one message, and the longest wait for the last arrivals, in ms. */
const ATTEMPTS = 200
const ARRIVE = 300_000

/** `count` messages flow through gateways while these get one certificate after another. Throws GatewayFailure. */
export async function liveChange(
  source: GatewaySource,
  count: number,
  told: (done: number) => void = () => {},
): Promise<LiveChange> {
  let total: LiveChange | undefined
  for (let done = 0; done < count; done += EACH) {
    const one = await withOneGateway(source, Math.min(EACH, count - done), some => told(done + some))
    total = total ? sum(total, one) : one
  }
  if (!total) throw new Error('no message is to flow')
  return total
}

const sum = (one: LiveChange, other: LiveChange): LiveChange => ({
  gateway: one.gateway,
  messages: one.messages + other.messages,
  changes: one.changes + other.changes,
  sessions: {
    former: one.sessions.former + other.sessions.former,
    new: one.sessions.new + other.sessions.new,
  },
  again: one.again + other.again,
  inClear: one.inClear + other.inClear,
  lost: one.lost + other.lost,
  doubled: one.doubled + other.doubled,
  wall: one.wall + other.wall,
})

async function withOneGateway(
  source: GatewaySource,
  count: number,
  told: (done: number) => void,
): Promise<LiveChange> {
  const pki = new Pki()
  const run = await Run.start({ source, pki })
  try {
    const { gateway, leave } = await run.gateways.turn([], true)
    const { flow } = gateway
    // All mail for the gateway's domain ends at a partner, which counts.
    const [inbox] = await run.lab.partners([
      { domain: flow.domain, hostnames: [`inbox.${flow.domain}`], maxConnections: Number.MAX_SAFE_INTEGER },
    ])
    const began = performance.now()
    const result = { ...{ changes: 0, again: 0, inClear: 0 }, sessions: { former: 0, new: 0 } }
    const accepted: string[] = []
    const options = {
      get endpoint() {
        return gateway.inbound
      },
      ...{ hostname: flow.hostname, pki, behaviour: { tls: 'uses' as const }, once: true as const },
    }
    const deliver = async () => {
      const token = newToken()
      const from = `${token}@${run.lab.freshDomain(STRANGERS)}`
      const message = compose({ from, to: [flow.recipient], body: { headers: [], text: token, token } })
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const { accepted: taken, conversations } = await handOver(message, options)
        if (nothingInClear(conversations, token).kind === 'broken') result.inClear++
        for (const { handshake } of conversations) {
          const issuer = handshake?.serverCertificate?.issuer
          if (issuer) result.sessions[/ new /.test(issuer) ? 'new' : 'former']++
        }
        if (taken) {
          accepted.push(token)
          return told(accepted.length)
        }
        result.again++
      }
    }
    let isOver = false
    const changing = (async () => {
      for (const one of Array.from({ length: CHANGES }, (_, i) => i)) {
        const next = Math.round(((one + 1) * count) / (CHANGES + 1))
        while (accepted.length < next && !isOver) await pause(20)
        if (isOver) return
        const identity = await gatewayIdentity(flow, pki, one % 2 === 0 ? 'new' : 'former')
        await gateway.change({ ...flow, identity })
        result.changes++
      }
    })()
    await sideBySide(
      Array.from({ length: count }, (_, i) => i),
      CLIENTS,
      deliver,
    ).finally(() => {
      isOver = true
    })
    await changing
    const all = () => inbox!.messages.length >= accepted.length
    await until(all, [inbox!], ARRIVE)
    await inbox!.upToDate()
    const arrived = copiesIn(inbox!)
    leave?.()
    return {
      ...result,
      gateway: source.name,
      messages: accepted.length,
      inClear: result.inClear + inbox!.messages.filter(({ secured }) => !secured).length,
      lost: accepted.filter(token => !arrived.has(token)).length,
      doubled: accepted.filter(token => (arrived.get(token) ?? 0) > 1).length,
      wall: performance.now() - began,
    }
  } finally {
    await run.stop()
  }
}

/** How often each message arrived, by its token. */
function copiesIn({ messages }: Partner): Map<string, number> {
  const copies = new Map<string, number>()
  for (const { content } of messages) {
    const [token] = /\btoken-[0-9a-f]{16}\b/.exec(content) ?? []
    if (token) copies.set(token, (copies.get(token) ?? 0) + 1)
  }
  return copies
}
