import { type DataTable, Given, Then, When } from '@cucumber/cucumber'
import { type Sent, send } from '../support/gateway/sending.ts'
import type { TlsVersion } from '../support/lab/behaviour.ts'
import { compose, type Message, type MessageOptions } from '../support/lab/message.ts'
import { passOn } from '../support/lab/onward.ts'
import type { Partner } from '../support/lab/partner.ts'
import { encrypted } from '../support/lab/smime.ts'
import { onlyDecryptable, readable } from '../support/verdicts/judgements/content.ts'
import { firstHopAlone, hopsOfTheirOwn, noFurtherClaim } from '../support/verdicts/judgements/hops.ts'
import { authorTold, nobodyTold, noticed } from '../support/verdicts/judgements/notices.ts'
import {
  arrivesAt,
  arrivesInClear,
  arrivesInClearOrHeldBack,
  arrivesOnce,
  arrivesOverTls,
  isHeldBack,
  laterArrivesOverTls,
  staysQueued,
  staysQueuedForCertificate,
} from '../support/verdicts/judgements/outbound.ts'
import { deliver } from './sender.steps.ts'
import type { MailWorld } from './world.ts'

async function partnerOf(world: MailWorld): Promise<Partner> {
  world.domain ??= world.run.lab.freshDomain(
    world.flow.outbound.find(({ to, tls }) => tls === 'opportunistic' && to.startsWith('*.'))!.to,
  )
  return world.partner({ domain: world.domain, hosts: world.hosts })
}

interface Sending extends Partial<MessageOptions> {
  tries?: number
  message?: Message
}

async function sendTo(
  world: MailWorld,
  partners: readonly Partner[],
  { tries = 1, message, ...how }: Sending = {},
) {
  const gateway = await world.gateway()
  const sent = await send({
    gateway,
    submission: world.run.submission(gateway),
    message:
      message ??
      compose({
        from: gateway.flow.sender,
        to: partners.map(({ domain }) => `inbox@${domain}`),
        ...how,
      }),
    partners,
    tries,
    ...(world.comesIn === 'over TLS' ? { tls: {} } : {}),
  })
  for (const { domain } of partners) world.notes.push(...gateway.log(domain, 12))
  world.sent.push(...sent)
  world.acted = true
  return sent
}

async function sendOne(world: MailWorld, how: Sending = {}): Promise<Sent> {
  return (await sendTo(world, [await partnerOf(world)], how))[0]!
}

When('the gateway sends a message to the partner', async function (this: MailWorld) {
  const sent = await sendOne(this)
  const [arrival] = sent.arrivals
  if (!this.passesOn || !arrival) return
  const { behind, conversation } = await passOn(this.run.pki, sent.partner, arrival.content)
  this.onward = behind
  this.conversations.push(conversation)
})

When(
  'the gateway tries up to {int} times to send a message to the partner',
  async function (this: MailWorld, tries: number) {
    // The author is a partner too, so that a notification is seen.
    const domain = this.run.lab.freshDomain('*.opportunistic.test')
    this.notices = await this.partner({ domain })
    await sendOne(this, { tries, from: `author@${domain}` })
  },
)

When(
  'the gateway tries up to {int} times to send a large message to the partner',
  async function (this: MailWorld, tries: number) {
    await sendOne(this, { tries, size: 200_000 })
  },
)

When(
  'the gateway tries up to {int} times to send a message without return path to the partner',
  async function (this: MailWorld, tries: number) {
    this.notices = await this.partner({ domain: this.run.lab.freshDomain('*.opportunistic.test') })
    await sendOne(this, { tries, from: '', headers: [`Reply-To: <author@${this.notices.domain}>`] })
  },
)

When('the gateway sends two messages to the partner, one after the other', async function (this: MailWorld) {
  const partner = await partnerOf(this)
  await sendTo(this, [partner])
  // To somebody else there: what the gateway says about the first recipient is not about this message.
  await sendTo(this, [partner], { to: [`later@${partner.domain}`] })
})

When('the gateway sends the message to all of them', async function (this: MailWorld) {
  await sendTo(
    this,
    await this.partners(this.copies.map(({ domain, behaviour }) => ({ domain, hosts: [behaviour] }))),
  )
})

When('the gateway sends an S\\/MIME encrypted message to the partner', async function (this: MailWorld) {
  const partner = await partnerOf(this)
  const { message, secret } = encrypted({
    from: this.flow.sender,
    to: [`inbox@${partner.domain}`],
  })
  this.secret = secret.text
  await sendTo(this, [partner], { message })
  this.decrypt = secret.decrypt
})

When('the partner and the gateway send each other a message', async function (this: MailWorld) {
  await Promise.all([sendOne(this), deliver(this)])
})

Then('the message arrives over TLS', function (this: MailWorld) {
  return this.conclude(arrivesOverTls(this.only))
})

Then('the message arrives over {version}', function (this: MailWorld, version: TlsVersion) {
  return this.conclude(arrivesOverTls(this.only, { version }))
})

Then('the message arrives over TLS with {suite}', function (this: MailWorld, suite: string) {
  return this.conclude(arrivesOverTls(this.only, { suite }))
})

Then('the later message arrives over TLS', function (this: MailWorld) {
  return this.conclude(laterArrivesOverTls(this.sent))
})

Then('the message arrives in clear', function (this: MailWorld) {
  return this.conclude(arrivesInClear(this.only))
})

Then('the message is held back', function (this: MailWorld) {
  return this.conclude(isHeldBack(this.only))
})

Then('the message stays queued', function (this: MailWorld) {
  return this.conclude(staysQueued(this.only))
})

Then('the message stays queued for a reason that names the certificate', function (this: MailWorld) {
  return this.conclude(staysQueuedForCertificate(this.only))
})

Then('the message arrives in clear or is held back', function (this: MailWorld) {
  return this.conclude(arrivesInClearOrHeldBack(this.only, { queued: false }))
})

Then('the message arrives in clear or stays queued', function (this: MailWorld) {
  return this.conclude(arrivesInClearOrHeldBack(this.only, { queued: true }))
})

Then('it arrives exactly once', function (this: MailWorld) {
  return this.conclude(arrivesOnce(this.only))
})

Then('it arrives exactly once and complete', function (this: MailWorld) {
  return this.conclude(arrivesOnce(this.only, { complete: true }))
})

Then('it arrives at mail exchanger {int}', function (this: MailWorld, exchanger: number) {
  return this.conclude(arrivesAt(this.only, exchanger))
})

/** Columns: partner, fate. */
Then('the copies fare so', function (this: MailWorld, table: DataTable) {
  const fates: Record<string, (sent: Sent) => ReturnType<typeof isHeldBack>> = {
    'arrives over TLS': sent => arrivesOverTls(sent),
    'arrives in clear': arrivesInClear,
    'is held back': isHeldBack,
  }
  for (const { partner, fate } of table.hashes()) {
    const copy = this.copies.findIndex(({ name }) => name === partner)
    const judgement = fates[fate!]
    if (copy < 0 || !judgement) throw new Error(`the table speaks of ${partner} that ${fate}`)
    const seen = judgement(this.sent[copy]!)
    const outcome = this.conclude({ ...seen, detail: `${partner}: ${seen.detail}` })
    if (outcome) return outcome
  }
  return undefined
})

Then('the author gets one notification with a null return path', async function (this: MailWorld) {
  const sent = this.only
  await noticed(sent, this.notices!)
  const [later] = await sendTo(this, [this.notices!])
  return this.conclude(authorTold(sent, this.notices!, later!))
})

Then('nobody gets a notification', async function (this: MailWorld) {
  const sent = this.only
  const [later] = await sendTo(this, [this.notices!])
  return this.conclude(nobodyTold(sent, this.notices!, later!))
})

Then('its text can be read on the wire', function (this: MailWorld) {
  return this.conclude(readable(this.only))
})

Then('its text cannot be read on the wire, and its recipient can decrypt it', function (this: MailWorld) {
  return this.conclude(onlyDecryptable(this.only, { text: this.secret, decrypt: this.decrypt! }))
})

Then('its Received lines claim TLS for the first hop alone', function (this: MailWorld) {
  return this.conclude(firstHopAlone(this.only))
})

Then('the two hops have sessions of their own', function (this: MailWorld) {
  return this.conclude(hopsOfTheirOwn(this.only))
})

Then(
  "neither the message nor the gateway's log claims protection beyond the first hop",
  async function (this: MailWorld) {
    return this.conclude(noFurtherClaim(this.only, this.onward!, await this.gateway()))
  },
)

Given('the message comes in over TLS', function (this: MailWorld) {
  this.comesIn = 'over TLS'
})

Given('the message comes in in clear', function (this: MailWorld) {
  this.comesIn = 'in clear'
})
