import { defineParameterType, Given, Then, When } from '@cucumber/cucumber'
import type { Message } from '../support/evidence/mail.ts'
import { hadForwardSecrecy } from '../support/judgements/wire.ts'
import type { Interference } from '../support/lab/lab.ts'
import type { SecondServerKind } from '../support/mailflow/capabilities.ts'
import { CHANGES } from '../support/mailflow/changes.ts'
import { compose } from '../support/traffic/message.ts'
import { receiveThroughTap, sendThroughTap } from '../support/traffic/relaying.ts'
import type { WatchedMessage } from '../support/traffic/sending.ts'
import { STATIC_RSA } from '../support/wire/tls/tls-names.ts'
import { Inapplicable, type MailWorld } from './world.ts'

defineParameterType({
  name: 'kind',
  regexp: /the same kind|another kind/,
  transformer: (text: string) => text as SecondServerKind,
  useForSnippets: false,
})

/** No connector covers it. */
Given('the partner is a second server of {kind}', function (this: MailWorld, kind: SecondServerKind) {
  this.peer = kind
})

/** Between the servers of a service TLS is required in both directions. */
Given(
  "the partner is a server of {kind} in the gateway's service",
  function (this: MailWorld, kind: SecondServerKind) {
    this.peer = kind
    if (this.sends && this.flow.outbound.every(({ tls }) => tls === 'opportunistic'))
      throw new Inapplicable('the gateway has no outbound connector that requires TLS')
    this.change(CHANGES['belongs to a service'])
  },
)

/** What somebody on the path between two servers does, in the words of the features. */
const INTERFERENCES: Record<string, Interference> = {
  'removes STARTTLS': { faults: { stripsStarttls: true } },
  'overwrites the go-ahead': { faults: { corruptsGoAhead: true } },
  'resets the connection at the ClientHello': { faults: { cutsAfter: 'ClientHello' } },
  'resets the connection at the ServerHello': { faults: { cutsAfter: 'ServerHello' } },
  'shows a certificate of its own': { faults: { swapsTls: true }, tls: { presents: ['self-signed'] } },
  'has TLS 1.1 at most': { faults: { swapsTls: true }, tls: { maxVersion: 'TLSv1.1' } },
  'has key exchange by RSA alone': {
    faults: { swapsTls: true },
    tls: { maxVersion: 'TLSv1.2', suites: [...STATIC_RSA], followsSender: true },
  },
}
const WHERE = { '': ['in', 'out'], ' on the way in': ['in'], ' on the way out': ['out'] } as const
const FIRST = ' on the first connection'

defineParameterType({
  name: 'interference',
  regexp: new RegExp(
    `(?:${Object.keys(INTERFERENCES).join('|')})(?: on the way in| on the way out|${FIRST})?`,
  ),
  transformer: (text: string) => {
    const what = Object.keys(INTERFERENCES).find(words => text.startsWith(words))!
    const rest = text.slice(what.length)
    const does = rest === FIRST ? { ...INTERFERENCES[what], times: 1 } : INTERFERENCES[what]
    const where = WHERE[(rest === FIRST ? '' : rest) as keyof typeof WHERE]
    return Object.fromEntries(where.map(way => [way, does]))
  },
  useForSnippets: false,
})

Given(
  'somebody between them {interference}',
  function (this: MailWorld, does: { in?: Interference; out?: Interference }) {
    this.between = does
  },
)

/** What the gateway sends to the second server. */
export async function sendToPeer(
  world: MailWorld,
  how: { message?: Message; cause?: Message; tries?: number },
): Promise<WatchedMessage> {
  const { gateway, peer } = await world.pair()
  const { out } = world.between
  const passed = await sendThroughTap(world.run, {
    from: gateway,
    to: peer,
    message: how.message ?? compose({ from: gateway.flow.sender, to: [peer.flow.recipient] }),
    ...(how.cause ? { cause: how.cause } : {}),
    ...(out ? { does: out } : {}),
    ...(how.tries ? { tries: how.tries } : {}),
    // As a user's client does, unless the example says otherwise.
    ...(world.comesIn === 'in clear' ? {} : { tls: {} }),
  })
  world.passed({ ...passed, names: [gateway.name, peer.name] })
  world.notes.push(...gateway.log(peer.flow.domain, 12))
  world.watched.push(passed.watched)
  world.settled([passed.watched], gateway.flow)
  return passed.watched
}

/** What the second server sends to the gateway. */
export async function receiveFromPeer(world: MailWorld): Promise<void> {
  const { gateway, peer } = await world.pair()
  const does = world.between.in
  await world.takePathTo(gateway)
  const passed = await receiveThroughTap(world.run, {
    from: peer,
    to: gateway,
    message: compose({ from: peer.flow.sender, to: [gateway.flow.recipient] }),
    ...(does ? { does } : {}),
  })
  world.passed({ ...passed, names: [peer.name, gateway.name] })
  world.handover = passed.handover
  world.alive = passed.alive
  world.notes.push(...gateway.log(peer.flow.domain, 10))
}

When('the partner sends a message to the gateway', async function (this: MailWorld) {
  await receiveFromPeer(this)
})

Then('the session had forward secrecy', function (this: MailWorld) {
  return this.conclude(hadForwardSecrecy(this.wire))
})
