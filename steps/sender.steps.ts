import { defineParameterType, Given, Then, When } from '@cucumber/cucumber'
import type { Gateway } from '../support/gateway/gateway.ts'
import {
  acceptedUnseen,
  accepts,
  asksForCertificate,
  doesNotReach,
  ownLineTrue,
  reaches,
  receivedLineTrue,
  refusedUnseen,
  refuses,
  refusesHandshake,
  refusesWithoutTls,
} from '../support/judgements/inbound.ts'
import type { Mailbox } from '../support/lab/mailbox/mailbox.ts'
import type { TlsVersion } from '../support/lab/partner/behaviour.ts'
import type { CertificateFlaw } from '../support/pki/flaws.ts'
import { handOver, type SenderBehaviour } from '../support/traffic/delivering.ts'
import { compose, newToken } from '../support/traffic/message.ts'
import type { Observation } from '../support/verdicts/observation.ts'
import { Inapplicable, type MailWorld } from './world.ts'

Given('the sender uses TLS', function (this: MailWorld) {
  this.sender = { tls: 'uses' }
})

Given('the sender does not use TLS', function (this: MailWorld) {
  this.sender = { tls: 'does not use' }
})

/** What a sender does to be taken for somebody else, in the words of the features. */
const RUSES: Record<string, Partial<SenderBehaviour>> = {
  'greets as somebody else': { greetsAs: 'mail.somebody-else.test' },
  "begins with a message of somebody else's": { beginsAs: 'sender@somebody-else.test' },
  'writes its domain in capitals': { inCapitals: true },
}

defineParameterType({
  name: 'ruse',
  regexp: new RegExp(Object.keys(RUSES).join('|')),
  transformer: (words: string) => RUSES[words]!,
  useForSnippets: false,
})

Given('the sender does not use TLS and {ruse}', function (this: MailWorld, ruse: Partial<SenderBehaviour>) {
  this.sender = { tls: 'does not use', ...ruse }
})

Given('the sender speaks {version} at most', function (this: MailWorld, maxVersion: TlsVersion) {
  this.sender = { tls: 'uses', maxVersion }
})

Given(
  'the sender has {version} at most and falls back to clear',
  function (this: MailWorld, maxVersion: TlsVersion) {
    this.sender = { tls: 'falls back to clear', maxVersion }
  },
)

function certificate(world: MailWorld, names: string[], flaw?: CertificateFlaw): void {
  world.sender = { tls: 'uses', certificate: { names, ...(flaw ? { flaws: [flaw] } : {}) } }
}

Given('the sender shows a good certificate', function (this: MailWorld) {
  certificate(this, this.certificateNames ?? [`mail.${this.senderDomain}`])
})

Given('the sender shows a certificate that is {flaw}', function (this: MailWorld, flaw: CertificateFlaw) {
  certificate(this, this.certificateNames ?? [`mail.${this.senderDomain}`], flaw)
})

Given("the sender's certificate names {name}", function (this: MailWorld, name: string) {
  certificate(this, [name])
})

Given('the sender cuts the connection in the middle of the message', function (this: MailWorld) {
  this.sender = { tls: 'uses', cuts: true }
})

Given('the message brings a forged Received line that claims TLS', function (this: MailWorld) {
  this.sender = { tls: 'does not use' }
  this.messageHeaders = [
    'Received: from mail.forged.test (mail.forged.test [192.0.2.1])\r\n\tby mx.forged.test with ESMTPS id forged\r\n' +
      '\t(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384); Tue, 24 Nov 2026 00:00:00 +0000',
  ]
})

export async function deliver(world: MailWorld): Promise<void> {
  const gateway = await world.gateway()
  const { flow } = gateway
  const domain = world.senderDomain ?? world.run.lab.freshDomain('*.stranger.test')
  const message = compose({
    from: `sender@${world.sender.inCapitals ? domain.toUpperCase() : domain}`,
    to: [flow.recipient],
    headers: world.messageHeaders,
    ...(world.sender.cuts ? { size: 40_000 } : {}),
  })
  const options = { endpoint: gateway.inbound, hostname: flow.hostname, pki: world.run.pki }
  world.handover = await handOver(message, { ...options, behaviour: world.sender })
  // A refusal counts only from a gateway that still takes mail of others.
  if (!world.handover.accepted && !world.sender.cuts) world.alive = await takesOthers(world, gateway)
  world.notes.push(...gateway.log(`@${message.from.split('@')[1]}`, 10))
  world.acted = true
}

/** Whether somebody whom no connector names may begin a message over TLS. */
async function takesOthers({ run }: MailWorld, { inbound, flow }: Gateway): Promise<boolean> {
  const from = `other@${run.lab.freshDomain('*.stranger.test')}`
  const options = { endpoint: inbound, hostname: flow.hostname, pki: run.pki }
  const behaviour = { tls: 'uses', leavesAt: 'MAIL' } as const
  const { reply, stage } = await handOver(compose({ from, to: [flow.recipient] }), { ...options, behaviour })
  return stage === 'MAIL' && reply !== undefined && reply.code < 300
}

When('the sender delivers a message', async function (this: MailWorld) {
  await deliver(this)
})

Then('the gateway accepts the message', function (this: MailWorld) {
  return this.conclude(accepts(this.delivered))
})

Then('the gateway accepts the message over {version}', function (this: MailWorld, version: TlsVersion) {
  return this.conclude(accepts(this.delivered, { version }))
})

Then("the partner's message is accepted over TLS", function (this: MailWorld) {
  return this.conclude(accepts(this.delivered, { tls: true }))
})

Then('the gateway refuses the message', function (this: MailWorld) {
  return this.conclude(refuses(this.delivered, this.alive))
})

Then("the gateway refuses the (partner's )message for want of TLS", function (this: MailWorld) {
  return this.conclude(refusesWithoutTls(this.delivered))
})

Then('the gateway refuses the handshake', function (this: MailWorld) {
  return this.conclude(refusesHandshake(this.delivered, this.alive))
})

Then("the gateway asked for the sender's certificate", function (this: MailWorld) {
  return this.conclude(asksForCertificate(this.delivered))
})

Then('it reaches the mailbox', async function (this: MailWorld) {
  if (!this.mailbox) return this.conclude(acceptedUnseen(this.delivered))
  return this.conclude(await reachesInTime(this))
})

Then('it reaches the mailbox unchanged', async function (this: MailWorld) {
  return this.conclude(await reachesInTime(this, { unchanged: true }))
})

Then('it does not reach the mailbox', async function (this: MailWorld) {
  const { run, delivered } = this
  if (!run.mailbox) return this.conclude(refusedUnseen(delivered))
  const arrived = await laterReaches(this, run.mailbox)
  return this.conclude(doesNotReach(await run.mailbox.find(delivered.message.token), arrived))
})

/** Mail arrives in order of submission: where one that is sent now arrives, an earlier one is not merely late. */
async function laterReaches(world: MailWorld, mailbox: Mailbox): Promise<boolean> {
  const { run, delivered } = world
  const { inbound, flow } = await world.gateway()
  const from = `later@${run.lab.freshDomain('*.stranger.test')}`
  const token = newToken()
  const later = compose({ from, to: delivered.message.to, body: { headers: [], text: token, token } })
  const options = { endpoint: inbound, hostname: flow.hostname, pki: run.pki }
  const { accepted } = await handOver(later, { ...options, behaviour: { tls: 'uses' } })
  return (await (accepted ? mailbox.await(token) : mailbox.find(token))).length > 0
}

async function reachesInTime(world: MailWorld, how: { unchanged?: boolean } = {}): Promise<Observation> {
  const found = await mails(world)
  const late = world.delivered.accepted && found.length === 0
  const overtaken = late && (await laterReaches(world, world.mailbox!))
  return reaches(world.delivered, found, { ...how, overtaken })
}

Then("the gateway's Received line says what the wire says", async function (this: MailWorld) {
  if (this.peer) return this.conclude(await ownLine(this))
  const [mail] = await mails(this)
  return this.conclude(receivedLineTrue(this.delivered, mail))
})

/** Of a pair: about the hop on which the gateway took the message in. */
async function ownLine(world: MailWorld): Promise<Observation> {
  const { flow } = await world.gateway()
  const [sent] = world.sent
  if (sent) return ownLineTrue(sent.arrivals[0]?.content, flow, sent.submission)
  const [mail] = await mails(world)
  return ownLineTrue(mail?.content, flow, world.delivered.conversations.at(-1))
}

/** Waits only for what was accepted: nothing else can come. */
async function mails({ mailbox, delivered }: MailWorld) {
  if (!mailbox) throw new Inapplicable('the gateway file names no mailbox in which the message could be seen')
  return delivered.accepted ? mailbox.await(delivered.message.token) : mailbox.find(delivered.message.token)
}
