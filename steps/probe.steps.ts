import { Given, Then, When } from '@cucumber/cucumber'
import { equallyStrong } from '../support/judgements/strength.ts'
import { addressesOf, strengthAt } from '../support/traffic/probe.ts'
import type { MailWorld } from './world.ts'

Given("the gateway's domain has another server", async function (this: MailWorld) {
  if (this.run.plan) return
  this.another = await this.run.gateways.ofOwn()
})

When("every address of the gateway's domain is probed", async function (this: MailWorld) {
  const servers = [await this.gateway(), ...(this.another ? [this.another] : [])]
  const endpoints = await Promise.all(
    servers.flatMap(({ inbound, alsoAt = [] }) => [inbound, ...alsoAt]).map(addressesOf),
  )
  const about = { hostname: this.flow.hostname, pki: this.run.pki }
  this.strengths = await Promise.all(endpoints.flat().map(one => strengthAt(one, about)))
  for (const { conversations } of this.strengths) this.conversations.push(...conversations)
  this.acted = true
})

Then('all of them offer TLS of the same strength', function (this: MailWorld) {
  return this.conclude(equallyStrong(this.strengths))
})
