import { Given, Then, When } from '@cucumber/cucumber'
import { equallyStrong } from '../support/judgements/strength.ts'
import { addressesOf, strengthAt } from '../support/traffic/probe.ts'
import type { MailWorld } from './world.ts'

Given("the gateway's domain has another server", function (this: MailWorld) {
  this.needs('pair')
  this.intent.add('gateway', { hasAnother: true })
})

When("the lab probes every address of the gateway's domain", async function (this: MailWorld) {
  const { hasAnother } = this.intent.read('gateway', 'hasAnother')
  const servers = [await this.servers.gateway(), ...(hasAnother ? [await this.servers.anotherGateway()] : [])]
  const endpoints = await Promise.all(
    servers.flatMap(({ inbound, alsoAt = [] }) => [inbound, ...alsoAt]).map(addressesOf),
  )
  const about = { hostname: this.flow.hostname, pki: this.run.pki }
  this.happened.strengths = await Promise.all(endpoints.flat().map(one => strengthAt(one, about)))
  for (const { conversations } of this.happened.strengths) this.happened.conversations.push(...conversations)
  this.happened.acted = true
})

Then('every address offers TLS of the same strength', function (this: MailWorld) {
  return this.conclude(equallyStrong(this.happened.strengths))
})
