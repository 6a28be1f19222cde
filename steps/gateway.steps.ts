import { Given, Then, When } from '@cucumber/cucumber'
import { claimsNothingBehindPartner } from '../support/judgements/hops.ts'
import {
  accepts,
  asksForCertificate,
  notTaken,
  ownReceivedLineIsTrue,
  receivedLineIsTrue,
  refuses,
  refusesHandshake,
  refusesWithoutTls,
} from '../support/judgements/inbound.ts'
import {
  answersInOrder,
  chainLeadsToRoot,
  forgetsGreeting,
  nothingTookEffect,
  passwordsRefusedAlike,
  rightPasswordAlone,
  takesMessage,
} from '../support/judgements/session.ts'
import {
  eachArrivedOnce,
  SESSIONS_AFTER_CHANGE,
  showsChange,
  showsThroughout,
} from '../support/judgements/transition.ts'
import { waitedForReply } from '../support/judgements/wire.ts'
import { type ChangeName, gatewayIdentity } from '../support/mailflow/changes.ts'
import { arrivalsOf } from '../support/traffic/arrivals.ts'
import { Stream } from '../support/traffic/message-stream.ts'
import type { Observation } from '../support/verdicts/observation.ts'
import { until } from '../support/wire/until.ts'
import type { Happened } from './happened.ts'
import { Inapplicable } from './outcome.ts'
import { version, words } from './vocabulary/parameters.ts'
import type { MailWorld } from './world.ts'

/** How the gateway is told otherwise than usual, in the words of the features. */
const TOLD: Record<string, ChangeName> = {
  'trusts only the former root': 'trusts the former root',
  'trusts both roots': 'trusts both roots',
  'trusts only the new root': 'trusts the new root',
  'gives up after 3 attempts': 'gives up after 3 attempts',
  'requires TLS of every client': 'requires TLS of every client',
  'has lost its certificate': 'has lost its certificate',
  'shows a certificate of the former authority': 'shows a certificate of the former authority',
}
words('change', TOLD)

Given('the gateway {change}', function (this: MailWorld, change: ChangeName) {
  this.change(change)
})

Given('the gateway logs its TLS sessions', function (this: MailWorld) {
  this.needs('session-log')
})

Given(
  'the gateway gets a certificate of the new authority while the client delivers messages',
  function (this: MailWorld) {
    this.intent.add('gateway', { certificateChanges: true })
  },
)

/** Enough to see that messages flow, before and after the change. */
const SOME = SESSIONS_AFTER_CHANGE

When('the client delivers one message after another', async function (this: MailWorld) {
  const { certificateChanges } = this.intent.read('gateway', 'certificateChanges')
  const gateway = await this.servers.gatewayOfOwn()
  const { flow } = gateway
  const { lab, pki, mailbox, gateways } = this.run
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
    { domain: lab.freshDomain('*.stranger.test'), to: [flow.recipient] },
  )
  this.happened.acted = true
  try {
    await some(stream)
    if (certificateChanges) {
      stream.changedAt = Date.now()
      await gateway.change({ ...flow, identity: await gatewayIdentity(flow, pki, 'new') })
      // First those that may still be under way, then those that must show the change.
      await some(stream)
    }
    await some(stream)
  } finally {
    await stream.end()
  }
  this.happened.stream = stream.seen()
  this.happened.arrivals = await arrivalsOf(stream, mailbox!, gateway, {
    retries: !gateways.source.lacks('retry'),
  })
})

/** Awaits a few more accepted messages, for a bounded time. */
async function some(stream: Stream): Promise<void> {
  const target = stream.accepted.length + SOME
  await until(() => stream.accepted.length >= target, [stream], 15_000)
}

Then('every message arrives exactly once', function (this: MailWorld) {
  return this.conclude(eachArrivedOnce(this.happened.stream!, this.happened.arrivals!))
})

Then('every session shows the former certificate within its validity', function (this: MailWorld) {
  return this.conclude(showsThroughout(this.happened.stream!, 'former'))
})

Then(
  'sessions show the former certificate before the change and the new one afterwards, within their validity',
  function (this: MailWorld) {
    return this.conclude(showsChange(this.happened.stream!))
  },
)

type Reaction = (happened: Happened, world: MailWorld) => Observation

/** What the gateway can do with what comes to it, in the words of the features. */
const REACTIONS: Record<string, Reaction> = {
  'accepts the message': ({ delivered }) => accepts(delivered),
  'accepts the incoming message over TLS': ({ delivered }) => accepts(delivered, { tls: true }),
  'accepts the message over TLS': ({ delivered }) => accepts(delivered, { tls: true }),
  ...Object.fromEntries(
    ['TLS 1.2', 'TLS 1.3'].map(text => [
      `accepts the message over ${text}`,
      ({ delivered }: Happened) => accepts(delivered, { version: version(text) }),
    ]),
  ),
  'refuses the message': ({ delivered, alive }) => refuses(delivered, alive),
  'refuses the incoming message because TLS is missing': ({ delivered }) => refusesWithoutTls(delivered),
  'refuses the message because TLS is missing': ({ delivered }) => refusesWithoutTls(delivered),
  'refuses the TLS handshake': ({ delivered, alive }) => refusesHandshake(delivered, alive),
  "asks for the client's certificate": ({ delivered }) => asksForCertificate(delivered),
  'accepts the unencrypted message on the same connection': ({ session }) => takesMessage(session),
  'answers MAIL as it answers a client that never greeted': ({ clientSessions }) =>
    forgetsGreeting(clientSessions.map(one => one.seen())),
  'answers each command inside TLS once': ({ session }) => answersInOrder(session),
  'executes nothing inside TLS that was injected before': ({ session, alive }) =>
    nothingTookEffect(session, alive),
  'accepts only the right password': ({ logins }) => rightPasswordAlone(logins),
  'refuses both passwords alike': ({ logins }) => passwordsRefusedAlike(logins),
  'claims no protection behind the next server': ({ only, passedOn }, { servers: { gatewaySeen } }) =>
    claimsNothingBehindPartner(only, {
      passedOn,
      flow: gatewaySeen.flow,
      log: gatewaySeen.log(only.partner.domain),
    }),
}
words('reaction', REACTIONS)

Then('the gateway {reaction}', function (this: MailWorld, reaction: Reaction) {
  return this.conclude(reaction(this.happened, this))
})

Then('the gateway waits for the reply inside TLS', function (this: MailWorld) {
  const smuggled = this.happened.injectedByPartner === 'reply' ? 'answer' : 'line'
  return this.concludeOnWire(wire => waitedForReply(wire, { smuggled, alive: this.happened.alive }))
})

Then("the gateway's certificate chain leads to a root that the client trusts", function (this: MailWorld) {
  return this.conclude(chainLeadsToRoot(this.happened.session))
})

Then("the gateway's Received line agrees with the wire", function (this: MailWorld) {
  return this.conclude(receivedLine(this))
})

function receivedLine({ happened, servers }: MailWorld): Observation {
  const { sent, arrived } = happened
  const { flow } = servers.gatewaySeen
  const [first] = sent
  if (first) return ownReceivedLineIsTrue(first.arrivals[0]?.content, flow, first.submission)
  if (!arrived) throw new Inapplicable('the gateway file names no mailbox in which the message could be seen')
  const [mail] = arrived.mails
  return servers.hasSecondServer
    ? (notTaken(happened.delivered) ??
        ownReceivedLineIsTrue(mail?.content, flow, happened.delivered.conversations.at(-1)))
    : receivedLineIsTrue(happened.delivered, mail)
}
