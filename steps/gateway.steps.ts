import { Given, Then, When } from '@cucumber/cucumber'
import { eachArrivedOnce, SETTLED, showsChange, showsThroughout } from '../support/judgements/transition.ts'
import { CHANGES, type Change, gatewayIdentity } from '../support/mailflow/changes.ts'
import { arrivalsOf } from '../support/traffic/arrivals.ts'
import { Stream } from '../support/traffic/stream.ts'
import { until } from '../support/wire/until.ts'
import type { MailWorld } from './world.ts'

Given('a gateway as it is', function (this: MailWorld) {
  this.changes.length = 0
})

Given('a/the gateway (that ){change}', function (this: MailWorld, change: Change) {
  this.change(change)
})

Given('a gateway with a certificate of the former authority', async function (this: MailWorld) {
  this.change(CHANGES['shows a certificate of the former authority'])
  if (this.run.plan) return
  this.ownGateway = await this.run.gateways.ofOwn(this.changes)
})

/** Enough to see that mail flows, before and after the change. */
const SOME = SETTLED

Given('mail flows in', async function (this: MailWorld) {
  if (this.run.plan) return
  const gateway = await this.gateway()
  const { flow } = gateway
  const { lab, pki } = this.run
  this.stream = new Stream(
    {
      // Looked up for each attempt: a container that starts again is somewhere else afterwards.
      get endpoint() {
        return gateway.inbound
      },
      hostname: flow.hostname,
      pki,
      behaviour: { tls: 'uses' },
    },
    { domain: lab.freshDomain('*.stranger.test'), to: [flow.recipient] },
  )
  await some(this.stream)
})

When('nothing is changed', async function (this: MailWorld) {
  await some(this.stream!)
  await this.stream!.end()
  this.acted = true
})

When('the gateway gets a certificate of the new authority', async function (this: MailWorld) {
  const gateway = await this.gateway()
  this.stream!.changedAt = Date.now()
  await gateway.change({
    ...gateway.flow,
    identity: await gatewayIdentity(gateway.flow, this.run.pki, 'new'),
  })
  // First those that may still be under way, then those that must show the change.
  await some(this.stream!)
  await some(this.stream!)
  await this.stream!.end()
  this.acted = true
})

/** Awaits a few more accepted messages, for a bounded time. */
async function some(stream: Stream): Promise<void> {
  const target = stream.accepted.length + SOME
  await until(() => stream.accepted.length >= target, [stream], 15_000)
}

Then('every message arrives exactly once', async function (this: MailWorld) {
  const stream = this.stream!
  const gateway = await this.gateway()
  const arrivals = await arrivalsOf(stream, this.run.mailbox!, gateway, {
    retries: !this.run.gateways.source.lacks('retry'),
  })
  const { missing, queued, doubled } = arrivals
  const seen = stream.seen()
  this.astray = [...seen.neverAccepted, ...missing, ...doubled, ...queued]
  return this.conclude(eachArrivedOnce(seen, arrivals))
})

Then('every session shows the former certificate, within its validity', function (this: MailWorld) {
  return this.conclude(showsThroughout(this.stream!.seen(), 'former'))
})

Then(
  'sessions show the former certificate before the change and the new one after it, within their validity',
  function (this: MailWorld) {
    return this.conclude(showsChange(this.stream!.seen()))
  },
)
